package checks

import (
	"fmt"

	"moorgate.dev/internal/gate"
)

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
	pointsNoNodeMatches  = 30 // no node's labels and taints suit the pods (recent)
	pointsNeverFits      = 30 // nodes suit, and not even an empty one could hold a pod (recent)
	pointsNoRoom         = 25 // nodes suit, and take no pod now, however many more there were (recent)
	pointsScaleUp        = 15 // there is no room now, and would be on one more node of a class that exists (recent)
	pointsLater          = 10 // no quota or room now, for pods that start later, or of which some find room and the rest wait (recent)
	pointsLimitRange     = 35 // the API server refuses the pods for a LimitRange
	pointsNodesUnwell    = 10 // more than a quarter of the nodes that suit are unwell (recent)
	pointsPlacement      = 20 // rules about neighbours keep pods off nodes with room for them; looked at afterwards (recent)
	pointsBudget         = 15 // a disruption budget that never allows a disruption
	pointsStillFailing   = 20 // the workload fails as it runs now (recent)
	pointsNamespaceFails = 10 // much of the namespace fails (recent)
	pointsSelectsNothing = 30 // a Service that selected the pods, and selects none afterwards
	pointsTargetName     = 30 // a Service that sends to a port name which no container declares
	pointsTargetNumber   = 5  // the same with a number
	pointsRoutePort      = 10 // an Ingress or HTTPRoute to a port that the Service does not have (recent)
	pointsExpired        = 20 // a certificate in use that has expired (recent)
	pointsExpires        = 10 // one that expires soon and is not being renewed, or is not ready (recent)
	pointsGoverning      = 10 // the Service that a StatefulSet names does not exist (pending)
	pointsRiskHigh       = 15 // a change of the selector, or more rights
	pointsRiskMiddle     = 10 // a probe gone, resources by a factor, an image from elsewhere or from before
	pointsRiskLow        = 5  // a looser strategy, another command or major version, a variable or a mount gone
	pointsRisk           = 25 // several of these at once, at most
	pointsNoMetric       = 15 // an autoscaler that lacks the requests to divide by
	pointsTwoScalers     = 15 // two autoscalers of one size
	pointsBothWays       = 15 // a vertical and a horizontal autoscaler that go by the same resource
	pointsSizeByHand     = 10 // a size that an autoscaler will set again (recent)
	pointsSmallest       = 10 // a smallest size of which a budget keeps every pod
	pointsLeast          = 10 // a vertical autoscaler that asks for more than a LimitRange allows
	pointsUnderway       = 10 // another rollout before the one before has ended (recent)
	pointsUnseen         = 5  // another before the controller has seen the one before (recent)
	pointsPaused         = 5  // a new template while the workload is paused (recent)
	pointsRemoved        = 15 // something that Kubernetes has removed
	pointsDeprecated     = 5  // something that it has deprecated
	pointsFailedTemplate = 25 // the same template failed lately (recent); half if it got through since
	pointsFailedImage    = 20 // a new image failed lately elsewhere (recent); half if it got through since

	pointsDependency = 20 // a dependency that does not exist (pending) or serves nobody (recent)
	pointsOutside    = 15 // an external dependency whose last probe failed (recent)

	pointsUndone   = 10 // a person's change of what a GitOps tool applies and will put back (recent)
	pointsDelivery = 10 // what applies the workload, or where it applies it from, is not ready or suspended (recent)

	pointsTooLarge = 100 // a pod template that is too large to be looked at; refuses by itself, instead of all checks
)

// Price is one row of the points table.
type Price struct {
	Check  string
	Points int
	Hard   bool // refuses by itself
	Nature gate.Nature
	For    string
}

// Prices is the points table, for documentation.
func Prices() []Price {
	return []Price{
		{imageCheck.ID, pointsImage, false, gate.Lasting, "an image without a tag, or with latest"},
		{requestsCheck.ID, pointsRequests, false, gate.Lasting, "a container or sidecar without a CPU or memory request"},
		{readinessCheck.ID, pointsProbeName, true, gate.Lasting, "a readiness or startup probe of a port name that its container does not declare"},
		{readinessCheck.ID, pointsReadiness, false, gate.Lasting, "a container that declares ports, in a pod without any readiness probe"},
		{readinessCheck.ID, pointsProbeNumber, false, gate.Lasting, "a probe of an undeclared port number, a liveness probe of an undeclared name, or one more container without a readiness probe"},
		{availabilityCheck.ID, pointsAllDown, false, gate.Lasting, "a strategy that may take all of several pods down at once"},
		{availabilityCheck.ID, pointsOneDown, false, gate.Lasting, "the same with a single replica"},
		{referencesCheck.ID, pointsReference, false, gate.Pending, "a Secret, ConfigMap, key of a ConfigMap, ServiceAccount, claim or StorageClass that does not exist"},
		{quotaCheck.ID, pointsQuota, false, gate.Recent, "a quota without room for growth and surge, or one that refuses the pods"},
		{quotaCheck.ID, pointsQuotaSlow, false, gate.Recent, "a quota without room for the surge, where old pods may go first"},
		{fitCheck.ID, pointsNoNodeMatches, false, gate.Recent, "no node with suitable labels and taints"},
		{fitCheck.ID, pointsNeverFits, false, gate.Recent, "suitable nodes, and not even an empty one could hold a pod"},
		{fitCheck.ID, pointsNoRoom, false, gate.Recent, "suitable nodes that are all cordoned or not ready, or without room for a DaemonSet's pod"},
		{fitCheck.ID, pointsScaleUp, false, gate.Recent, "no room now, and room on one more node of a class that exists"},
		{quotaCheck.ID, pointsLater, false, gate.Recent, "a CronJob that would not fit what a quota has left now, and fits the whole of it"},
		{fitCheck.ID, pointsLater, false, gate.Recent, "no room now for a CronJob's pods, or for some of a Job's"},
		{rangeCheck.ID, pointsLimitRange, false, gate.Lasting, "a LimitRange that refuses the pods"},
		{healthCheck.ID, pointsNodesUnwell, false, gate.Recent, "more than a quarter of the suitable nodes not ready, under pressure or cordoned"},
		{Placement, pointsPlacement, false, gate.Recent, "afterwards and in a review: spread, affinity or volumes that keep pods off nodes with room"},
		{budgetCheck.ID, pointsBudget, false, gate.Lasting, "a disruption budget that never allows a disruption, or two on the same pods"},
		{failingCheck.ID, pointsStillFailing, false, gate.Recent, "a workload that fails as it runs now"},
		{namespaceCheck.ID, pointsNamespaceFails, false, gate.Recent, "a quarter or more of the namespace's other pods failing"},
		{servicesCheck.ID, pointsSelectsNothing, false, gate.Lasting, "a Service that selected the old pods, and selects no pod afterwards"},
		{servicesCheck.ID, pointsTargetName, false, gate.Lasting, "a Service whose target port is a name that no container declares"},
		{servicesCheck.ID, pointsTargetNumber, false, gate.Lasting, "a Service whose target port is a number that no container declares"},
		{servicesCheck.ID, pointsGoverning, false, gate.Pending, "a StatefulSet whose Service does not exist"},
		{routesCheck.ID, pointsRoutePort, false, gate.Recent, "an Ingress or HTTPRoute to a port that the Service of the pods does not have"},
		{certificatesCheck.ID, pointsExpired, false, gate.Recent, "a cert-manager Certificate in use that has expired"},
		{certificatesCheck.ID, pointsExpires, false, gate.Recent, "one that expires within a week and is late to be renewed, or is not ready"},
		{riskCheck.ID, pointsRisk, false, gate.Lasting, "several of the following at once, at most"},
		{riskCheck.ID, pointsRiskHigh, false, gate.Lasting, "another selector, or more rights than before"},
		{riskCheck.ID, pointsRiskMiddle, false, gate.Lasting, "a probe removed, CPU or memory cut to half or ten times as much, an image of another repository or an older version"},
		{riskCheck.ID, pointsRiskLow, false, gate.Lasting, "a looser strategy, another command or major version, a variable or a mount removed"},
		{autoscalingCheck.ID, pointsNoMetric, false, gate.Lasting, "an autoscaler by utilisation of what a container does not request"},
		{autoscalingCheck.ID, pointsTwoScalers, false, gate.Lasting, "two horizontal autoscalers of one workload"},
		{autoscalingCheck.ID, pointsBothWays, false, gate.Lasting, "a vertical and a horizontal autoscaler by the same resource"},
		{autoscalingCheck.ID, pointsSizeByHand, false, gate.Recent, "replicas set by hand where an autoscaler sets them"},
		{autoscalingCheck.ID, pointsSmallest, false, gate.Lasting, "an autoscaler's smallest size, of which a disruption budget keeps every pod"},
		{autoscalingCheck.ID, pointsLeast, false, gate.Lasting, "a vertical autoscaler that gives a container more than a LimitRange allows"},
		{underwayCheck.ID, pointsUnderway, false, gate.Recent, "a new template before the rollout before has ended"},
		{underwayCheck.ID, pointsUnseen, false, gate.Recent, "a new template before the controller has seen the change before"},
		{underwayCheck.ID, pointsPaused, false, gate.Recent, "a new template while the workload is paused"},
		{deprecatedCheck.ID, pointsRemoved, false, gate.Lasting, "a node label, annotation or volume type that Kubernetes has removed"},
		{deprecatedCheck.ID, pointsDeprecated, false, gate.Lasting, "a node label, annotation, volume type or field that it has deprecated"},
		{failedBeforeCheck.ID, pointsFailedTemplate, false, gate.Recent, "a template that failed in this cluster in the last seven days; half where it got through since"},
		{failedBeforeCheck.ID, pointsFailedImage, false, gate.Recent, "an image, new to the workload, that failed elsewhere in the last seven days; half where it got through since"},
		{dependenciesCheck.ID, pointsDependency, false, gate.Pending, "a Service, StatefulSet or Deployment that it depends on and that does not exist"},
		{dependenciesCheck.ID, pointsDependency, false, gate.Recent, "one that exists, and has no ready endpoint or pod"},
		{dependenciesCheck.ID, pointsOutside, false, gate.Recent, "an external host that it depends on, whose last probe failed"},
		{deliveryCheck.ID, pointsUndone, false, gate.Recent, "a person's change of what Flux or Argo CD applies, and will put back"},
		{deliveryCheck.ID, pointsDelivery, false, gate.Recent, "a Kustomization, HelmRelease or Application that is not ready or suspended, or has such a source"},
		{TooLarge, pointsTooLarge, true, gate.Lasting, fmt.Sprintf("a pod template of more than %d containers, %d references or %d clauses that choose nodes: no check looks at it", containersMax, referencesTotal, placementMax)},
	}
}
