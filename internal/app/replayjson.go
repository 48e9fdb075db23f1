package app

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// replayJSON is a replay as -o json prints it: one object, with every change that was kept.
type replayJSON struct {
	Records    int                                      `json:"records"`   // read
	Decisions  int                                      `json:"decisions"` // among them, in the time asked for
	From       time.Time                                `json:"from,omitzero"`
	To         time.Time                                `json:"to,omitzero"`
	Verdicts   map[string]map[string]int                `json:"verdicts,omitempty"` // before, after
	Begun      map[string]map[string]int                `json:"begun,omitempty"`
	Endings    map[flow.Area]map[flow.Ending]flow.Shift `json:"endings,omitempty"`
	Rules      map[string]flow.Shift                    `json:"rules,omitempty"`
	Loosened   int                                      `json:"loosened"`
	Tightened  int                                      `json:"tightened"`
	Changed    int                                      `json:"changed"`
	Changes    []changeJSON                             `json:"changes,omitempty"`
	Same       int                                      `json:"same"`       // without --policy
	Reworded   int                                      `json:"reworded"`   // of the same
	Mismatched int                                      `json:"mismatched"` // without --policy
	Elsewise   int                                      `json:"elsewise"`   // by this version, under the very policy recorded
	Shortened  some                                     `json:"shortened"`
	Undecided  map[string]some                          `json:"undecided,omitempty"` // by why
	Damaged    int                                      `json:"damaged"`
	Damage     string                                   `json:"damage,omitempty"` // the first
	Partial    string                                   `json:"partial,omitempty"`
}

// changeJSON is a change that was met Count times, or one decision that comes out otherwise than recorded.
type changeJSON struct {
	Kind      gate.RecordKind `json:"kind"`
	Face      gate.Face       `json:"face"`
	Happening string          `json:"happening"`
	Subject   gate.Ref        `json:"subject"`
	Area      flow.Area       `json:"area"`
	Before    answerJSON      `json:"before"`
	After     answerJSON      `json:"after"`
	Count     int             `json:"count"`
	First     time.Time       `json:"first"`
	Last      time.Time       `json:"last"`
	Case      string          `json:"case"` // of the newest
	Position  gate.Position   `json:"position,omitzero"`
}

type answerJSON struct {
	Ending  flow.Ending  `json:"ending"`
	Verdict gate.Verdict `json:"verdict"`
}

func (r *replayer) printJSON(w io.Writer) error {
	t := &r.tally
	out := replayJSON{Records: r.read, Decisions: r.decisions, From: t.From, To: t.To, Verdicts: matrixJSON(t.Verdicts), Begun: matrixJSON(t.Begun),
		Endings: t.Endings, Rules: t.Rules, Loosened: t.Loosened, Tightened: t.Tightened, Changed: t.Changed, Same: r.same, Reworded: r.reworded,
		Mismatched: r.mismatched, Elsewise: t.Elsewise, Shortened: r.shortened, Undecided: r.undecided, Damaged: r.damaged}
	if r.damage != nil {
		out.Damage = r.damage.Error()
	}
	if r.partial != nil {
		out.Partial = "interrupted"
	}
	for _, g := range t.Groups() {
		out.Changes = append(out.Changes, asJSON(g.Replayed, g.Count, g.First))
	}
	for _, m := range r.mismatches {
		c := asJSON(m.Replayed, 1, m.At)
		c.Position = m.position
		out.Changes = append(out.Changes, c)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(out); err != nil {
		return fmt.Errorf("print the replay: %w", err)
	}
	return nil
}

func asJSON(r flow.Replayed, n int, first time.Time) changeJSON {
	return changeJSON{Kind: r.Kind, Face: r.Face, Happening: r.Happening, Subject: r.Subject, Area: r.Area, Count: n, First: first, Last: r.At,
		Case: r.Case, Before: answer(r.Before), After: answer(r.After)}
}

func answer(a flow.Answer) answerJSON { return answerJSON{Ending: a.Ending, Verdict: a.Verdict} }

func matrixJSON(m flow.Matrix) map[string]map[string]int {
	if m.Sum() == 0 {
		return nil
	}
	out := map[string]map[string]int{}
	for was, row := range m {
		for is, n := range row {
			if out[decisionNow[gate.Decision(was)]] == nil {
				out[decisionNow[gate.Decision(was)]] = map[string]int{}
			}
			out[decisionNow[gate.Decision(was)]][decisionNow[gate.Decision(is)]] = n
		}
	}
	return out
}
