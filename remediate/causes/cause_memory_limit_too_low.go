package causes

import "moorgate.dev/internal/gate"

// The law: a container is killed for its memory, and every other of its revision that runs, however long, uses nearly all of the limit:
// that is what it needs, and the limit leaves no room. It is told apart from a leak, where use grows with age, and from a container
// that alone takes what the others do not need. Where usage cannot be read, or no other runs, it is plainly out of memory.
//
// Another pod has the same limit. Going back is a cure where the revision before is known to work; otherwise the limit has to rise.
var memoryLimitTooLow = Cause{
	Doc: gate.Doc{ID: "memory-limit-too-low", Since: "v0.2", Title: "The memory limit leaves no room for what the container needs",
		Text: "The container is killed for its memory, and those of its revision that run use nearly all of the limit, whatever their age. Needs their usage."},
	Symptoms: []Symptom{CrashLoop}, Points: 15, Sure: 90, Reversible: true,
	explains: func(w World, p Pod) bool {
		exit, known := p.Exit.Get()
		_, tight := least(w)
		return known && exit.Reason == oomKilled && tight
	},
	cites: []string{EvidenceUsage},
	tell: func(w World, e Explained) string {
		of, _ := least(w)
		return sentence("%s is killed for its memory (%s) in %s, and those that run use %s of it or more", e.who(w), limitOf(e.Pods[0]), crowd(w, e.Count()), mebibytes(used(of)))
	},
}

// least is the pod of a revision that runs and uses least, and whether even that is nearly its limit: 85 %.
func least(w World) (Pod, bool) {
	pods := measured(w.Pods)
	if len(pods) == 0 {
		return Pod{}, false
	}
	of := pods[0]
	for _, p := range pods {
		if used(p) < used(of) {
			of = p
		}
	}
	return of, of.Limited && 100*used(of) >= 85*of.LimitBytes
}
