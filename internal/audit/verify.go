package audit

import (
	"errors"
	"fmt"
	"io"

	"moorgate.dev/internal/gate"
)

// Anchor is a record that somebody outside the log remembers: a Case, a person, another log. An Anchor with a zero Hash
// asks only that the record is there.
type Anchor struct {
	Position gate.Position `json:"position"`
	Hash     Hash          `json:"hash"`
}

// Verify reads the whole log in dir and checks that every record matches its own hash and follows the one before, from
// record 1 on, and that every anchor is there as remembered. The error is a *Damage where a record is bad or an anchor is
// missed, and names the first; any other error means that the log could not be read, so nothing can be said.
//
// The log's own file "synced" counts as one more anchor, which shows an accident but stops nobody who can write the files.
//
// A last line that is not whole is not held against the log: a writer may be at work. Without an anchor beyond them, the
// loss of the newest whole records cannot be seen, nor can a chain that was recomputed from some record to the end. What
// Open moved aside is no longer in the chain: the note about it is.
func Verify(dir string, anchors ...Anchor) error {
	synced, err := readMark(dir) // before the records: a writer may be at work
	if err != nil {
		return fmt.Errorf("verify audit log %s: %w", dir, err)
	}
	anchors = append(synced.anchor(), anchors...)
	c := &cursor{dir: dir}
	defer c.close()
	if err := verify(c, append(synced.anchor(), anchors...)); err != nil {
		return fmt.Errorf("verify audit log %s: %w", dir, err)
	}
	return nil
}

func verify(c *cursor, anchors []Anchor) error {
	known := map[uint64][]Anchor{}
	for _, a := range anchors {
		if a.Position.Sequence == 0 {
			return errors.New("an anchor names no record")
		}
		known[a.Position.Sequence] = append(known[a.Position.Sequence], a)
	}
	var k chain
	for {
		raw, err := c.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = k.check(c, raw)
		}
		if err != nil {
			return k.excuse(c, k.name(err))
		}
		for _, a := range known[k.seq] {
			if err := k.matches(a); err != nil {
				return k.name(c.damage(err.Error()))
			}
		}
	}
	for _, a := range anchors {
		if a.Position.Sequence > k.seq {
			d := c.damage(fmt.Sprintf("the log ends with record %d, but record %d of log %s is remembered elsewhere: the records after %d were cut off",
				k.seq, a.Position.Sequence, a.Position.Log, k.seq))
			d.Sequence = a.Position.Sequence
			return d
		}
	}
	return nil
}

// check reads a line whole and takes it into the chain.
func (k *chain) check(c *cursor, raw []byte) error {
	e, _, err := parseLine(raw)
	if err != nil {
		return c.damage(err.Error())
	}
	return k.follow(c, e)
}

// excuse adds to damage at the end of a log that Open would mend it, and why.
func (k *chain) excuse(c *cursor, err error) error {
	var d *Damage
	if !errors.As(err, &d) || d.File != c.seg.path {
		return err
	}
	if _, more, lerr := c.later(); lerr != nil || more {
		return err // the damage is what to tell, and it is not at the end
	}
	if m, merr := readMark(c.dir); merr == nil && m.excuses(*k) {
		d.Problem += fmt.Sprintf("; nothing after record %d was known to be on stable storage, so this may be what a power cut left: opening the log for writing moves it aside and says so", m.Sequence)
	}
	return err
}

// matches compares the record that the chain stands at with one remembered elsewhere.
func (k *chain) matches(a Anchor) error {
	if a.Position.Log != k.log {
		return fmt.Errorf("record %d of log %s is remembered elsewhere, and this is log %s", a.Position.Sequence, a.Position.Log, k.log)
	}
	if a.Hash != (Hash{}) && a.Hash != k.head {
		return fmt.Errorf("the record has hash %s and is remembered elsewhere with %s: the log was rewritten", k.head, a.Hash)
	}
	return nil
}

// name fills in which record a damaged line should have held.
func (k *chain) name(err error) error {
	var d *Damage
	if errors.As(err, &d) && d.Sequence == 0 {
		d.Sequence = k.seq + 1
	}
	return err
}
