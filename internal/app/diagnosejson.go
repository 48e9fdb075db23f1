package app

import (
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
	"moorgate.dev/remediate"
)

// What -o json prints. moorgate diagnose --help tells its shape; fields are added and never renamed or taken away.
type (
	jsonDiagnosis struct {
		Findings   int             `json:"findings"`
		Looked     int             `json:"looked"`
		Unread     []string        `json:"unread,omitempty"`
		Happenings []jsonHappening `json:"happenings"`
	}
	jsonHappening struct {
		Title      string           `json:"title"`
		Namespace  string           `json:"namespace"`
		Symptom    string           `json:"symptom"`
		Container  string           `json:"container,omitempty"`
		Revision   string           `json:"revision,omitempty"`
		Subject    gate.Ref         `json:"subject"`
		Cause      string           `json:"cause"`
		Confidence *int             `json:"confidence,omitempty"`
		Score      *int             `json:"score,omitempty"`
		Case       string           `json:"case,omitempty"`
		Over       bool             `json:"over,omitempty"`
		Failing    []string         `json:"failing"`
		Findings   []jsonWeighed    `json:"findings"`
		Evidence   []jsonEvidence   `json:"evidence"`
		Menu       []jsonConsidered `json:"menu"`
	}
	jsonWeighed struct {
		ID       string   `json:"id"`
		Text     string   `json:"text"`
		Points   int      `json:"points"`
		Evidence []string `json:"evidence,omitempty"`
	}
	jsonEvidence struct {
		ID     string `json:"id"`
		Source string `json:"source"`
		Text   string `json:"text,omitempty"`
		Unread string `json:"unread,omitempty"`
	}
	jsonConsidered struct {
		ID       string       `json:"id"`
		Verb     string       `json:"verb"`
		Reach    string       `json:"reach"`
		Text     string       `json:"text"`
		Target   gate.Ref     `json:"target"`
		Chosen   bool         `json:"chosen,omitempty"`
		Decision string       `json:"decision"`
		Answer   string       `json:"answer"` // no, held, open or allowed
		Edits    []gate.Edit  `json:"edits,omitempty"`
		Reasons  []jsonReason `json:"reasons,omitempty"`
	}
	jsonReason struct {
		Rule      string `json:"rule"`
		Guardrail string `json:"guardrail,omitempty"`
		Decision  string `json:"decision"`
		Text      string `json:"text"`
		Unknown   bool   `json:"unknown,omitempty"` // only the judge knows
	}
)

func diagnosisJSON(r remediate.Report, door *redact.Door) jsonDiagnosis {
	out := jsonDiagnosis{Findings: len(r.Findings), Looked: r.Looked, Happenings: []jsonHappening{}}
	for _, u := range r.Unread {
		out.Unread = append(out.Unread, door.Text(u))
	}
	for _, f := range r.Findings {
		out.Happenings = append(out.Happenings, happeningJSON(f, door))
	}
	return out
}

func happeningJSON(f remediate.Finding, door *redact.Door) jsonHappening {
	k := f.Key
	h := jsonHappening{Title: door.Text(f.Title), Namespace: k.Root.Namespace, Symptom: string(k.Symptom), Container: k.Container, Revision: k.Revision, Subject: k.Root,
		Cause: causeOf(f), Case: f.Case, Over: f.Over, Failing: []string{}, Findings: []jsonWeighed{}, Evidence: []jsonEvidence{}, Menu: []jsonConsidered{}}
	if n, known := f.Assessment.Confidence.Get(); known {
		h.Confidence = &n
	}
	if n, known := f.Assessment.Score.Get(); known {
		h.Score = &n
	}
	for _, p := range f.World.Failing() {
		h.Failing = append(h.Failing, p.Ref.Kind+"/"+p.Ref.Name)
	}
	for _, o := range f.World.Stuck() {
		h.Failing = append(h.Failing, o.Ref.Kind+"/"+o.Ref.Name)
	}
	for _, x := range f.Assessment.Findings {
		h.Findings = append(h.Findings, jsonWeighed{ID: x.ID, Text: door.Text(x.Text), Points: x.Points, Evidence: x.Evidence})
	}
	for _, e := range f.World.Evidence {
		h.Evidence = append(h.Evidence, jsonEvidence{ID: e.ID, Source: door.Text(e.Source), Text: door.Text(e.Text), Unread: door.Text(e.Unread)})
	}
	for _, c := range f.Verdicts {
		h.Menu = append(h.Menu, consideredJSON(c, door))
	}
	return h
}

func consideredJSON(c remediate.Considered, door *redact.Door) jsonConsidered {
	a := c.Action
	out := jsonConsidered{ID: a.ID, Verb: a.Verb, Reach: a.Reach.String(), Text: door.Text(a.Text), Target: a.Target, Chosen: c.Chosen, Decision: c.Verdict.Decision.String(), Answer: answerTo(c)}
	for _, e := range a.Edits {
		e.Old, e.New = door.Text(e.Old), door.Text(e.New)
		out.Edits = append(out.Edits, e)
	}
	for _, r := range c.Verdict.Reasons {
		out.Reasons = append(out.Reasons, jsonReason{Rule: r.Rule, Guardrail: r.Guardrail, Decision: r.Decision.String(), Text: door.Text(r.Text), Unknown: onlyJudge(r)})
	}
	return out
}
