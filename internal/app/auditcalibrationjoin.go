package app

import (
	"maps"
	"slices"

	"moorgate.dev/internal/advise"
	"moorgate.dev/internal/gate"
)

// outcomes joins by Case what was predicted with what came of it, from records in the order of their times.
type outcomes map[string]*foretold

// foretold is one Case: what was said last, what was said of what is done, and what is known to have come of it.
type foretold struct {
	face  gate.Face
	said  *saying            // the newest verdict with a confidence
	begun map[string]*saying // intents by the plan's digest
	done  *saying            // what was done and not verified yet
	pairs []advise.Prediction
	human *advise.Prediction // what a human's word makes of it
}

// saying is one opinion with what it chose.
type saying struct {
	advise.Prediction
	plan string
}

func (o outcomes) add(r gate.Record) {
	if r.Correlation == "" {
		return
	}
	c := o[r.Correlation]
	if c == nil {
		c = &foretold{begun: map[string]*saying{}}
		o[r.Correlation] = c
	}
	if r.Signal != nil {
		c.face = r.Signal.Face
	}
	switch r.Kind {
	case gate.RecordVerdict:
		c.said = sayingOf(r)
	case gate.RecordIntent:
		c.begun[r.Digest] = sayingOf(r)
	case gate.RecordOutcome:
		if r.Outcome != nil && *r.Outcome == gate.OutcomeDone {
			c.done = c.begun[r.Digest]
		}
		delete(c.begun, r.Digest)
	case gate.RecordVerification:
		if c.done != nil && r.Result.Verified() && (r.Digest == "" || c.done.plan == "" || r.Digest == c.done.plan) {
			p := c.done.Prediction
			p.Right = r.Result == gate.ResultHealed
			c.pairs, c.done = append(c.pairs, p), nil
		}
	case gate.RecordApproval:
		c.heard(r.Approval)
	}
}

// heard is a human's word on the plan that was chosen. A rejection stands, whatever else is said.
func (c *foretold) heard(a *gate.Approval) {
	if a == nil || c.said == nil || a.Plan != c.said.plan || a.Void != "" && !a.Reject || c.human != nil && !c.human.Right {
		return
	}
	p := c.said.Prediction
	p.Right, p.Human = !a.Reject, true
	c.human = &p
}

// sayingOf is what a record predicts; nil where it says of no confidence.
func sayingOf(r gate.Record) *saying {
	if r.Assessment == nil {
		return nil
	}
	sure, known := r.Assessment.Confidence.Get()
	if !known {
		return nil
	}
	s := &saying{Prediction: advise.Prediction{Cause: r.Assessment.Cause, Advisor: r.Assessment.Advisor, Confidence: sure}, plan: r.Digest}
	if s.plan == "" && r.Facts != nil && len(r.Assessment.Choice) > 0 {
		for _, a := range r.Facts.Menu {
			if a.ID == r.Assessment.Choice[0] {
				s.plan = a.PlanDigest()
			}
		}
	}
	return s
}

// pairs are the predictions of a face of which something came; of all where it is empty. What was verified counts before what
// a human said.
func (o outcomes) pairs(face gate.Face) []advise.Prediction {
	var all []advise.Prediction
	for _, name := range slices.Sorted(maps.Keys(o)) {
		c := o[name]
		if face != "" && c.face != face {
			continue
		}
		mine := c.pairs
		if len(mine) == 0 && c.human != nil {
			mine = []advise.Prediction{*c.human}
		}
		for _, p := range mine {
			p.Face = c.face
			all = append(all, p)
		}
	}
	return all
}
