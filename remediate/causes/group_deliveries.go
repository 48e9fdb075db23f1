package causes

import "slices"

// deliveryCauses are about what delivers from Git or a registry and fails to. A refusal comes first, because what was refused is also
// said to have failed; then what comes before applying, then applying, then what becomes of it.
var deliveryCauses = []Cause{deniedByGate, applyDenied, deliveryInvalid, sourceAccess, sourceFailing, sourceNotReady, dependencyNotReady, buildFailed, releaseFailed,
	unhealthyAfter, applyFailed}

// Argo CD has conditions of its own: one that is listed is Present. How its last operation ended is told as another.
const (
	Operation = "Operation"
	Present   = "Present"
)

// failsFor is whether what delivers says that it fails, for one of the given reasons: Flux in its Ready condition, or because it gave up;
// Argo CD in a condition of that name, or in how its last operation ended.
func failsFor(reasons ...string) func(World, Object) bool {
	return func(_ World, o Object) bool {
		return slices.ContainsFunc(o.Conditions, func(c Condition) bool {
			flux := c.Type == "Ready" && c.Status == "False" || c.Type == "Stalled" && c.Status == "True"
			argo := c.Type == Operation && c.Status == "False" || c.Status == Present
			return (flux || argo && c.Type == Operation) && slices.Contains(reasons, c.Reason) || argo && slices.Contains(reasons, c.Type)
		})
	}
}

// failing is the word that what delivers has for failing.
func (e Explained) failing() string {
	for _, kind := range []string{"Ready", "Stalled", Operation} {
		if c, says := e.Objects[0].Condition(kind); says && c.Reason != "" {
			return c.Reason
		}
	}
	for _, c := range e.Objects[0].Conditions {
		if c.Status == Present {
			return c.Type
		}
	}
	return "no reason given"
}

// denied is whether what was to be applied was refused by one of a class.
func denied(class Told) func(World, Object) bool {
	return func(_ World, o Object) bool {
		return slices.ContainsFunc(o.Conditions, func(c Condition) bool { return c.Told == class })
	}
}
