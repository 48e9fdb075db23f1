package audit

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"moorgate.dev/internal/gate"
)

// damages are ways to tamper with a log of 20 intents in several segments.
var damages = map[string]struct {
	inflict func(t *testing.T, dir string, segs []string)
	want    string
	unseen  bool // a plain chain cannot see it
}{
	"a byte flipped in the middle of the log": {want: "does not match its own hash", inflict: func(t *testing.T, dir string, segs []string) {
		flip(t, segs[1], 0)
	}},
	"a byte flipped in the last record": {want: "does not match its own hash", inflict: func(t *testing.T, dir string, segs []string) {
		last := segs[len(segs)-1]
		flip(t, last, len(lines(t, last))-1)
	}},
	"a record changed and its own hash mended": {want: "one of the two was changed", inflict: func(t *testing.T, dir string, segs []string) {
		forge(t, segs[0], 1)
	}},
	"a line dropped": {want: "1 missing or out of order", inflict: func(t *testing.T, dir string, segs []string) {
		ll := lines(t, segs[0])
		rewrite(t, segs[0], slices.Delete(ll, 1, 2)...)
	}},
	"the last line of a segment dropped": {want: "1 missing or", inflict: func(t *testing.T, dir string, segs []string) {
		ll := lines(t, segs[0])
		rewrite(t, segs[0], ll[:len(ll)-1]...)
	}},
	"two lines exchanged": {want: "out of order", inflict: func(t *testing.T, dir string, segs []string) {
		ll := lines(t, segs[0])
		ll[1], ll[2] = ll[2], ll[1]
		rewrite(t, segs[0], ll...)
	}},
	"a line that stands twice": {want: "stands twice", inflict: func(t *testing.T, dir string, segs []string) {
		ll := lines(t, segs[0])
		rewrite(t, segs[0], slices.Insert(ll, 1, ll[0])...)
	}},
	"a segment taken out": {want: "missing or out of order", inflict: func(t *testing.T, dir string, segs []string) { os.Remove(segs[1]) }},
	"the first segment taken out": {want: "the log begins with record", inflict: func(t *testing.T, dir string, segs []string) {
		os.Remove(segs[0])
	}},
	"a segment cut in the middle of a line": {want: "in the middle of a record", inflict: func(t *testing.T, dir string, segs []string) {
		at, _ := os.Stat(segs[0])
		os.Truncate(segs[0], at.Size()-10)
	}},
	"a line of rubbish": {want: "no record in a format", inflict: func(t *testing.T, dir string, segs []string) {
		ll := lines(t, segs[0])
		rewrite(t, segs[0], slices.Insert(ll, 1, []byte("hello\n"))...)
	}},
	"a line that is much too long": {want: "more than the", inflict: func(t *testing.T, dir string, segs []string) {
		ll := lines(t, segs[0])
		rewrite(t, segs[0], slices.Insert(ll, 1, append(bytes.Repeat([]byte("x"), 2*MaxLine), '\n'))...)
	}},
	"the newest records cut off": {unseen: true, inflict: func(t *testing.T, dir string, segs []string) {
		os.Remove(segs[len(segs)-1])
		os.Remove(filepath.Join(dir, markName))
		os.Remove(filepath.Join(dir, checkpointName))
	}},
}

func flip(t *testing.T, file string, line int) {
	ll := lines(t, file)
	i := bytes.Index(ll[line], []byte("CrashLoop"))
	ll[line][i] ^= 1
	rewrite(t, file, ll...)
}

// forge changes a record and computes its hash anew, as somebody who knows the format would.
func forge(t *testing.T, file string, line int) {
	ll := lines(t, file)
	e, err := splitLine(bytes.TrimSuffix(ll[line], []byte("\n")))
	if err != nil {
		t.Fatal(err)
	}
	ll[line], _ = appendLine(nil, e.pos, e.prev, bytes.Replace(e.record, []byte("CrashLoop"), []byte("Nothing"), 1))
	rewrite(t, file, ll...)
}

func TestVerifyNamesTheFirstBadRecord(t *testing.T) {
	for name, d := range damages {
		t.Run(name, func(t *testing.T) {
			dir := written(t, 20)
			head, err := Head(dir)
			if err != nil || head.Position.Sequence != 20 {
				t.Fatal(head, err)
			}
			anchor := Anchor{Position: head.Position, Hash: head.Hash}
			if _, err := Verify(dir, anchor); err != nil {
				t.Fatal(err)
			}
			d.inflict(t, dir, files(t, dir, ".jsonl"))
			_, err = Verify(dir)
			if d.unseen {
				if err != nil {
					t.Fatalf("a plain chain saw it: %v", err)
				}
				wantError(t, verifyError(dir, anchor), "were cut off", "record 20")
				return
			}
			wantError(t, err, d.want, ".jsonl line ", "record ")
			var damage *Damage
			if !errors.As(err, &damage) || damage.Sequence == 0 {
				t.Errorf("no Damage with a sequence: %#v", err)
			}
		})
	}
}

func TestVerifyAnchors(t *testing.T) {
	dir := written(t, 20)
	all := mustRead(t, dir)
	at := all[4].Position
	for name, c := range map[string]struct {
		anchor Anchor
		want   string
	}{
		"the record as remembered":           {Anchor{Position: at, Hash: all[4].Hash}, ""},
		"a position without a hash":          {Anchor{Position: at, Hash: Hash{}}, ""},
		"another hash means a rewritten log": {Anchor{Position: at, Hash: all[5].Hash}, "rewritten"},
		"another log":                        {Anchor{Position: gate.Position{Log: "other", Sequence: 5}, Hash: Hash{}}, "other"},
		"a record beyond the end":            {Anchor{Position: gate.Position{Log: at.Log, Sequence: 21}, Hash: Hash{}}, "cut off"},
		"an anchor that names no record":     {Anchor{}, "names no record"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Verify(dir, c.anchor)
			if c.want == "" && err != nil {
				t.Error(err)
			}
			if c.want != "" {
				wantError(t, err, c.want)
			}
		})
	}
}

func TestVerifyCannotSayWithoutALog(t *testing.T) {
	var damage *Damage
	if _, err := Verify(logDir(t)); err == nil || errors.As(err, &damage) {
		t.Errorf("a directory that is not there: %v", err)
	}
}

func TestReadGoesOnAfterADamagedRecord(t *testing.T) {
	dir := written(t, 20)
	flip(t, files(t, dir, ".jsonl")[1], 0)
	good, bad := 0, 0
	for _, err := range Read(dir) {
		if err != nil {
			bad++
			wantError(t, err, "does not match its own hash")
			continue
		}
		good++
	}
	if good != 19 || bad != 1 {
		t.Errorf("%d good, %d bad", good, bad)
	}
}
