package audit

import (
	"errors"
	"io"

	"golang.org/x/mod/sumdb/tlog"
)

// chunkBytes is how much of a log is checked at a time.
const chunkBytes = 256 << 10

// checked is a line whose own hash holds.
type checked struct {
	envelope
	place place
	raw   []byte // without "\n"
	leaf  tlog.Hash
	step  step
	blobs []string
}

// chunk is a run of lines that one goroutine checks, until one of them is bad.
type chunk struct {
	bytes []byte
	lines []checked
	err   error // of what comes after the lines
}

// eachChecked gives take every line of the log in dir, in order, once its own hash has been checked. The hashing is spread
// over the processors: it is most of the work. It ends with the first error.
func eachChecked(dir string, take func(checked) error) error {
	cur := &cursor{dir: dir}
	defer cur.close()
	next := func() (*chunk, bool) {
		c := &chunk{bytes: make([]byte, 0, chunkBytes+16<<10), lines: make([]checked, 0, 256)}
		return c, c.read(cur) == nil
	}
	var first error
	inOrder(next, (*chunk).check, func(c *chunk) bool {
		for _, l := range c.lines {
			if first = take(l); first != nil {
				return false
			}
		}
		first = c.err
		return first == nil
	})
	return first
}

// read fills the chunk. It returns an error if nothing comes after it.
func (c *chunk) read(cur *cursor) error {
	for len(c.bytes) < chunkBytes {
		raw, err := cur.next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				c.err = err
			}
			return err
		}
		from := len(c.bytes)
		c.bytes = append(c.bytes, raw...)
		c.lines = append(c.lines, checked{place: cur.place(), raw: c.bytes[from:len(c.bytes):len(c.bytes)]})
	}
	return nil
}

// check looks at each line by itself.
func (c *chunk) check() {
	for i := range c.lines {
		if err := c.lines[i].check(); err != nil {
			c.lines, c.err = c.lines[:i], c.lines[i].place.damage(err.Error())
			return
		}
	}
}

func (l *checked) check() error {
	var err error
	if l.envelope, err = splitLine(l.raw); err != nil {
		return err
	}
	if err := l.envelope.check(l.raw); err != nil {
		return err
	}
	l.leaf = l.hash.leaf()
	if l.step, err = peek(l.record); err != nil {
		return err
	}
	l.blobs = l.step.blobs(l.record, nil)
	return nil
}
