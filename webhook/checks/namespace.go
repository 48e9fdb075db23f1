package checks

import (
	"cmp"
	"maps"
	"slices"

	"moorgate.dev/internal/gate"
)

// The law: when much of a namespace fails, something that its workloads share is likely broken, and a rollout now adds to
// the noise. It counts when at least two pods other than this workload's fail, and at least a quarter of those there are.
var namespaceCheck = Check{
	ID: "namespace-failures", Title: "The namespace is not failing around it", Points: pointsNamespaceFails, Nature: gate.Recent,
	Law:  "Fewer than a quarter of the namespace's other pods crash, are out of memory, cannot pull their image or cannot be configured.",
	look: lookNamespace,
}

func lookNamespace(r Rollout) Result {
	f, known := r.World.Failures.Get()
	if !known {
		return Result{Unknown: []string{unread("Pods of the namespace", r.World.Failures)}}
	}
	if f.Failing < 2 || 4*f.Failing < f.Pods {
		return Result{}
	}
	return Result{Findings: []gate.Finding{found(pointsNamespaceFails, gate.Recent, []string{EvidenceFailures},
		"%d of %s in the namespace fail, %s", f.Failing, plural(f.Pods, "other pod"), f.mostly())}}
}

// mostly names the commonest reason; the first by name where two are as common.
func (f Failures) mostly() string {
	if len(f.Reasons) == 0 {
		return "for reasons unknown"
	}
	reasons := slices.Sorted(maps.Keys(f.Reasons))
	most := slices.MaxFunc(reasons, func(a, b string) int {
		return cmp.Or(cmp.Compare(f.Reasons[a], f.Reasons[b]), -cmp.Compare(a, b))
	})
	return "mostly " + name(most)
}
