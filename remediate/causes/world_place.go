package causes

import (
	"moorgate.dev/internal/cluster/fit"
)

// EvidencePlaces is the evidence of why no node takes a pod: every node with what is on it, and what the pod asks for.
const EvidencePlaces = "places"

// Witness is whether the scheduler's own word agrees with what was worked out. Its text is not kept.
type Witness string

// The witnesses. The zero Witness says that the scheduler said nothing that is understood.
const (
	Silent      Witness = ""
	Agrees      Witness = "agrees"
	Contradicts Witness = "contradicts"
)

// Place is why no node takes one pod.
type Place struct {
	fit.Answer
	Witness Witness
}

// kept makes a cause of a barrier: it explains a pod that the barrier keeps off every node, as was worked out from the nodes, unless
// the scheduler says that it is something else. Why is told as it was worked out, with the number that decides.
func kept(c Cause, by fit.Barrier) Cause {
	c.Symptoms, c.cites = []Symptom{Unschedulable}, []string{EvidencePlaces}
	c.explains = func(w World, p Pod) bool {
		place, known := w.Places[p.Ref.UID]
		return known && place.Barrier == by && place.Witness != Contradicts
	}
	c.tell = func(w World, e Explained) string {
		return sentence("no node takes %s: %s", crowd(w, e.Count()), w.Places[e.Pods[0].Ref.UID].Why)
	}
	return c
}
