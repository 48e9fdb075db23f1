package causes

import (
	"slices"
	"strings"
)

// objectCauses are about what workloads stand on and are brought by: nodes, autoscalers, certificates, deliveries.
var objectCauses = slices.Concat(nodeCauses, scalerCauses, certificateCauses, deliveryCauses)

// states is whether a controller says one thing of an object, for one of the given reasons; for none given, whatever the reason.
func states(kind, status string, reasons ...string) func(World, Object) bool {
	return func(_ World, o Object) bool {
		c, says := o.Condition(kind)
		return says && c.Status == status && (len(reasons) == 0 || slices.Contains(reasons, c.Reason))
	}
}

// means is whether what a controller says in a condition is of a class.
func means(kind string, class Told) func(World, Object) bool {
	return func(_ World, o Object) bool {
		c, says := o.Condition(kind)
		return says && c.Told == class
	}
}

// named is a list of names as a sentence has it, not too long.
func named(names []string) string {
	const most = 3
	if more := len(names) - most; more > 0 {
		return strings.Join(names[:most], ", ") + sentence(" and %d more", more)
	}
	return strings.Join(names, ", ")
}

// sinceSaid is when a controller began to say what it says of the first object, as people write it.
func (w World) sinceSaid(kind string) string {
	for _, o := range w.Stuck() {
		if c, says := o.Condition(kind); says && !c.Since.IsZero() {
			return c.Since.UTC().Format("15:04 UTC")
		}
	}
	return "some time ago"
}
