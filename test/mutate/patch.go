package main

import (
	"bytes"
	"cmp"
	"slices"
)

// patch changes a text at many places, by position as go/token counts them.
type patch struct {
	changes []change
}

type change struct {
	at, seq int
	remove  int // bytes
	text    string
}

// wrap puts text before and after a part. What is wrapped first is outside.
func (p *patch) wrap(from, to int, before, after string) {
	seq := len(p.changes) + 1
	p.changes = append(p.changes, change{at: from, seq: seq, text: before}, change{at: to, seq: -seq, text: after})
}

func (p *patch) insert(at int, text string) { p.replace(at, 0, text) }

func (p *patch) replace(at, n int, text string) {
	p.changes = append(p.changes, change{at: at, seq: len(p.changes) + 1, remove: n, text: text})
}

// apply returns the text with all changes. At one place the ends of parts come first, the innermost first of all, and then the
// beginnings, the outermost first.
func (p *patch) apply(text []byte, base int) []byte {
	slices.SortStableFunc(p.changes, func(a, b change) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.seq, b.seq)) })
	var out bytes.Buffer
	done := 0
	for _, c := range p.changes {
		out.Write(text[done : c.at-base])
		out.WriteString(c.text)
		done = c.at - base + c.remove
	}
	out.Write(text[done:])
	return out.Bytes()
}
