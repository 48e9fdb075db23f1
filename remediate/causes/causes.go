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

// Cause is one reason for a symptom, or for several. It explains pods, or objects of another kind, or all at once.
type Cause struct {
	gate.Doc
	// Symptoms are what it may be the reason for.
	Symptoms []Symptom
	// Points are taken from the score of whatever is done about it: how little an action from outside can cure it.
	Points int
	// Sure is the confidence where everything was read and every failing pod agrees.
	Sure int
	// Replaceable is whether another pod of the same revision may do better than this one.
	Replaceable bool
	// Reversible is whether going back to an earlier revision is a cure, if every pod of this one fails.
	Reversible bool

	// explains is whether it explains one pod that shows the symptom.
	explains func(World, Pod) bool
	// explainsObject is whether it explains one object of another kind that shows the symptom.
	explainsObject func(World, Object) bool
	// tell says it in one sentence, with the number or the name that decided it.
	tell func(World, Explained) string
	// shares is what else fares badly for the same reason, where workloads of their own may; nil where none do.
	shares func(World, Explained) Share
	// cites is the evidence that it rests on besides the state of what shows the symptom.
	cites []string
}

// Explained is what shows a symptom and is explained by a cause: pods, or objects of another kind.
type Explained struct {
	Pods    []Pod
	Objects []Object
}

// Count is how many there are.
func (e Explained) Count() int { return len(e.Pods) + len(e.Objects) }

// All lists every cause, for documentation. Of several that explain a symptom the first is the one; the last explains all.
func All() []Cause { return slices.Concat(slices.Concat(groups...), []Cause{other}) }

// groups are the causes but the last, by what they are about.
var groups = [][]Cause{imageCauses, startCauses, containerCauses, initCauses, placeCauses, beginCauses, wardCauses, objectCauses}

// Of is the cause of what a World shows, with what it explains: more than half of what shows the symptom.
func Of(w World) (Cause, Explained) {
	failing := Explained{Pods: w.Failing(), Objects: w.Stuck()}
	for _, group := range groups {
		for _, c := range group {
			if e := c.explained(w, failing); 2*e.Count() > failing.Count() {
				return c, e
			}
		}
	}
	return other, failing
}

func (c Cause) explained(w World, failing Explained) (e Explained) {
	if !slices.Contains(c.Symptoms, w.Symptom) {
		return e
	}
	for _, p := range failing.Pods {
		if c.explains != nil && c.explains(w, p) {
			e.Pods = append(e.Pods, p)
		}
	}
	for _, o := range failing.Objects {
		if c.explainsObject != nil && c.explainsObject(w, o) {
			e.Objects = append(e.Objects, o)
		}
	}
	return e
}

// Advisor is the advisor on one World.
func Advisor(w World) flow.Advisor {
	return flow.AdvisorFunc(func(_ context.Context, q flow.Question) gate.Assessment { return Assess(w, q.Facts.Menu) })
}

// Assess finds the cause and chooses from the menu. The score is 100 less the points of the findings. The confidence is
// the cause's own, by the share of failing pods that it explains, less what could not be read.
func Assess(w World, menu []gate.Action) gate.Assessment {
	a := gate.Assessment{Advisor: "causes", Agreement: gate.Known(100)} // the same world is always assessed in the same way
	if !w.Shows() {
		a.Silent = "nothing of it " + w.Symptom.Says()
		return a
	}
	cause, explained := Of(w)
	a.Cause = cause.ID
	a.Findings = append(a.Findings, gate.Finding{ID: cause.ID, Text: cause.tell(w, explained), Points: cause.Points, Evidence: w.cited(cause)})
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
	sure := confidence(w, cause, explained.Count())
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
		return "no rule knows why it fails"
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
	sure := c.Sure * explained / max(1, len(w.Failing())+len(w.Stuck()))
	sure -= doubtUnread * len(w.Unread())
	if w.Symptom == CrashLoop && !slices.ContainsFunc(w.Failing(), func(p Pod) bool { return p.Restarts > 0 }) {
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
		return Evict, gate.Finding{ID: Evict, Points: pointsChoice, Evidence: w.seen(),
			Text: "a pod in its place runs the same revision and may fail in the same way"}
	case on(Escalate):
		return Escalate, gate.Finding{ID: Escalate, Points: pointsChoice, Evidence: append(w.seen(), w.has(EvidenceWorkload, EvidenceRevisions)...),
			Text: "nothing on the menu is known to cure this, so a person has to look"}
	}
	return "", gate.Finding{}
}

// seen is the evidence of what shows the symptom.
func (w World) seen() []string {
	if w.Symptom.OfPod() {
		return []string{EvidencePods}
	}
	return []string{EvidenceObjects}
}

// has are those of some evidence that there is.
func (w World) has(ids ...string) []string {
	return slices.DeleteFunc(ids, func(id string) bool {
		return !slices.ContainsFunc(w.Evidence, func(e gate.Evidence) bool { return e.ID == id })
	})
}

// cited is what a cause rests on.
func (w World) cited(c Cause) []string { return append(w.seen(), w.has(slices.Clone(c.cites)...)...) }

// crowd says how many pods fail out of how many: "5 of 5 pods of Deployment/web"; of another kind, what shows the symptom.
func crowd(w World, n int) string {
	of := w.Root.Kind + "/" + w.Root.Name
	if w.Root.Kind == "Pod" || !w.Symptom.OfPod() {
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
