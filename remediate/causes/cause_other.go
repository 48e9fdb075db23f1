package causes

import (
	"fmt"
	"slices"
	"strings"

	"moorgate.dev/internal/gate"
)

// The law: what no other cause explains is called other, and says what was seen. That something is wrong is certain; why is not
// known: a container was killed by a signal and nobody says whose, its status does not say how it ended, its pods end in
// different ways, or a controller says what no rule here knows. Nobody acts on that: the confidence is low whatever could be read.
var other = Cause{
	Doc: gate.Doc{ID: gate.CauseOther, Since: "v0.1", Title: "Something else",
		Text: "No other cause explains more than half of what shows the symptom. What was seen is told; nothing is done without a human."},
	Points: 30, Sure: 50, Replaceable: true,
	tell: func(w World, e Explained) string {
		switch {
		case w.Symptom == CrashLoop:
			return sentence("%s crash-loops in %s, and why is not known: it %s", e.who(w), crowd(w, e.Count()), endings(e.Pods))
		case w.Symptom.OfContainer():
			return sentence("%s %s in %s, and why is not known", e.who(w), w.Symptom.Says(), crowd(w, e.Count()))
		}
		return sentence("%s %s, and why is not known", crowd(w, e.Count()), w.Symptom.Says())
	},
}

func endings(pods []Pod) string {
	var ends []string
	for _, p := range pods {
		if end := ending(p); !slices.Contains(ends, end) {
			ends = append(ends, end)
		}
	}
	return strings.Join(ends[:min(len(ends), 3)], " or ")
}

func ending(p Pod) string {
	exit, known := p.Exit.Get()
	switch {
	case !known:
		return "ended in a way that its status does not tell"
	case killed(exit):
		return fmt.Sprintf("was killed (exit code %d, %s), by nobody knows whom", exit.Code, exit.Reason)
	}
	return fmt.Sprintf("ended with exit code %d (%s)", exit.Code, exit.Reason)
}
