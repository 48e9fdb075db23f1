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

// concern reports whether a canonical record is one to track.
func (openIntents) concern(record []byte) bool {
	return bytes.HasPrefix(record, []byte(`{"kind":"intent"`)) || bytes.HasPrefix(record, []byte(`{"kind":"outcome"`))
}

func (o openIntents) track(r gate.Record, seq uint64, line []byte) {
	key := r.Correlation + "\x00" + r.Digest
	switch r.Kind {
	case gate.RecordIntent:
		o[key] = append(o[key], openIntent{seq: seq, line: bytes.Clone(line)})
	case gate.RecordOutcome:
		if n := len(o[key]); n > 1 {
			o[key] = o[key][:n-1]
		} else {
			delete(o, key)
		}
	}
}

// Unresolved returns the intents for which no outcome has been recorded, oldest first. Right after Open these are the
// actions of which nobody knows how they ended; later, those under way are among them. An outcome closes the newest
// intent with its correlation and digest, whatever the outcome is.
func (l *Log) Unresolved() []Entry {
	l.mu.Lock()
	var all []openIntent
	for _, intents := range l.open {
		all = append(all, intents...)
	}
	l.mu.Unlock()
	slices.SortFunc(all, func(a, b openIntent) int { return cmp.Compare(a.seq, b.seq) })
	entries := make([]Entry, 0, len(all))
	for _, i := range all {
		_, e, err := parseLine(i.line)
		if err != nil { // we parsed or wrote it before; still, an intent is never left out
			e = Entry{Position: gate.Position{Log: l.ID(), Sequence: i.seq}, Record: gate.Record{Kind: gate.RecordIntent, Text: err.Error()}}
		}
		entries = append(entries, e)
	}
	return entries
}
