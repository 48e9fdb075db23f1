package app

import (
	"encoding/json"
	"time"

	"moorgate.dev/drift"
	"moorgate.dev/internal/gate"
)

// What -o json prints. moorgate diff --help tells its shape; fields are added and never renamed or taken away.
type (
	jsonDiff struct {
		Differ  int          `json:"differ"`
		Orphans int          `json:"orphans"` // what a delivery left behind
		Unread  int          `json:"unread"`
		Sources []jsonSource `json:"sources"`
	}
	jsonSource struct {
		Namespace string       `json:"namespace"`
		Source    string       `json:"source,omitempty"`
		URL       string       `json:"url"`
		Commit    string       `json:"commit,omitempty"`
		Suspended bool         `json:"suspended,omitempty"`
		Ahead     string       `json:"ahead,omitempty"` // the commit that is not delivered yet
		Compared  int          `json:"compared"`
		Left      []string     `json:"left,omitempty"`
		Error     string       `json:"error,omitempty"`
		Objects   []jsonObject `json:"objects"`
	}
	jsonObject struct {
		Subject    gate.Ref      `json:"subject"`
		Place      string        `json:"place,omitempty"`
		Absent     bool          `json:"absent,omitempty"`
		Orphan     string        `json:"orphan,omitempty"` // why it is there though Git does not declare it any more
		ByOwners   bool          `json:"byOwners,omitempty"`
		Unread     []string      `json:"unread,omitempty"`
		Cause      string        `json:"cause,omitempty"`
		Confidence *int          `json:"confidence,omitempty"`
		Case       string        `json:"case,omitempty"`
		Decision   string        `json:"decision,omitempty"`
		Done       string        `json:"done,omitempty"` // what was done about it, or why nothing is
		Findings   []jsonFinding `json:"findings,omitempty"`
		Changes    []jsonChange  `json:"changes,omitempty"`
	}
	jsonFinding struct {
		ID       string   `json:"id"`
		Text     string   `json:"text"`
		Evidence []string `json:"evidence,omitempty"`
	}
	jsonChange struct {
		Path    string          `json:"path"`
		Git     json.RawMessage `json:"git,omitempty"`
		Live    json.RawMessage `json:"live,omitempty"`
		Masked  bool            `json:"masked,omitempty"`
		Missing bool            `json:"missing,omitempty"` // from the cluster
		Added   bool            `json:"added,omitempty"`   // and missing from Git
		Place   string          `json:"place"`
		Ahead   string          `json:"ahead,omitempty"`
		Owner   *jsonOwner      `json:"owner,omitempty"`
	}
	jsonOwner struct {
		Manager     string     `json:"manager"`
		Operation   string     `json:"operation"`
		Subresource string     `json:"subresource,omitempty"`
		Time        *time.Time `json:"time,omitempty"`
		Party       string     `json:"party,omitempty"`
		User        string     `json:"user,omitempty"`  // whom the API server saw change it
		Apart       bool       `json:"apart,omitempty"` // the user was seen under another manager
	}
)

func diffJSON(places []place) jsonDiff {
	n := tally(places)
	out := jsonDiff{Differ: n.differ, Orphans: n.orphans, Unread: n.unread, Sources: make([]jsonSource, len(places))}
	for i, p := range places {
		s := jsonSource{Namespace: p.namespace, Source: p.source, URL: p.url, Commit: p.report.Commit, Compared: p.report.Compared, Left: p.report.Left,
			Objects: make([]jsonObject, len(p.report.Sights))}
		if y := p.delivered; y != nil {
			s.Suspended, s.Ahead = y.Suspended, y.Head
		}
		if p.err != nil {
			s.Error = p.err.Error()
		}
		for j := range p.report.Sights {
			s.Objects[j] = objectJSON(&p.report.Sights[j])
		}
		out.Sources[i] = s
	}
	return out
}

func objectJSON(s *drift.Sight) jsonObject {
	o := jsonObject{Subject: s.Subject, Place: s.Place, Absent: s.Absent, Orphan: s.Orphan, ByOwners: s.ByOwners, Unread: s.Unread, Cause: s.Assessment.Cause}
	if n, known := s.Assessment.Confidence.Get(); known && s.Assessment.Cause != "" {
		o.Confidence = &n
	}
	if s.Case != nil {
		o.Case, o.Decision, o.Done = s.Case.Name, s.Case.Status.Decision, doneText(s)
	}
	for _, f := range s.Assessment.Findings {
		o.Findings = append(o.Findings, jsonFinding{ID: f.ID, Text: f.Text, Evidence: f.Evidence})
	}
	for _, c := range s.Changes {
		o.Changes = append(o.Changes, fieldJSON(c))
	}
	return o
}

func fieldJSON(c drift.Change) jsonChange {
	out := jsonChange{Path: c.Path.String(), Masked: c.Masked, Missing: c.Missing, Added: c.Added, Place: c.Place, Ahead: c.Ahead}
	if !c.Masked && !c.Added {
		out.Git = json.RawMessage(c.Git)
	}
	if !c.Masked && !c.Missing {
		out.Live = json.RawMessage(c.Live)
	}
	if o := c.Owner; o.Manager != "" || o.User != "" {
		out.Owner = &jsonOwner{Manager: o.Manager, Operation: o.Operation, Subresource: o.Subresource, Party: string(o.Party), User: o.User, Apart: o.Apart}
		if !o.Time.IsZero() {
			at := o.Time.UTC()
			out.Owner.Time = &at
		}
	}
	return out
}
