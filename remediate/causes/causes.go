package causes

import (
	"context"
	"fmt"
	"slices"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// The ids of what may be on a menu.
const (
	Evict       = "evict"
	RollBack    = "roll-back"
	PullRequest = "pull-request"
	Escalate    = "escalate"
	Nothing     = "nothing"
)

// Cause is one reason why a container crash-loops.
type Cause struct {
	gate.Doc
	// Points are taken from the score of whatever is done about it: how little an action from outside can cure it.
	Points int
	// Sure is the confidence where everything was read and every failing pod agrees.
	Sure int
	// Replaceable is whether another pod of the same revision may do better than this one.
	Replaceable bool
	// Reversible is whether going back to an earlier revision is a cure, if every pod of this one fails.
	Reversible bool

	explains func(Pod) bool
	tell     func(w World, explained []Pod) string
}

// all holds every cause; the first that explains more than half of the failing pods is the one. The last explains all.
var all = []Cause{outOfMemory, applicationError, other}

// All lists every cause, for documentation.
func All() []Cause { return slices.Clone(all) }

// Of is the cause of what a World shows, with the failing pods that it explains.
func Of(w World) (Cause, []Pod) {
	failing := w.Failing()
	for _, c := range all[:len(all)-1] {
		var explained []Pod
		for _, p := range failing {
			if c.explains(p) {
				explained = append(explained, p)
			}
		}
		if 2*len(explained) > len(failing) {
			return c, explained
		}
	}
	return all[len(all)-1], failing
}

// Advisor is the advisor on one World.
func Advisor(w World) flow.Advisor {
	return flow.AdvisorFunc(func(_ context.Context, q flow.Question) gate.Assessment { return Assess(w, q.Facts.Menu) })
}

// Assess finds the cause and chooses from the menu. The score is 100 less the points of the findings. The confidence is
// the cause's own, by the share of failing pods that it explains, less what could not be read.
func Assess(w World, menu []gate.Action) gate.Assessment {
	a := gate.Assessment{Advisor: "causes", Agreement: gate.Known(100)} // the same world is always assessed in the same way
	if len(w.Failing()) == 0 {
		a.Silent = "no pod of this revision crash-loops"
		return a
	}
	cause, explained := Of(w)
	a.Cause = cause.ID
	a.Findings = append(a.Findings, gate.Finding{ID: cause.ID, Text: cause.tell(w, explained), Points: cause.Points, Evidence: []string{EvidencePods}})
	id, doubt := choose(cause, w, menu)
	if id != "" {
		a.Choice = []string{id}
	}
	if doubt.Points > 0 {
		a.Findings = append(a.Findings, doubt)
	}
	score := 100
	for _, f := range a.Findings {
		score -= f.Points
	}
	a.Score = gate.Known(max(0, score))
	sure := confidence(w, cause, len(explained))
	a.Confidence = gate.Known(sure)
	a.Open = open(cause, sure)
	return a
}

// unsettled is the confidence below which a second opinion is of use.
const unsettled = 60

// open says what the causes could not settle; empty where they are sure.
func open(c Cause, sure int) string {
	switch {
	case c.ID == other.ID:
		return "no rule knows why the container fails"
	case sure < unsettled:
		return fmt.Sprintf("the cause %s is only %d %% sure", c.ID, sure)
	}
	return ""
}

// The points that the choice itself costs. No finding costs more than its cause, so that the cause is what listings show.
const pointsChoice = 15

// What is taken from the confidence for each thing that could not be read, and where a container ended only once.
const (
	doubtUnread = 25
	doubtOnce   = 20
)

func confidence(w World, c Cause, explained int) int {
	sure := c.Sure * explained / max(1, len(w.Failing()))
	sure -= doubtUnread * len(w.Unread())
	if !slices.ContainsFunc(w.Failing(), func(p Pod) bool { return p.Restarts > 0 }) {
		sure -= doubtOnce
	}
	return max(0, sure)
}

// choose picks what promises most and disturbs least, and says what speaks against it.
func choose(c Cause, w World, menu []gate.Action) (string, gate.Finding) {
	on := func(id string) bool { return slices.ContainsFunc(menu, func(m gate.Action) bool { return m.ID == id }) }
	whole, _ := w.Whole().Get()
	switch {
	case c.Reversible && whole && on(RollBack):
		return RollBack, gate.Finding{}
	case c.Reversible && whole && on(PullRequest):
		return PullRequest, gate.Finding{}
	case c.ID != other.ID && on(Evict):
		return Evict, gate.Finding{ID: Evict, Points: pointsChoice, Evidence: []string{EvidencePods},
			Text: "a pod in its place runs the same revision and may fail in the same way"}
	case on(Escalate):
		return Escalate, gate.Finding{ID: Escalate, Points: pointsChoice, Evidence: []string{EvidencePods, EvidenceWorkload, EvidenceRevisions},
			Text: "nothing on the menu is known to cure this, so a person has to look"}
	}
	return "", gate.Finding{}
}

// crowd says how many pods fail out of how many: "5 of 5 pods of Deployment/web".
func crowd(w World, n int) string {
	of := w.Root.Kind + "/" + w.Root.Name
	if w.Root.Kind == "Pod" {
		return of
	}
	if complete, _ := w.Complete.Get(); !complete {
		return sentence("at least %s of %s", plural(n, "pod"), of)
	}
	return sentence("%d of %s of %s", n, plural(len(w.Pods), "pod"), of)
}

func restarts(pods []Pod) int32 {
	var most int32
	for _, p := range pods {
		most = max(most, p.Restarts)
	}
	return most
}
