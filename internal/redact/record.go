package redact

import (
	"slices"

	"moorgate.dev/internal/gate"
)

// Record is a Record of which every text for people has passed Text. What digests are made of stays as it is: names, ids, policies,
// the old and new values of edits, which were shown to be plain before they came onto a menu. The Record itself is not changed.
func (d *Door) Record(r gate.Record) gate.Record {
	r.Text, r.URL = d.Text(r.Text), d.Text(r.URL)
	if r.Signal != nil {
		s := *r.Signal
		s.Text = d.Text(s.Text)
		r.Signal = &s
	}
	if r.Facts != nil {
		f := *r.Facts
		f.Unheard, f.Unread, f.Menu = d.Text(f.Unheard), d.texts(f.Unread), d.actions(f.Menu)
		if given, known := f.Approvals.Get(); known {
			given = slices.Clone(given)
			for i := range given {
				given[i].Reason = d.Text(given[i].Reason)
			}
			f.Approvals = gate.Known(given)
		}
		r.Facts = &f
	}
	r.Evidence = d.Evidence(r.Evidence)
	if r.Assessment != nil {
		a := d.assessment(*r.Assessment)
		r.Assessment = &a
	}
	if r.Verdict != nil {
		v := *r.Verdict
		v.Reasons = d.reasons(v.Reasons)
		r.Verdict = &v
	}
	if r.Action != nil {
		a := d.actions([]gate.Action{*r.Action})[0]
		r.Action = &a
	}
	if r.Approval != nil {
		a := *r.Approval
		a.Reason = d.Text(a.Reason)
		r.Approval = &a
	}
	if r.Model != nil {
		m := *r.Model
		m.Failed, m.Escalated, m.Degraded = d.Text(m.Failed), d.Text(m.Escalated), d.texts(m.Degraded)
		r.Model = &m
	}
	if r.Rollout != nil {
		o := *r.Rollout
		o.Said, o.Outcome, o.Decision, o.Template, o.Images = d.Text(o.Said), d.Text(o.Outcome), d.Text(o.Decision), d.Text(o.Template), d.texts(o.Images)
		r.Rollout = &o
	}
	return r
}

// Evidence is evidence of which every text has passed Text.
func (d *Door) Evidence(list []gate.Evidence) []gate.Evidence {
	list = slices.Clone(list)
	for i := range list {
		e := &list[i]
		e.Source, e.Text, e.Unread, e.Left = d.Text(e.Source), d.Text(e.Text), d.Text(e.Unread), d.Text(e.Left)
	}
	return list
}

func (d *Door) assessment(a gate.Assessment) gate.Assessment {
	a.Silent, a.Open, a.Alone, a.Escalated = d.Text(a.Silent), d.Text(a.Open), d.Text(a.Alone), d.Text(a.Escalated)
	a.Findings = slices.Clone(a.Findings)
	for i := range a.Findings {
		a.Findings[i].Text = d.Text(a.Findings[i].Text)
	}
	return a
}

func (d *Door) reasons(list []gate.Reason) []gate.Reason {
	list = slices.Clone(list)
	for i := range list {
		list[i].Text = d.Text(list[i].Text)
	}
	return list
}

func (d *Door) actions(list []gate.Action) []gate.Action {
	list = slices.Clone(list)
	for i := range list {
		list[i].Text, list[i].Undo = d.Text(list[i].Text), d.Text(list[i].Undo)
	}
	return list
}

func (d *Door) texts(list []string) []string {
	list = slices.Clone(list)
	for i := range list {
		list[i] = d.Text(list[i])
	}
	return list
}
