package causes

import (
	"time"

	"moorgate.dev/internal/gate"
)

// The law: what is to be started is not in the image, may not be executed, or has no directory to run in. Either the runtime says so
// (StartError, CreateContainerError), and then no program ran; or a shell did, which ends with 127 for a command that it does not find
// and 126 for one that it may not execute. A program may end with these numbers for a reason of its own, and does so after it has
// worked for a while: beyond a few seconds it is called an error of the program. So is what ran for nobody knows how long.
//
// It is the same on every node: the command or the image has to change, or to go back.
var badCommand = Cause{
	Doc: gate.Doc{ID: "bad-command", Since: "v0.2", Title: "The command cannot be started",
		Text: "The command is not in the image, may not be executed or has no working directory: the runtime says so, or a shell ends with 127 or 126 within seconds."},
	Symptoms: []Symptom{CrashLoop, CannotStart}, Points: 15, Sure: 85, Reversible: true,
	explains: func(_ World, p Pod) bool { return unstartable(p) != "" },
	tell: func(w World, e Explained) string {
		return sentence("%s cannot start in %s: %s", e.who(w), crowd(w, e.Count()), unstartable(e.Pods[0]))
	},
}

// The exit codes of a shell that was told what it cannot do.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
)

// atOnce is how soon a shell ends that does not find its command.
const atOnce = 10 * time.Second

func unstartable(p Pod) Told {
	switch p.Told {
	case toldNoCommand, toldNotExecutable, toldNoDirectory:
		return p.Told
	}
	exit, known := p.Exit.Get()
	ran, measured := exit.ran()
	if !known || exit.Reason != "Error" || !measured || ran > atOnce {
		return ""
	}
	switch exit.Code {
	case exitNotFound:
		return "exit code 127, as of a shell that does not find its command"
	case exitNotExecutable:
		return "exit code 126, as of a shell that may not execute its command"
	}
	return ""
}
