package audit

import (
	"bytes"
	"cmp"
	"slices"

	"moorgate.dev/internal/gate"
)

// openIntents holds the intents that no outcome has closed, by correlation and plan digest. An outcome closes the newest
// intent of its plan: one that an earlier crash left open stays open until somebody has looked into it.
type openIntents map[string][]openIntent

type openIntent struct {
	seq  uint64
	line []byte // as it was written, without "\n": the caller's Record may change under our hands
}

// track takes a step into account. It reports false for an outcome that closes no intent.
func (o openIntents) track(s step, seq uint64, line []byte) bool {
	key := s.Correlation + "\x00" + s.Digest
	switch s.Kind {
	case gate.RecordIntent:
		o[key] = append(o[key], openIntent{seq: seq, line: bytes.Clone(line)})
	case gate.RecordOutcome:
		n := len(o[key])
		if n > 1 {
			o[key] = o[key][:n-1]
		} else {
			delete(o, key)
		}
		return n > 0
	}
	return true
}

// entries lists what is open, oldest first.
func (o openIntents) entries(log string) []Entry {
	var all []openIntent
	for _, intents := range o {
		all = append(all, intents...)
	}
	slices.SortFunc(all, func(a, b openIntent) int { return cmp.Compare(a.seq, b.seq) })
	entries := make([]Entry, 0, len(all))
	for _, i := range all {
		_, e, err := parseLine(i.line)
		if err != nil { // we parsed or wrote it before; still, an intent is never left out
			e = Entry{Position: gate.Position{Log: log, Sequence: i.seq}, Record: gate.Record{Kind: gate.RecordIntent, Text: err.Error()}}
		}
		entries = append(entries, e)
	}
	return entries
}

// Unresolved returns the intents for which no outcome has been recorded, oldest first. Right after Open these are the
// actions of which nobody knows how they ended; later, those under way are among them. An outcome closes the newest
// intent with its correlation and digest, whatever the outcome is.
func (l *Log) Unresolved() []Entry {
	l.mu.Lock()
	open := make(openIntents, len(l.open))
	for key, intents := range l.open {
		open[key] = slices.Clone(intents) // the lines in them never change
	}
	l.mu.Unlock()
	return open.entries(l.ID())
}
