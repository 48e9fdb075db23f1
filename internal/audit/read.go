package audit

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"time"
)

// pollDefault is how often Follow looks for news when nobody says.
const pollDefault = time.Second

// Read yields the records of the log in dir in order, in bounded memory, also while a writer is at work: a last line that
// is not whole yet ends the reading without an error. A record that does not match its own hash is yielded as a *Damage,
// and the reading goes on with the next line; after any other error it ends. Read does not check the chain: Verify does.
func Read(dir string) iter.Seq2[Entry, error] { return ReadFrom(dir, 0) }

// ReadFrom yields what Read yields, from the record with that sequence on. Segments before it are not looked at.
func ReadFrom(dir string, from uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		c, err := cursorAt(dir, from)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		defer c.close()
		c.ahead(func(e Entry, err error) bool {
			return err == nil && e.Position.Sequence < from || yield(e, err)
		})
	}
}

// Follow yields what Read yields, from the record with sequence from on (0: from the first), and then waits for more,
// looking every poll (0: every second), until ctx is done. The end of ctx is no error.
func Follow(ctx context.Context, dir string, from uint64, poll time.Duration) iter.Seq2[Entry, error] {
	if poll <= 0 {
		poll = pollDefault
	}
	return func(yield func(Entry, error) bool) {
		c, err := cursorAt(dir, from)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		defer c.close()
		timer := time.NewTimer(poll)
		defer timer.Stop()
		for ctx.Err() == nil && c.each(from, func(e Entry, err error) bool { return yield(e, err) && ctx.Err() == nil }) {
			timer.Reset(poll)
			select {
			case <-ctx.Done():
			case <-timer.C:
			}
		}
	}
}

// Head returns the newest whole record of the log in dir; the zero Entry if there is none.
func Head(dir string) (Entry, error) {
	all, err := segments(dir)
	if err != nil {
		return Entry{}, err
	}
	for _, s := range slices.Backward(all) {
		var head Entry
		var first error
		c, err := cursorAt(dir, s.first)
		if err != nil {
			return Entry{}, err
		}
		c.each(0, func(e Entry, err error) bool {
			if first = err; err == nil {
				head = e
			}
			return err == nil
		})
		c.close()
		if first != nil || head.Position.Sequence > 0 {
			return head, first
		}
	}
	return Entry{}, nil
}

// each yields the records with at least the sequence from that can be read now. It reports whether there may be more.
func (c *cursor) each(from uint64, yield func(Entry, error) bool) bool {
	for {
		raw, err := c.next()
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			var d *Damage
			if !yield(Entry{}, err) || !errors.As(err, &d) {
				return false
			}
			continue
		}
		env, e, err := parseLine(raw)
		if err != nil {
			d := c.damage(err.Error())
			d.Sequence = env.pos.Sequence
			if !yield(Entry{}, d) {
				return false
			}
			continue
		}
		if e.Position.Sequence >= from && !yield(e, nil) {
			return false
		}
	}
}

// cursorAt returns a cursor that begins with the segment in which the record with the given sequence stands, or would.
func cursorAt(dir string, sequence uint64) (*cursor, error) {
	all, err := segments(dir)
	if err != nil {
		return nil, err
	}
	c := &cursor{dir: dir}
	for i, s := range all {
		if i > 0 && s.first <= sequence {
			c.seg = all[i-1] // advance opens the one after
		}
	}
	return c, nil
}
