package sift

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// piece is a row as it is shown.
type piece struct {
	at   int
	text string
}

// framesTried are how many lines of a trace are shown, as many as there is room for.
var framesTried = []int{40, 24, 12, 6, 3}

// fit takes rows as long as they fit. A row that is pinned is cut until it does; a trace takes at most half of what is left, so that
// one deep trace does not hide all others.
func fit(rows []row, budget, mark int) (shown []piece, hidden []row) {
	pinned := 0
	for _, r := range rows {
		if r.pin {
			pinned++
		}
	}
	room := budget + 1 // there is no line break before the first
	for _, i := range order(rows) {
		r := rows[i]
		most := room - 1
		if r.pin {
			most /= max(1, pinned)
			pinned--
		} else if r.trace() {
			most /= 2
		}
		text := r.tell(most, mark)
		if text == "" {
			hidden = append(hidden, r)
			continue
		}
		shown = append(shown, piece{r.at, text})
		room -= marked(text, mark) + 1
	}
	slices.SortFunc(shown, func(a, b piece) int { return cmp.Compare(a.at, b.at) })
	return shown, hidden
}

// marked is what a text costs with a mark of so many tokens before each of its lines.
func marked(text string, mark int) int { return Tokens(text) + mark*(strings.Count(text, "\n")+1) }

// tell is the row in at most budget tokens, marks included; empty where it does not fit.
func (r row) tell(budget, mark int) string {
	if budget <= 0 {
		return ""
	}
	prefix := ""
	if r.count > 1 {
		prefix = fmt.Sprintf("×%d ", r.count)
	}
	if !r.trace() {
		text := prefix + shorten(r.lines[0])
		if marked(text, mark) > budget {
			if !r.pin {
				return ""
			}
			return Cut(text, budget-mark)
		}
		return text
	}
	for _, n := range framesTried {
		if text := prefix + middleOut(r.lines, n); marked(text, mark) <= budget {
			return text
		}
	}
	if !r.pin {
		return ""
	}
	return Cut(prefix+shorten(r.lines[0]), budget-mark)
}

// maxCauses is how many lines of a trace that name a cause are kept from where it is cut.
const maxCauses = 3

// isCause is whether a line names what a trace came from.
func isCause(line string) bool {
	return strings.HasPrefix(strings.TrimLeft(bare(line), " \t"), "Caused by: ")
}

// middleOut shows at most n lines of a trace, and a few that name a cause: two thirds from its beginning, and its end.
func middleOut(lines []string, n int) string {
	if len(lines) <= n+1 {
		return joined(lines)
	}
	head := (2*n + 2) / 3
	tail := n - head
	parts := []string{joined(lines[:head])}
	gap := lines[head : len(lines)-tail]
	left := len(gap)
	for _, l := range gap {
		if isCause(l) && len(parts) <= maxCauses {
			parts = append(parts, shorten(l))
			left--
		}
	}
	parts = append(parts, fmt.Sprintf("%s %d lines of this trace left out", ellipsis, left), joined(lines[len(lines)-tail:]))
	return strings.Join(parts, "\n")
}

func joined(lines []string) string {
	short := make([]string, len(lines))
	for i, l := range lines {
		short[i] = shorten(l)
	}
	return strings.Join(short, "\n")
}

// shorten cuts the middle out of a line that is too long.
func shorten(line string) string {
	const limit = maxLine
	if len(line) <= limit {
		return line
	}
	head, tail := limit*3/4, len(line)-limit/4
	for head > 0 && line[head]&0xc0 == 0x80 {
		head--
	}
	for tail < len(line) && line[tail]&0xc0 == 0x80 {
		tail++
	}
	return line[:head] + ellipsis + line[tail:]
}
