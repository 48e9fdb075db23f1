package checks

// The points table: what each finding takes from 100. It is meant to be read beside the usual thresholds, warnBelow 80 and
// denyBelow 50. Findings of 20 and fewer warn only in sum; those of more warn alone; none denies alone. A check takes
// points once, however many containers or names it finds: a pod that cannot start for two reasons is not worse off.
const (
	pointsImage          = 10 // an image without a tag, or with latest
	pointsRequests       = 15 // a container without CPU or memory requests
	pointsReadiness      = 15 // a container that serves, without a readiness probe
	pointsProbeName      = 40 // a probe of a port name that does not exist; refuses by itself
	pointsProbeNumber    = 5  // a probe of a number that no container declares
	pointsAllDown        = 20 // a strategy that may take every one of several pods down at once
	pointsOneDown        = 10 // the same with a single pod
	pointsReference      = 25 // something referred to does not exist (pending)
	pointsQuota          = 35 // the rollout does not fit a quota (recent)
	pointsQuotaSlow      = 25 // it fits, but only pod by pod (recent)
	pointsNoNodeMatches  = 30 // no node's labels and taints suit the pods
	pointsNoRoom         = 25 // nodes suit, and have no room now (recent)
	pointsBudget         = 15 // a disruption budget that never allows a disruption
	pointsStillFailing   = 20 // the workload fails as it runs now (recent)
	pointsNamespaceFails = 10 // much of the namespace fails (recent)
)
