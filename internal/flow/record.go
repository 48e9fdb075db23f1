package flow

import (
	"fmt"
	"slices"

	"moorgate.dev/internal/gate"
)

// The bounds of what one record holds. A manifest that makes a thousand findings must not be able to make a verdict too large
// to be written down: what is not written down is not refused. In all a record stays well under a mebibyte.
const (
	recordItems = 64   // of each list
	recordText  = 2048 // bytes of each text
)

// record is what is written down of a judgement, shortened where it is too long; Text then says by how much.
func (j Judgement) record() gate.Record {
	s, f, a, p := j.Question.Signal, j.Question.Facts, j.Assessment, j.Policy
	var cut shortening
	s.Text, s.Key = cut.text(s.Text), cut.text(s.Key)
	f.Menu, f.Unread = items(&cut, f.Menu), items(&cut, f.Unread)
	f.Ledger, f.Approvals = newest(&cut, f.Ledger), approvals(&cut, f.Approvals)
	for i := range f.Menu {
		f.Menu[i].Text, f.Menu[i].Edits = cut.text(f.Menu[i].Text), items(&cut, f.Menu[i].Edits)
	}
	for i := range f.Unread {
		f.Unread[i] = cut.text(f.Unread[i])
	}
	evidence := items(&cut, j.Question.Evidence)
	for i := range evidence {
		evidence[i].Source, evidence[i].Text, evidence[i].Unread = cut.text(evidence[i].Source), cut.text(evidence[i].Text), cut.text(evidence[i].Unread)
	}
	if len(a.Findings) > recordItems { // else in the order in which they were weighed, so that they can be weighed again
		a.Findings = gate.Weightiest(a.Findings)
	}
	a.Findings = items(&cut, a.Findings)
	for i := range a.Findings {
		a.Findings[i].Text, a.Findings[i].Evidence = cut.text(a.Findings[i].Text), items(&cut, a.Findings[i].Evidence)
	}
	v := j.Verdict
	v.Reasons = items(&cut, v.Reasons)
	for i := range v.Reasons {
		v.Reasons[i].Text = cut.text(v.Reasons[i].Text)
	}
	return gate.Record{Kind: gate.RecordVerdict, Correlation: j.Question.Case, Signal: &s, Facts: &f, Evidence: evidence, Policy: &p,
		PolicyDigest: p.Digest(), Assessment: &a, Verdict: &v, Text: cut.String()}
}

// shortening counts what was left out of a record.
type shortening struct{ items, texts int }

func (c *shortening) text(s string) string {
	if len(s) <= recordText {
		return s
	}
	c.texts++
	return gate.OneLine(s, recordText)
}

func (c *shortening) String() string {
	if *c == (shortening{}) {
		return ""
	}
	return fmt.Sprintf("shortened: %d items left out, %d texts cut", c.items, c.texts)
}

// items copies a list, so that the judgement itself stays whole, up to its bound.
func items[T any](c *shortening, list []T) []T {
	if len(list) > recordItems {
		c.items += len(list) - recordItems
		list = list[:recordItems]
	}
	return slices.Clone(list)
}

// newest keeps the newest entries of a ledger, and says in it that there were more: what cannot be counted is not few.
func newest(c *shortening, f gate.Fact[gate.Ledger]) gate.Fact[gate.Ledger] {
	l, known := f.Get()
	if !known {
		return f
	}
	if n := len(l.Entries) - recordItems; n > 0 {
		c.items += n
		l.Entries, l.Cut = l.Entries[n:], true
	}
	return gate.Known(l)
}

func approvals(c *shortening, f gate.Fact[[]gate.Approval]) gate.Fact[[]gate.Approval] {
	given, known := f.Get()
	if !known {
		return f
	}
	return gate.Known(items(c, given))
}
