package audit

import (
	"errors"
	"io"
)

// run is a run of lines that are decoded together.
type run struct {
	bytes []byte
	lines []decoded
}

// decoded is a line and what it says, or why it says nothing.
type decoded struct {
	place place
	end   int // of the line, in the run's bytes
	entry Entry
	err   error
}

// ahead yields the records that can be read now, in order, as each does; but they are decoded on every processor while the next
// are read.
func (c *cursor) ahead(yield func(Entry, error) bool) {
	inOrder(c.run, (*run).decode, func(r *run) bool {
		for _, l := range r.lines {
			if !yield(l.entry, l.err) {
				return false
			}
		}
		return true
	})
}

// run reads the next lines, and reports whether there may be more.
func (c *cursor) run() (*run, bool) {
	r := &run{bytes: make([]byte, 0, chunkBytes+4<<10)}
	for len(r.bytes) < chunkBytes {
		raw, err := c.next()
		if errors.Is(err, io.EOF) {
			return r, false
		}
		r.bytes = append(r.bytes, raw...)
		r.lines = append(r.lines, decoded{place: c.place(), end: len(r.bytes), err: err})
		var d *Damage
		if err != nil && !errors.As(err, &d) {
			return r, false
		}
	}
	return r, true
}

func (r *run) decode() {
	start := 0
	for i := range r.lines {
		l := &r.lines[i]
		raw := r.bytes[start:l.end]
		start = l.end
		if l.err != nil {
			continue
		}
		env, e, err := parseLine(raw)
		if err != nil {
			d := l.place.damage(err.Error())
			d.Sequence = env.pos.Sequence
			l.err = d
			continue
		}
		l.entry = e
	}
}
