package causes

import "moorgate.dev/internal/gate"

// The ids of the evidence about what is not a pod.
const (
	EvidenceRollout  = "rollout"  // the pods of a rollout that makes no progress
	EvidenceRefusal  = "refusal"  // why pods may not be created
	EvidenceClaim    = "claim"    // a volume claim, its class and the volumes there are
	EvidenceBackends = "backends" // the pods that a Service picks
	EvidenceBudget   = "budget"   // a disruption budget
)

// Rollout is how the pods of a rollout fare that makes no progress.
type Rollout struct {
	Fresh, FreshReady   int // pods of the newest revision, and how many are ready
	Others, OthersReady int // those of earlier ones that are not on their way out
	Lingering           int // pods that are long past the time that they had to end
	LingersOn           string
}

// RefusalClass is why pods may not be created, as the API server's answer begins. The answer is not kept.
type RefusalClass string

// The classes. The zero class says that the answer is not known or not understood.
const (
	RefusedByQuota    RefusalClass = "quota"
	RefusedUnsaid     RefusalClass = "unsaid" // a quota wants to be told what a container leaves open
	RefusedByLimits   RefusalClass = "limits"
	RefusedBySecurity RefusalClass = "pod-security"
	RefusedByWebhook  RefusalClass = "webhook"
	RefusedByPolicy   RefusalClass = "policy"
	RefusedByOutage   RefusalClass = "outage" // a webhook did not answer
	RefusedForAccount RefusalClass = "account"
	RefusedAsInvalid  RefusalClass = "invalid"
)

// Refusal is why pods may not be created.
type Refusal struct {
	Class RefusalClass
	Name  string // of what refuses: a quota, a webhook, a level, or of the account that is missing
	// Seen is whether live state bears it out: the quota has no room, the account is not there. Unknown where that cannot be seen.
	Seen gate.Fact[bool]
	Why  string // with the number that decides, where live state gives it
}

// Claim is a volume claim that gets no volume, with what it could get one from.
type Claim struct {
	Name        string
	Lost        bool // it had one, and that is gone
	Asks        string
	Class       gate.Fact[string] // known and empty: it wants none; unknown: it does not say, and there is no default
	ClassThere  gate.Fact[bool]
	Provisioner string // empty for nobody
	Volume      string // that it asks for by name
	Free        int    // volumes of its class that nobody has
	Largest     string // the most that one of them holds
	Unfit       string // why those that hold enough do not fit
}

// Backends are the pods that a Service picks.
type Backends struct {
	Selector      string // as people write it
	Picked, Ready int
	Missing       string // the label that no pod has
	Port          string // the port by name that no ready pod declares
}

// Budget is what a disruption budget asks for.
type Budget struct {
	Pods, Healthy int32
	Rule          string // as its manifest has it: "maxUnavailable 0"
	Never         bool   // whether it allows none however many pods there are
}

// refused is whether pods are refused for a reason of this class, and live state does not speak against it.
func (w World) refused(class RefusalClass) bool {
	if w.Refusal == nil || w.Refusal.Class != class {
		return false
	}
	seen, known := w.Refusal.Seen.Get()
	return seen || !known
}

// failedFor is whether an object says that it failed, for this reason.
func failedFor(o Object, reason string) bool {
	c, says := o.Condition("Failed")
	return says && c.Status == "True" && c.Reason == reason
}
