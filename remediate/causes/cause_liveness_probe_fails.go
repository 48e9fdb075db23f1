package causes

import (
	"fmt"

	"moorgate.dev/internal/gate"
)

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
		how := fmt.Sprintf("it answered for a while and was killed after %s", rounded(ran))
		if neverAnswered(e.Pods[0], probe) {
			how = fmt.Sprintf("killed after %s, as soon as it could, it never answered", rounded(ran))
		}
		return sentence("the %s of %s fails in %s (exit code %d): %s; up to %s", name, e.who(w), crowd(w, e.Count()), exit.Code, how, plural(int(restarts(e.Pods)), "restart"))
	},
}
