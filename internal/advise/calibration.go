package advise

import (
	"cmp"
	"math"
	"slices"

	"moorgate.dev/internal/gate"
)

// FewPredictions is how many pairs say too little to conclude anything from.
const FewPredictions = 30

const bins = 10

// Prediction is how sure an advisor was, and whether it proved right.
type Prediction struct {
	Face       gate.Face
	Cause      string
	Advisor    string
	Confidence int  // 0 to 100
	Right      bool // the workload healed; or, where nothing was done, a human agreed
	Human      bool // only a human's word says so
}

// Table is how well confidence and outcome agree. All numbers but counts are from 0 to 1.
type Table struct {
	N     int `json:"n"`
	Right int `json:"right"`
	Human int `json:"human"` // of N: a human's word alone
	// Few: there are too few to conclude from.
	Few  bool  `json:"few"`
	Bins []Bin `json:"bins"`
	// Brier is the mean squared difference of confidence and outcome: 0 is perfect, always saying a half is 0.25. It is exactly
	// Reliability - Resolution + Uncertainty, taken over each value of confidence that occurs.
	Brier       float64 `json:"brier"`
	Reliability float64 `json:"reliability"` // how far confidence is from what came of it: less is better
	Resolution  float64 `json:"resolution"`  // how well it tells cases apart: more is better
	Uncertainty float64 `json:"uncertainty"` // of the outcomes themselves
	// Error is the expected calibration error over the bins: the mean distance of confidence and share.
	Error float64 `json:"error"`
	// Curve is the share of wrong ones among those that are most confident, for each confidence that occurs, and Area the
	// area under it as steps: the mean risk over all coverages.
	Curve []Point `json:"curve"`
	Area  float64 `json:"area"`
	// Groups are the same for each face, cause and advisor. A group has none.
	Groups []Group `json:"groups,omitempty"`
}

// Bin are the predictions with a confidence from From to To, both included, in percent.
type Bin struct {
	From  int     `json:"from"`
	To    int     `json:"to"`
	N     int     `json:"n"`
	Right int     `json:"right"`
	Mean  float64 `json:"mean"`  // confidence
	Share float64 `json:"share"` // that proved right
	// Low and High are the 95 % Wilson interval of Share, in whole percent, rounded outwards. Of nothing they are 0 and 100.
	Low  int `json:"low"`
	High int `json:"high"`
}

// Point is what would come of acting only where confidence is at least Confidence.
type Point struct {
	Confidence int     `json:"confidence"`
	Coverage   float64 `json:"coverage"` // share of all
	Risk       float64 `json:"risk"`     // share of these that proved wrong
}

// Group is the table of some of the predictions.
type Group struct {
	By   string `json:"by"` // face, cause or advisor
	Name string `json:"name"`
	Table
}

// Calibration compares what was predicted with what came of it.
func Calibration(pairs []Prediction) Table {
	t := calibrate(pairs)
	for _, g := range []struct {
		by string
		of func(Prediction) string
	}{{"face", func(p Prediction) string { return string(p.Face) }}, {"cause", func(p Prediction) string { return p.Cause }},
		{"advisor", func(p Prediction) string { return p.Advisor }}} {
		parts := map[string][]Prediction{}
		for _, p := range pairs {
			parts[g.of(p)] = append(parts[g.of(p)], p)
		}
		var groups []Group
		for name, part := range parts {
			groups = append(groups, Group{By: g.by, Name: name, Table: calibrate(part)})
		}
		slices.SortFunc(groups, func(a, b Group) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name)) })
		t.Groups = append(t.Groups, groups...)
	}
	return t
}

// tally counts the predictions of one confidence.
type tally struct{ n, right int }

func calibrate(pairs []Prediction) Table {
	t := Table{N: len(pairs), Few: len(pairs) < FewPredictions, Bins: make([]Bin, bins), Curve: []Point{}}
	var each [101]tally
	for _, p := range pairs {
		c := &each[min(max(p.Confidence, 0), 100)]
		c.n++
		if p.Right {
			c.right++
			t.Right++
		}
		if p.Human {
			t.Human++
		}
	}
	t.fill(each)
	if t.N == 0 {
		return t
	}
	n := float64(t.N)
	base := float64(t.Right) / n
	t.Uncertainty = base * (1 - base)
	done, wrong := 0, 0
	for at := 100; at >= 0; at-- {
		c := each[at]
		if c.n == 0 {
			continue
		}
		weight, said, share := float64(c.n)/n, float64(at)/100, float64(c.right)/float64(c.n)
		t.Reliability += weight * (said - share) * (said - share)
		t.Resolution += weight * (share - base) * (share - base)
		t.Brier += (float64(c.right)*(1-said)*(1-said) + float64(c.n-c.right)*said*said) / n
		done, wrong = done+c.n, wrong+c.n-c.right
		p := Point{Confidence: at, Coverage: float64(done) / n, Risk: float64(wrong) / float64(done)}
		t.Curve, t.Area = append(t.Curve, p), t.Area+weight*p.Risk
	}
	return t
}

// fill makes the bins: 0 to 9, ..., 90 to 100.
func (t *Table) fill(each [101]tally) {
	for i := range t.Bins {
		b := &t.Bins[i]
		b.From, b.To = 10*i, 10*i+9
		if i == bins-1 {
			b.To = 100
		}
		sum := 0
		for at := b.From; at <= b.To; at++ {
			b.N, b.Right, sum = b.N+each[at].n, b.Right+each[at].right, sum+at*each[at].n
		}
		b.Low, b.High = gate.Sure(b.Right, b.N), AtMost(b.Right, b.N)
		if b.N > 0 {
			b.Mean, b.Share = float64(sum)/float64(b.N)/100, float64(b.Right)/float64(b.N)
			t.Error += math.Abs(b.Mean-b.Share) * float64(b.N) / float64(t.N)
		}
	}
}

// AtMost is the upper bound of the 95 % Wilson interval of well out of tried, in whole percent, rounded up: the twin of gate.Sure.
// Of nothing tried, or of numbers that make no sense, it is 100.
func AtMost(well, tried int) int {
	return 100 - gate.Sure(tried-well, tried)
}
