package app

import (
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"moorgate.dev/internal/audit"
)

// entries are the records of one or several logs, wherever they are read from, in the order of their times. A *audit.Damage
// stands for a record that cannot be trusted, and the reading goes on; after any other error it ends.
type entries = iter.Seq2[audit.Entry, error]

// named says in every error which log it is about.
func named(log string, of entries) entries {
	return func(yield func(audit.Entry, error) bool) {
		for e, err := range of {
			if err != nil {
				err = fmt.Errorf("read the audit log in %s: %w", log, err)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// head is the next record of a log that is being merged.
type head struct {
	entry audit.Entry
	err   error
	more  bool
	next  func() (audit.Entry, error, bool)
}

func (h *head) advance() { h.entry, h.err, h.more = h.next() }

// merge joins logs by time; of records with the same time those of the earlier log come first. The same log twice is an error:
// everything in it would count twice.
func merge(logs []entries) entries {
	if len(logs) == 1 {
		return logs[0]
	}
	return func(yield func(audit.Entry, error) bool) {
		heads := make([]*head, len(logs))
		for i, log := range logs {
			next, stop := iter.Pull2(log)
			defer stop()
			heads[i] = &head{next: next}
			heads[i].advance()
		}
		owners := map[string]*head{}
		for h := earliest(heads); h != nil; h = earliest(heads) {
			e, err := h.entry, h.err
			if owner, met := owners[e.Position.Log]; err == nil && met && owner != h {
				yield(audit.Entry{}, fmt.Errorf("two of the folders hold log %s: name each log once", e.Position.Log))
				return
			}
			if err == nil {
				owners[e.Position.Log] = h
			}
			if !yield(e, err) || final(err) {
				return
			}
			h.advance()
		}
	}
}

// earliest is the head with the earliest record; an error comes before every record. nil when all are read.
func earliest(heads []*head) *head {
	var first *head
	for _, h := range heads {
		switch {
		case !h.more:
		case h.err != nil:
			return h
		case first == nil || h.entry.Record.At.Before(first.entry.Record.At):
			first = h
		}
	}
	return first
}

// final reports whether nothing follows an error.
func final(err error) bool {
	var d *audit.Damage
	return err != nil && !errors.As(err, &d)
}

// parseSince reads how far back to look: a duration such as 36h or 7d, a date, or a time as of RFC 3339. Empty is the
// beginning of time.
func parseSince(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.AddDate(0, 0, -int(n)), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("--since %q is neither a duration (36h, 7d) nor a date (2026-11-20) nor a time (2026-11-20T08:00:00Z)", s)
}
