package causes

import "moorgate.dev/internal/gate"

// The law: a probe killed the container (see killer), and why it was not answered is not known: a program that hangs, a path that
// answers with an error, a start that is too slow. Whether it ever answered shows from how long the container ran. It is told apart
// from a kill by somebody else, which comes sooner than the probe can fail, and from one for memory, which the runtime says.
//
// Where some pods are well another may do better; where all are killed the program or the probe is at fault, and going back cures it.
var probeFails = Cause{
	Doc: gate.Doc{ID: "liveness-probe-fails", Since: "v0.2", Title: "A probe fails and the container is killed",
		Text: "The container is killed (exit code 143 or 137, not for its memory), has a liveness or startup probe, and ran for as long as that needs to fail. Why it is not answered is not known."},
	Symptoms: []Symptom{CrashLoop}, Points: 20, Sure: 75, Replaceable: true, Reversible: true,
	explains: func(_ World, p Pod) bool { probe, _ := killer(p); return probe != nil },
	tell: func(w World, e Explained) string {
		probe, name := killer(e.Pods[0])
		exit, _ := e.Pods[0].Exit.Get()
		ran, _ := exit.ran()
		how := "is answered no more"
		if neverAnswered(e.Pods[0], probe) {
			how = "is never answered"
		}
		return sentence("a %s that %s kills %s in %s: after %s, with exit code %d; up to %s", name, how, e.who(w), crowd(w, e.Count()), rounded(ran), exit.Code,
			plural(int(restarts(e.Pods)), "restart"))
	},
}
