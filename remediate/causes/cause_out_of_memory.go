package causes

import "moorgate.dev/internal/gate"

// The law: a container that the kernel kills for its memory, again after each restart, needs more than it may have. The
// runtime says so with the reason OOMKilled; the exit code 137 alone does not, because a failing liveness probe leaves the
// same. The limit is told if there is one; where there is none, the node or the pod as a whole ran out.
//
// Whether the limit is too low or the memory leaks is told only where usage can be read; this is what is left.
//
// Another pod has the same limit, so replacing one is no cure. Going back is, where the revision before is known to work.
// Otherwise the limit or the appetite has to change, and that is for people to say.
var outOfMemory = Cause{
	Doc: gate.Doc{ID: "out-of-memory", Since: "v0.1", Title: "The container needs more memory than it may have",
		Text: "The container is killed for its memory (OOMKilled), and again after each restart. Exit code 137 alone is not enough: a failing liveness probe leaves the same."},
	Symptoms: []Symptom{CrashLoop}, Points: 20, Sure: 95, Reversible: true,
	explains: func(_ World, p Pod) bool {
		exit, known := p.Exit.Get()
		return known && exit.Reason == oomKilled
	},
	tell: func(w World, e Explained) string {
		return sentence("%s is killed for its memory (%s) in %s; up to %s", e.who(w), limitOf(e.Pods[0]), crowd(w, e.Count()),
			plural(int(restarts(e.Pods)), "restart"))
	},
}

// containerCauses are about a container that was started.
var containerCauses = []Cause{memoryLeak, memoryLimitTooLow, outOfMemory, badCommand, probeWrongPort, probeTooEarly, probeFails, applicationError}
