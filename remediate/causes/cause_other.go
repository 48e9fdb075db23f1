package causes

import (
	"fmt"
	"strings"

	"moorgate.dev/internal/gate"
)

// The law: what no other cause explains is called other, and says what was seen. It is a crash loop for certain; why is not
// known: the container was killed by a signal and nobody says whose, it never started, its status does not say how it
// ended, or its pods end in different ways. Nobody acts on that: the confidence is low whatever could be read.
var other = Cause{
	Doc: gate.Doc{ID: gate.CauseOther, Since: "v0.1", Title: "Something else",
		Text: "The container crash-loops and no other cause explains more than half of its pods. What was seen is told; nothing is done without a human."},
	Points: 30, Sure: 50, Replaceable: true,
	explains: func(Pod) bool { return true },
	tell: func(w World, explained []Pod) string {
		var ends []string
		seen := map[string]bool{}
		for _, p := range explained {
			end := ending(p)
			if !seen[end] {
				ends = append(ends, end)
			}
			seen[end] = true
		}
		return sentence("container %s crash-loops in %s, and why is not known: it %s", w.Container, crowd(w, len(explained)),
			strings.Join(ends[:min(len(ends), 3)], " or "))
	},
}

func ending(p Pod) string {
	exit, known := p.Exit.Get()
	switch {
	case !known:
		return "ended in a way that its status does not tell"
	case killed(exit):
		return fmt.Sprintf("was killed (exit code %d, %s), perhaps by a failing liveness probe", exit.Code, exit.Reason)
	}
	return fmt.Sprintf("ended with exit code %d (%s)", exit.Code, exit.Reason)
}
