package sift

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const (
	maxLine  = 400 // bytes of a line that are shown
	headKept = 3   // lines that are kept one by one at the beginning of a log
	tailKept = 8   // and at its end
)

// row is what may be shown: a line or a stack trace, standing for count of its kind.
type row struct {
	lines []string // one, or those of a trace
	at    int      // of its first line
	last  int      // where its kind was last seen
	count int
	bad   int
	pin   bool // the first or the last of the log
	edge  bool // near the beginning or the end
}

func (r row) trace() bool { return len(r.lines) > 1 }

// Lines reduces a log to at most budget tokens. Lines of one kind are told once, by the first of them, with how many there are:
// "×412 GET /healthz 200". The first and the last line are always among them, then what speaks of errors, stack traces, what is
// near the end, and what is rare; all of it in the order of the log. Nothing is shown that does not stand in the log but those
// counts, an ellipsis where a long line was cut, and how many frames of a trace are missing. Left says in words what is not shown.
func Lines(text string, budget int) (kept, left string) { return reduceLog(text, budget, 0) }

// reduceLog is Lines where each line shown gets a mark of so many tokens.
func reduceLog(text string, budget, mark int) (kept, left string) {
	lines := linesOf(text)
	if len(lines) == 0 {
		return "", ""
	}
	rows, homeless := rowsOf(lines)
	shown, hidden := fit(rows, budget, mark)
	var b strings.Builder
	for i, s := range shown {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(s.text)
	}
	return b.String(), leftOut(len(lines), len(shown), hidden, homeless)
}

func leftOut(all, shown int, hidden []row, homeless int) string {
	lost := homeless
	for _, r := range hidden {
		lost += r.count * len(r.lines)
	}
	switch {
	case lost > 0:
		return fmt.Sprintf("%d of %d lines left out, of %d kinds", lost, all, len(hidden)+min(homeless, 1))
	case shown < all:
		return fmt.Sprintf("%d lines told as %d", all, shown)
	}
	return ""
}

// linesOf are the lines of a text, cleaned, none of them empty.
func linesOf(text string) []string {
	lines := make([]string, 0, strings.Count(text, "\n")+1)
	for line := range strings.SplitSeq(text, "\n") {
		for _, l := range unfold(Clean(line)) {
			if l != "" {
				lines = append(lines, l)
			}
		}
	}
	return lines
}

// rowsOf groups lines; homeless is how many belong to no kind because there were too many kinds.
func rowsOf(lines []string) (rows []row, homeless int) {
	g := grouping{miner: newMiner(), kinds: map[int]int{}, traces: map[uint64]int{}}
	for i := 0; i < len(lines); {
		end := max(traceEnd(lines, i), i+1)
		edge := i < headKept || end > len(lines)-tailKept
		r := row{lines: lines[i:end], at: i, last: i, count: 1, edge: edge, pin: i == 0 || end == len(lines)}
		if r.trace() {
			r.bad = failed
		} else {
			r.bad = badness(lines[i])
		}
		g.add(r)
		i = end
	}
	return g.rows, g.homeless
}

type grouping struct {
	miner    *miner
	rows     []row
	kinds    map[int]int // template to row
	traces   map[uint64]int
	homeless int
}

func (g *grouping) add(r row) {
	switch {
	case r.trace():
		joinRow(g, r, g.traces, traceKey(r.lines))
	case r.edge:
		g.rows = append(g.rows, r)
	default:
		id := g.miner.of(r.lines[0], r.bad)
		if id < 0 {
			g.homeless++
			return
		}
		joinRow(g, r, g.kinds, id)
	}
}

func joinRow[K comparable](g *grouping, r row, known map[K]int, key K) {
	i, seen := known[key]
	if !seen {
		known[key] = len(g.rows)
		g.rows = append(g.rows, r)
		return
	}
	g.rows[i].count++
	g.rows[i].last = r.at
	g.rows[i].pin = g.rows[i].pin || r.pin
}

// traceKey is the same for traces that differ in numbers only, and in how often a time stands before them.
func traceKey(lines []string) uint64 {
	h := uint64(len(lines))
	for _, l := range lines {
		h = h*1099511628211 + hash(strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return '0'
			}
			return r
		}, bare(l)))
	}
	return h
}

// order puts rows in the order in which they are worth their tokens. What failed is taken from both ends: the last of it is what
// happened, the first of it is often why.
func order(rows []row) []int {
	var classes [6][]int
	for i, r := range rows {
		switch {
		case r.pin:
			classes[0] = append(classes[0], i)
		case r.bad == failed:
			classes[1] = append(classes[1], i)
		case r.edge:
			classes[2] = append(classes[2], i)
		case r.bad == warned:
			classes[3] = append(classes[3], i)
		case r.count <= 2:
			classes[4] = append(classes[4], i)
		default:
			classes[5] = append(classes[5], i)
		}
	}
	byLast := func(a, b int) int { return cmp.Or(cmp.Compare(rows[b].last, rows[a].last), cmp.Compare(b, a)) }
	for _, c := range classes[:5] {
		slices.SortFunc(c, byLast)
	}
	classes[1] = bothEnds(classes[1])
	slices.SortFunc(classes[5], func(a, b int) int { return cmp.Or(cmp.Compare(rows[a].count, rows[b].count), byLast(a, b)) })
	return slices.Concat(classes[:]...)
}

func bothEnds(sorted []int) []int {
	out := make([]int, 0, len(sorted))
	for i, j := 0, len(sorted)-1; i <= j; i, j = i+1, j-1 {
		out = append(out, sorted[i])
		if i < j {
			out = append(out, sorted[j])
		}
	}
	return out
}
