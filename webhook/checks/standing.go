package checks

import (
	"slices"

	"moorgate.dev/internal/gate"
)

// The law of what stands: the gate refuses what a change brings, never the brake and never the way back. What was so before
// the change is found and warned about all the same, as Standing.
//
//   - Where the template stays and the workload shrinks or is paused, everything stands: fewer pods are no rollout.
//   - Where the template stays otherwise, what the workload earned before, in the same world, stands: a check's findings by
//     the check, because their numbers change with the size; hard ones, and those about what is missing, by their words too,
//     because each is about something of its own. A quota that only the growth breaks does not stand.
//   - Resuming a template that no revision holds is its rollout: nothing stands.
//   - A known return to an earlier revision: what is true of that template, which ran before, stands. What may be missing
//     now (pending) does not: it was there then, and a Guardrail with denyPending asks for it. What is recent needs no help:
//     no rollback is refused for it.
//   - What is judged after it came in is judged whole: nobody is kept from anything by that.
func stand(r Rollout, results []Result) {
	anything := slices.ContainsFunc(results, func(x Result) bool { return len(x.Findings) > 0 })
	switch {
	case !anything || r.Old == nil || r.Afterwards:
	case TemplateChanged(r.Old, r.New):
		if back, known := returns(r).Get(); back && known {
			mark(results, func(_ int, f gate.Finding) bool { return f.Nature == gate.Lasting })
		}
	case r.Old.Paused && !r.New.Paused && !rolledOut(r):
	case r.New.Paused && !r.Old.Paused, r.New.Replicas < r.Old.Replicas:
		mark(results, func(int, gate.Finding) bool { return true })
	default:
		standAsBefore(r, results)
	}
}

// standAsBefore marks what the workload as it was earns too.
func standAsBefore(r Rollout, results []Result) {
	before := lookAll(Rollout{Old: r.Old, New: *r.Old, World: r.World})
	mark(results, func(i int, f gate.Finding) bool {
		return slices.ContainsFunc(before[i].Findings, func(b gate.Finding) bool {
			if f.Hard || f.Nature == gate.Pending {
				return f.Hard == b.Hard && f.Text == b.Text
			}
			return true
		})
	})
}

func mark(results []Result, stands func(check int, f gate.Finding) bool) {
	for i := range results {
		for k := range results[i].Findings {
			if stands(i, results[i].Findings[k]) {
				results[i].Findings[k].Nature = gate.Standing
			}
		}
	}
}

// Brings reports whether a change starts pods of another template than the workload has: it is new, its template is another one,
// or a pause ends in which that changed. A size and a restart do not, nor does what only rolls out once a pause ends.
func Brings(r Rollout) bool {
	switch {
	case r.Afterwards || r.New.Paused:
		return false
	case r.Old == nil || Hash(r.Old.Template) != Hash(r.New.Template):
		return true
	}
	return r.Old.Paused && !rolledOut(r)
}

// rolledOut reports whether some revision is known to hold the new template.
func rolledOut(r Rollout) bool {
	revisions, _ := r.World.Revisions.Get()
	hash := TemplateHash(&r.New)
	return hash != "" && slices.ContainsFunc(revisions, func(v Revision) bool { return v.Hash == hash })
}
