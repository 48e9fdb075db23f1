package audit

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Damage says that a record is not as it was written. It names the first bad line that was met.
type Damage struct {
	File     string
	Line     int    // from 1; 0: no one line
	Sequence uint64 // of the record that should stand there, as far as known; 0 if not
	Problem  string
}

func (d *Damage) Error() string {
	s := d.File
	if d.Line > 0 {
		s += fmt.Sprintf(" line %d", d.Line)
	}
	if d.Sequence > 0 {
		s += fmt.Sprintf(" (record %d)", d.Sequence)
	}
	return s + ": " + d.Problem
}

// place is where a line stands.
type place struct {
	seg  segment
	line int
}

func (p place) damage(problem string) *Damage {
	return &Damage{File: p.seg.path, Line: p.line, Problem: problem}
}

// cursor reads the lines of a log in order, in bounded memory, and beside a writer. It stands after the last whole line
// that it returned.
type cursor struct {
	dir  string
	seg  segment
	f    *os.File
	r    *bufio.Reader
	off  int64 // in the segment
	line int   // the line returned last
	done bool  // a later segment exists, so nothing will be added to this one
	buf  []byte
}

// next returns the next whole line without its "\n"; it is valid until the following call. io.EOF says that there is no
// further whole line now: there may be one later. After *Damage the cursor can go on; after another error it cannot.
func (c *cursor) next() ([]byte, error) {
	for {
		if c.f == nil {
			if ok, err := c.advance(); err != nil || !ok {
				return nil, cmp.Or(err, io.EOF)
			}
		}
		n, err := c.readLine()
		if err == nil {
			c.off += int64(n)
			c.line++
			if n > MaxLine {
				return nil, c.damage(fmt.Sprintf("the line has %d bytes, more than the %d of the longest record", n, MaxLine))
			}
			return c.buf[:n-1], nil
		}
		if !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read audit segment %s: %w", c.seg.path, err)
		}
		if err := c.endOfSegment(n); err != nil {
			return nil, err
		}
	}
}

// readLine reads up to and including the next "\n" and returns how many bytes that were. It keeps at most MaxLine of them.
func (c *cursor) readLine() (int, error) {
	c.buf = c.buf[:0]
	n := 0
	for {
		part, err := c.r.ReadSlice('\n')
		n += len(part)
		if n <= MaxLine {
			c.buf = append(c.buf, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return n, err
		}
	}
}

// endOfSegment goes on to the next segment, if there is one. The writer ends a segment before it creates the next, so a
// segment is read to its end once more after a later one has been seen. left is how many bytes stand after the last line.
func (c *cursor) endOfSegment(left int) error {
	if !c.done {
		if _, err := c.f.Seek(c.off, io.SeekStart); err != nil {
			return fmt.Errorf("read audit segment %s: %w", c.seg.path, err)
		}
		c.r.Reset(c.f)
		_, ok, err := c.later()
		if err != nil || !ok {
			return cmp.Or(err, io.EOF)
		}
		c.done = true
		return nil
	}
	if left > 0 {
		c.line++
	}
	damage := c.damage(fmt.Sprintf("the segment ends in the middle of a record, after %d bytes of it, and another segment follows", left))
	if _, err := c.advance(); err != nil {
		return err
	}
	if left > 0 {
		return damage
	}
	return nil
}

func (c *cursor) later() (segment, bool, error) {
	all, err := segments(c.dir)
	if err != nil {
		return segment{}, false, err
	}
	i := slices.IndexFunc(all, func(s segment) bool { return c.seg.path == "" || s.first > c.seg.first })
	if i < 0 {
		return segment{}, false, nil
	}
	return all[i], true, nil
}

// advance opens the segment after this one and reports whether there is one.
func (c *cursor) advance() (bool, error) {
	s, ok, err := c.later()
	if err != nil || !ok {
		return false, err
	}
	f, err := os.Open(s.path)
	if err != nil {
		return false, fmt.Errorf("open audit segment: %w", err)
	}
	c.close()
	c.seg, c.f, c.off, c.line, c.done = s, f, 0, 0, false
	if c.r == nil {
		c.r = bufio.NewReaderSize(nil, 64<<10)
	}
	c.r.Reset(f)
	return true, nil
}

// damage describes the line returned last.
func (c *cursor) damage(problem string) *Damage { return c.place().damage(problem) }

func (c *cursor) place() place { return place{seg: c.seg, line: c.line} }

func (c *cursor) close() {
	if c.f != nil {
		c.f.Close() // read only: nothing can be lost
		c.f = nil
	}
}
