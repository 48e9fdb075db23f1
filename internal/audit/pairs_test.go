package audit

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"moorgate.dev/internal/gate"
)

func TestVerifyPairsIntentsAndOutcomes(t *testing.T) {
	elsewhere := outcome(2)
	for name, c := range map[string]struct {
		records []gate.Record
		open    []uint64
		alone   uint64
	}{
		"an intent with its outcome":                         {[]gate.Record{intent(1), outcome(1)}, nil, 0},
		"an intent without one is a finding":                 {[]gate.Record{intent(1), intent(2), outcome(1)}, []uint64{2}, 0},
		"two tries and one outcome":                          {[]gate.Record{intent(1), intent(1), outcome(1)}, []uint64{1}, 0},
		"an outcome without an intent is named":              {[]gate.Record{verdict("v"), outcome(1), intent(2)}, []uint64{3}, 2},
		"an outcome before its intent":                       {[]gate.Record{outcome(1), intent(1)}, []uint64{2}, 1},
		"a second outcome of one intent":                     {[]gate.Record{intent(1), outcome(1), outcome(1)}, nil, 3},
		"an outcome of another Case's intent closes nothing": {[]gate.Record{intent(1), elsewhere}, []uint64{1}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir := logDir(t)
			l := mustOpen(t, dir, Options{SegmentBytes: 1})
			mustAppend(t, l, c.records...)
			mustClose(t, l)
			report, err := Verify(dir)
			var open []uint64
			for _, e := range report.Open {
				open = append(open, e.Position.Sequence)
			}
			if !slices.Equal(open, c.open) {
				t.Errorf("open: %v, want %v", open, c.open)
			}
			if c.alone > 0 {
				wantError(t, err, fmt.Sprintf("(record %d)", c.alone), "has no intent")
				return
			}
			if err != nil || strings.Count(findings(report), "without an outcome") != len(c.open) {
				t.Errorf("%v, %s", err, findings(report))
			}
		})
	}
}

// A process that finds out what became of another's intent says so in its own log.
func TestAnOutcomeMayNameAnIntentInAnotherLog(t *testing.T) {
	dir := written(t, 1)
	record, err := encodeRecord(new(bytes.Buffer), outcome(1))
	if err != nil {
		t.Fatal(err)
	}
	first := mustRead(t, dir)[0]
	for name, c := range map[string]struct {
		log string
		bad bool
	}{"of another log": {"act-b", false}, "of this log": {first.Position.Log, false}, "of another log, and one too many without": {"act-b", true}} {
		t.Run(name, func(t *testing.T) {
			dir := copyOf(t, dir)
			os.Remove(filepath.Join(dir, treeName))
			named := append(bytes.TrimSuffix(bytes.Clone(record), []byte("}")), fmt.Sprintf(`,"intent":{"log":%q,"sequence":1}}`, c.log)...)
			line, hash := appendLine(nil, gate.Position{Log: first.Position.Log, Sequence: 2}, first.Hash, named)
			if c.bad {
				for n := range uint64(2) {
					line, hash = appendLine(line, gate.Position{Log: first.Position.Log, Sequence: 3 + n}, hash, record)
				}
			}
			ll := lines(t, segmentAt(dir, 1).path)
			rewrite(t, segmentAt(dir, 1).path, append(ll, []byte("\n"), line)...)
			report, err := Verify(dir)
			l, openErr := Open(dir, Options{Now: noon})
			if openErr != nil {
				t.Fatal(openErr)
			}
			defer l.Close()
			open := 0
			if c.log == "act-b" && !c.bad {
				open = 1
			}
			if len(report.Open) != open || len(l.Unresolved()) != open || (err != nil) != c.bad {
				t.Errorf("%d open, %d unresolved, %v", len(report.Open), len(l.Unresolved()), err)
			}
		})
	}
}

// What comes first in the log is named first, but a record that was changed weighs more than one that misses its intent.
func TestDamageIsNamedBeforeAnOutcomeWithoutAnIntent(t *testing.T) {
	dir := logDir(t)
	l := mustOpen(t, dir, Options{})
	mustAppend(t, l, outcome(1), intent(2), intent(3))
	mustClose(t, l)
	flip(t, segmentAt(dir, 1).path, 2)
	wantError(t, verifyError(dir), "(record 3)", "does not match its own hash")
}
