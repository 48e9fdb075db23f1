package flow

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"moorgate.dev/internal/gate"
)

// groupsMax is how many groups of changes a Tally keeps apart. It bounds the memory that a long log takes.
const groupsMax = 20000

// Shift is a number before and after.
type Shift struct {
	Before int `json:"before"`
	After  int `json:"after"`
}

// Matrix counts decisions: what was recorded, and what it would be.
type Matrix [gate.Allow + 1][gate.Allow + 1]int

// Sum is how many decisions were counted.
func (m Matrix) Sum() int {
	n := 0
	for _, row := range m {
		for _, some := range row {
			n += some
		}
	}
	return n
}

// Tally sums up what another policy would change. The zero Tally is empty.
type Tally struct {
	Verdicts Matrix // questions that were decided
	Begun    Matrix // actions that were begun: decided again just before
	// Endings says for each Area what followed and would follow from the questions that were decided.
	Endings map[Area]map[Ending]Shift
	// Rules says for each rule how many questions it answered below Allow.
	Rules map[string]Shift
	// Loosened counts what would be done or let in and was not, Tightened what was and would not be.
	Loosened, Tightened int
	Changed             int
	Elsewise            int // decided otherwise than recorded by this version, under the very policy recorded
	Ungrouped           int // changes that belong to none of the groups kept
	From, To            time.Time

	groups map[string]*Group
}

// Group is the same change to the same workload, many times.
type Group struct {
	Replayed // the newest
	Count    int
	First    time.Time
	key      string
}

// Add counts one decision.
func (t *Tally) Add(r Replayed) {
	if t.groups == nil {
		t.groups, t.Endings, t.Rules = map[string]*Group{}, map[Area]map[Ending]Shift{}, map[string]Shift{}
	}
	if t.From.IsZero() || r.At.Before(t.From) {
		t.From = r.At
	}
	if r.At.After(t.To) {
		t.To = r.At
	}
	before, after := r.Before.Verdict, r.After.Verdict
	if r.Kind == gate.RecordIntent {
		t.Begun[before.Decision][after.Decision]++
	} else {
		t.Verdicts[before.Decision][after.Decision]++
		t.count(r)
	}
	if r.Elsewise {
		t.Elsewise++
	}
	switch {
	case r.Loosens():
		t.Loosened++
	case r.Tightens():
		t.Tightened++
	}
	if r.Changes() {
		t.Changed++
		t.group(r)
	}
}

func (t *Tally) count(r Replayed) {
	if t.Endings[r.Area] == nil {
		t.Endings[r.Area] = map[Ending]Shift{}
	}
	bump(t.Endings[r.Area], r.Before.Ending, Shift{Before: 1})
	bump(t.Endings[r.Area], r.After.Ending, Shift{After: 1})
	for _, rule := range rulesOf(r.Before.Verdict) {
		bump(t.Rules, rule, Shift{Before: 1})
	}
	for _, rule := range rulesOf(r.After.Verdict) {
		bump(t.Rules, rule, Shift{After: 1})
	}
}

func bump[K comparable](counts map[K]Shift, key K, by Shift) {
	s := counts[key]
	counts[key] = Shift{Before: s.Before + by.Before, After: s.After + by.After}
}

func rulesOf(v gate.Verdict) []string {
	var rules []string
	for _, r := range v.Reasons {
		if !slices.Contains(rules, r.Rule) {
			rules = append(rules, r.Rule)
		}
	}
	return rules
}

func (t *Tally) group(r Replayed) {
	s := r.Subject
	key := strings.Join(append(append([]string{string(r.Kind), string(r.Face), r.Happening, s.Group, s.Kind, s.Namespace, s.Name,
		string(r.Before.Ending), string(r.After.Ending), "before"}, spoken(r.Before.Verdict)...),
		append([]string{"after"}, spoken(r.After.Verdict)...)...), "\x00")
	g := t.groups[key]
	switch {
	case g != nil:
	case len(t.groups) >= groupsMax:
		t.Ungrouped++
		return
	default:
		g = &Group{First: r.At, key: key}
		t.groups[key] = g
	}
	g.Count++
	if r.At.Before(g.First) {
		g.First = r.At
	}
	if !r.At.Before(g.At) {
		g.Replayed = r
	}
}

// Groups lists the changes, weightiest first: what would newly be done by itself, what it would take an approval for, what
// would be refused, what would be let in, everything else that would end otherwise, and last where only the reasons differ.
func (t *Tally) Groups() []Group {
	all := make([]Group, 0, len(t.groups))
	for _, g := range t.groups {
		all = append(all, *g)
	}
	slices.SortFunc(all, func(a, b Group) int {
		return cmp.Or(cmp.Compare(a.weight(), b.weight()), cmp.Compare(b.Count, a.Count),
			strings.Compare(a.Subject.String(), b.Subject.String()), strings.Compare(a.key, b.key))
	})
	return all
}

// weight orders groups; the weightiest has the least.
func (g Group) weight() int {
	switch {
	case g.Loosens() && g.Area == AreaLive && g.After.Ending == Done:
		return 0
	case g.Loosens() && g.Area == AreaLive:
		return 1
	case g.Tightens() && g.Area == AreaRollout:
		return 2
	case g.Loosens():
		return 3
	case g.Tightens():
		return 4
	case g.Before.Ending != g.After.Ending:
		return 5
	case g.Before.Verdict.Decision != g.After.Verdict.Decision:
		return 6
	}
	return 7
}
