package audit

import (
	"cmp"
	"iter"
	"slices"
	"time"
)

// ByCase gathers the entries of one happening, oldest first, from the entries of any number of logs one after the other. An
// error among them ends the gathering and is returned with what was found before it.
func ByCase(entries iter.Seq2[Entry, error], correlation string) ([]Entry, error) {
	var found []Entry
	for e, err := range entries {
		if err != nil {
			return sorted(found), err
		}
		if e.Record.Correlation == correlation {
			found = append(found, e)
		}
	}
	return sorted(found), nil
}

// sorted puts the entries of several logs into the order of their times. Those of one log stay in the order of that log, whatever
// its clock did: none counts as older than the one before it.
func sorted(entries []Entry) []Entry {
	slices.SortStableFunc(entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Position.Log, b.Position.Log), cmp.Compare(a.Position.Sequence, b.Position.Sequence))
	})
	type timed struct {
		Entry
		at time.Time
	}
	all := make([]timed, len(entries))
	for i, e := range entries {
		all[i] = timed{e, e.Record.At}
		if i > 0 && all[i-1].Position.Log == e.Position.Log && all[i-1].at.After(all[i].at) {
			all[i].at = all[i-1].at
		}
	}
	slices.SortStableFunc(all, func(a, b timed) int { return a.at.Compare(b.at) })
	for i := range all {
		entries[i] = all[i].Entry
	}
	return entries
}
