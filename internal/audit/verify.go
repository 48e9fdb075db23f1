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
// A last line that is not whole is not held against the log: a writer may be at work. Without an anchor beyond them, the
// loss of the newest whole records cannot be seen, nor can a chain that was recomputed from some record to the end.
func Verify(dir string, anchors ...Anchor) error {
	known := map[uint64][]Anchor{}
	for _, a := range anchors {
		known[a.Position.Sequence] = append(known[a.Position.Sequence], a)
	}
	c := &cursor{dir: dir}
	defer c.close()
	var k chain
	for {
		raw, err := c.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("verify audit log %s: %w", dir, k.name(err))
		}
		e, _, err := parseLine(raw)
		if err != nil {
			return fmt.Errorf("verify audit log %s: %w", dir, k.name(c.damage(err.Error())))
		}
		if err := k.follow(c, e); err != nil {
			return fmt.Errorf("verify audit log %s: %w", dir, err)
		}
		for _, a := range known[k.seq] {
			if err := k.matches(a); err != nil {
				return fmt.Errorf("verify audit log %s: %w", dir, k.name(c.damage(err.Error())))
			}
		}
	}
	for _, a := range anchors {
		if a.Position.Sequence == 0 {
			return fmt.Errorf("verify audit log %s: an anchor names no record", dir)
		}
		if a.Position.Sequence > k.seq {
			d := c.damage(fmt.Sprintf("the log ends with record %d, but record %d of log %s is remembered elsewhere: the records after %d were cut off",
				k.seq, a.Position.Sequence, a.Position.Log, k.seq))
			d.Sequence = a.Position.Sequence
			return fmt.Errorf("verify audit log %s: %w", dir, d)
		}
	}
	return nil
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
