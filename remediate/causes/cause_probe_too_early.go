package causes

import "moorgate.dev/internal/gate"

// The law: a probe killed the container as soon as it could (see killer), so it was never answered; and the revision before, which is
// well, needs longer to become ready than this probe allows. Then it is not the program that fails, but the patience of its probe. How
// long a start takes is read from pods that were never restarted, and the quickest counts, because one that was not ready for a
// while in between looks slow. Where no other revision is well nobody knows how long a start takes.
//
// A startup probe cures it, or more patience, or going back.
var probeTooEarly = Cause{
	Doc: gate.Doc{ID: "liveness-probe-too-early", Since: "v0.2", Title: "A probe kills the container before it has started",
		Text: "A liveness or startup probe kills the container as soon as it can, and pods of the revision before needed longer than that to become ready."},
	Symptoms: []Symptom{CrashLoop}, Points: 15, Sure: 80, Reversible: true,
	explains: func(w World, p Pod) bool {
		probe, _ := killer(p)
		needs, known := quickest(w)
		return probe != nil && known && neverAnswered(p, probe) && needs > probe.window()
	},
	tell: func(w World, e Explained) string {
		probe, name := killer(e.Pods[0])
		needs, _ := quickest(w)
		return sentence("the %s of %s waits for %s and kills it in %s; the revision before needed %s at least to become ready", name, e.who(w), probe.window(),
			crowd(w, e.Count()), rounded(needs))
	},
}
