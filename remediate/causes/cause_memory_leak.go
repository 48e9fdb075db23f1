package causes

import (
	"slices"
	"time"

	"moorgate.dev/internal/gate"
)

// The law: containers of one revision do the same work, so how much memory each uses should not depend on how long it runs. Where one
// was killed for its memory after it had run for a while, and of those that run the longer each runs the more it uses, by far, they
// do not give back what they take. That needs three at least that run, of well apart ages, measured now; a cache that fills looks the
// same until it is full, which is why this is not said for sure. Where usage cannot be read, it is plainly out of memory.
//
// A larger limit buys time and no cure; so does a pod in its place, which begins anew. Going back cures it where the revision before
// does not leak.
var memoryLeak = Cause{
	Doc: gate.Doc{ID: "memory-leak", Since: "v0.2", Title: "The container takes more memory the longer it runs",
		Text: "The container is killed for its memory after it ran for a while, and of the pods of its revision each uses the more the longer it runs. Needs usage of three that run."},
	Symptoms: []Symptom{CrashLoop}, Points: 20, Sure: 75, Replaceable: true, Reversible: true,
	explains: func(w World, p Pod) bool {
		exit, known := p.Exit.Get()
		ran, measured := exit.ran()
		_, _, grows := growth(w)
		return known && measured && exit.Reason == oomKilled && ran >= leakAfter && grows
	},
	cites: []string{EvidenceUsage},
	tell: func(w World, e Explained) string {
		young, old, _ := growth(w)
		exit, _ := e.Pods[0].Exit.Get()
		ran, _ := exit.ran()
		return sentence("%s was killed for its memory (%s) after %s in %s; of those that run it uses %s after %s and %s after %s", e.who(w), limitOf(e.Pods[0]), rounded(ran),
			crowd(w, e.Count()), mebibytes(used(young)), rounded(w.At.Sub(young.Since)), mebibytes(used(old)), rounded(w.At.Sub(old.Since)))
	},
}

// leakAfter is how long a container ran at least of which a leak is believed.
const leakAfter = 10 * time.Minute

// growth is whether those of a revision that run use the more memory the longer they run, by a half from the first to the last, with the
// youngest and the oldest of them.
func growth(w World) (young, old Pod, grows bool) {
	pods := measured(w.Pods)
	if len(pods) < 3 {
		return Pod{}, Pod{}, false
	}
	slices.SortFunc(pods, func(a, b Pod) int { return b.Since.Compare(a.Since) })
	for i := 1; i < len(pods); i++ {
		if used(pods[i]) <= used(pods[i-1]) {
			return Pod{}, Pod{}, false
		}
	}
	young, old = pods[0], pods[len(pods)-1]
	apart := w.At.Sub(old.Since) >= 2*w.At.Sub(young.Since) && w.At.Sub(old.Since) >= leakAfter
	return young, old, apart && 2*used(old) >= 3*used(young)
}
