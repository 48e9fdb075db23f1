package audit

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"moorgate.dev/internal/gate"
)

// Blobs read by digest what a record has only the name or the beginning of.
type Blobs func(digest string) ([]byte, error)

// Tuned is what ExportTuning wrote, and of how many Cases it wrote nothing, by why.
type Tuned struct {
	Examples, Cases int
	Left            map[string]int
}

// ExportTuning writes what a model may learn from, a line of JSON for each example: {"messages": [system, user, assistant]}, as
// fine-tuning of chat models takes it. The weight of the assistant's message is 1 where the answer proved right and 0 where it
// proved wrong. Only Cases count of which it is known how they ended: what was done last was verified, or people rejected the plan.
//
// Where models were asked, each of their answers that chose what was done, for the same cause, is an example, and the question is
// the one that was sent; so is each that chose what people rejected. Where none was, or what was said is gone, it is what was chosen, and the question is told
// from the evidence as it was. It takes the entries of any number of logs, merged or one after the other, keeps in memory what it may
// need of them, and writes the Cases in the order in which they first occur. Every text passes door.
func ExportTuning(w io.Writer, entries iter.Seq2[Entry, error], blobs Blobs, door func(string) string) (Tuned, error) {
	cases := map[string][]Entry{}
	var order []string
	t := Tuned{Left: map[string]int{}}
	for e, err := range entries {
		if err != nil {
			return t, err
		}
		r, teaches := teaching(e.Record)
		if !teaches {
			continue
		}
		if _, ok := cases[r.Correlation]; !ok {
			order = append(order, r.Correlation)
		}
		cases[r.Correlation] = append(cases[r.Correlation], Entry{Position: e.Position, Record: r})
	}
	enc := lineEncoder(w)
	for _, correlation := range order {
		l := lessonOf(sorted(cases[correlation]))
		examples := l.examples(blobs)
		for _, x := range examples {
			for i := range x.Messages {
				x.Messages[i].Content = door(x.Messages[i].Content)
			}
			if err := enc.Encode(x); err != nil {
				return t, fmt.Errorf("export case %s: %w", correlation, err)
			}
			t.Examples++
		}
		if len(examples) > 0 {
			t.Cases++
		} else {
			t.Left[l.why()]++
		}
	}
	return t, nil
}

// teaching is what an example may need of a record, if it needs anything.
func teaching(r gate.Record) (gate.Record, bool) {
	switch r.Kind {
	case gate.RecordIntent, gate.RecordOutcome, gate.RecordVerification, gate.RecordApproval:
	case gate.RecordVerdict:
		if r.Facts == nil || r.Signal == nil || r.Signal.Face == gate.FaceWebhook {
			return r, false
		}
		r = gate.Record{Kind: r.Kind, At: r.At, Correlation: r.Correlation, Facts: &gate.Facts{Menu: r.Facts.Menu}}
	case gate.RecordModel:
		if r.Model == nil || r.Model.Answered == "" {
			return r, false
		}
	default:
		return r, false
	}
	return r, r.Correlation != ""
}

// lesson is what is known of one Case.
type lesson struct {
	asked    []gate.Exchange
	done     gate.Record       // the intent of what was done last; an intent holds all that was judged just before acting
	result   gate.Result       // of its verification
	offered  map[string]string // ids on menus by the digests of their plans
	rejected []string          // digests of plans
}

func lessonOf(entries []Entry) lesson {
	l := lesson{offered: map[string]string{}}
	open := map[string]gate.Record{}
	for _, e := range entries {
		switch r := e.Record; r.Kind {
		case gate.RecordModel:
			l.asked = append(l.asked, *r.Model)
		case gate.RecordVerdict:
			for _, a := range r.Facts.Menu {
				l.offered[a.PlanDigest()] = a.ID
			}
		case gate.RecordApproval:
			if r.Approval != nil && r.Approval.Reject {
				l.rejected = append(l.rejected, r.Approval.Plan)
			}
		case gate.RecordIntent:
			open[r.Digest] = r
		case gate.RecordOutcome:
			if r.Outcome != nil && *r.Outcome == gate.OutcomeDone {
				l.done, l.result = open[r.Digest], gate.ResultPending
			}
			delete(open, r.Digest)
		case gate.RecordVerification:
			l.result = r.Result
		}
	}
	return l
}

// why says why a Case teaches nothing.
func (l lesson) why() string {
	switch {
	case l.done.Kind == "":
		return "nothing was done"
	case !l.result.Verified():
		return "nobody verified how the workload fared"
	}
	return "it is known how it ended, but not what any answer had to do with it"
}

// answer is what an example's assistant says, as far as it is looked into.
type answer struct {
	Cause  string   `json:"cause"`
	Choice []string `json:"choice"`
}

// examples are what a Case teaches.
func (l lesson) examples(blobs Blobs) []example {
	var all []example
	heard := false
	for _, x := range l.asked {
		question, err := blobs(x.Asked)
		if err != nil {
			continue
		}
		said, err := blobs(x.Answered)
		if err != nil {
			continue
		}
		heard = true
		var a answer
		if json.Unmarshal(said, &a) != nil {
			continue
		}
		if weight, known := l.weight(a); known {
			system, user := parted(string(question))
			all = append(all, exampleOf(system, user, string(said), weight))
		}
	}
	if heard || !answers(l.done) {
		return all
	}
	a := answer{Cause: l.done.Assessment.Cause, Choice: l.done.Assessment.Choice}
	weight, known := l.weight(a)
	said, err := json.Marshal(a)
	if !known || err != nil {
		return nil
	}
	return []example{exampleOf(tuningSystem, question(l.done, blobs), string(said), weight)}
}

// weight is what an answer proved to be worth, if that is known: what was verified counts before what people said, and an answer is
// not judged by what another one came to.
func (l lesson) weight(a answer) (int, bool) {
	if len(a.Choice) == 0 {
		return 0, false
	}
	done := answers(l.done) && l.result.Verified() && a.Cause == l.done.Assessment.Cause && a.Choice[0] == l.done.Assessment.Choice[0]
	if done && l.result == gate.ResultHealed {
		return 1, true
	}
	return 0, done || slices.ContainsFunc(l.rejected, func(plan string) bool { return l.offered[plan] == a.Choice[0] })
}

// answers reports whether what was done is what the advisor chose, and why it did is known.
func answers(r gate.Record) bool {
	if r.Assessment == nil || r.Facts == nil || r.Assessment.Cause == "" || len(r.Assessment.Choice) == 0 {
		return false
	}
	return slices.ContainsFunc(r.Facts.Menu, func(a gate.Action) bool {
		return a.ID == r.Assessment.Choice[0] && a.PlanDigest() == r.Digest
	})
}

// example is one line in the form that fine-tuning of chat models takes.
type example struct {
	Messages []message `json:"messages"`
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
	Weight  *int   `json:"weight,omitempty"` // of the assistant's: 1 is learned, 0 is context alone
}

func exampleOf(system, user, said string, weight int) example {
	return example{[]message{{Role: "system", Content: system}, {Role: "user", Content: user}, {Role: "assistant", Content: said, Weight: &weight}}}
}

// asks is how the particular part of every question begins; the part before it is ours alone, and nobody else's word.
const asks = "\n\n# Subject\n"

// parted are the two messages that a recorded question was sent as.
func parted(question string) (system, user string) {
	at := strings.Index(question, asks)
	if at < 0 {
		return tuningSystem, question
	}
	return question[:at], question[at+2:]
}
