package causes

import "moorgate.dev/internal/gate"

// The law: a program that started, ended by itself with an exit code other than 0, was started again and ended again, fails
// for a reason of its own: a bug, a setting, or something that it cannot do without. It is told apart from a program that
// was killed (exit codes 137 and 143 say that a signal ended it, whoever sent that), from one that ran out of memory, from
// one that never started (StartError), and from one that finished (exit code 0).
//
// Starting it again is what the kubelet does already. Where every pod of the revision fails and the revision before it is
// known to work, going back is a cure. Where only some pods fail, another pod may do better: the cause may lie in what one
// pod got and the others did not.
var applicationError = Cause{
	Doc: gate.Doc{ID: "application-error", Since: "v0.1", Title: "The program ends with an error",
		Text: "The container starts, ends by itself with an exit code other than 0, and does so again after each restart. Not for a program that was killed, ran out of memory, never started, or finished."},
	Symptoms: []Symptom{CrashLoop}, Points: 15, Sure: 90, Replaceable: true, Reversible: true,
	explains: func(_ World, p Pod) bool {
		exit, known := p.Exit.Get()
		return known && exit.Reason == "Error" && exit.Code != 0 && !killed(exit)
	},
	tell: func(w World, e Explained) string {
		exit, _ := e.Pods[0].Exit.Get()
		return sentence("%s ends with exit code %d in %s; up to %s", e.who(w), exit.Code, crowd(w, e.Count()),
			plural(int(restarts(e.Pods)), "restart"))
	},
}

// Exit codes of a process that a signal ended: 128 and the signal's number.
const (
	exitKilled     = 137
	exitTerminated = 143
)

func killed(e Exit) bool { return e.Code == exitKilled || e.Code == exitTerminated }
