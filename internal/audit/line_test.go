package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"testing"

	"moorgate.dev/internal/gate"
)

func line(t testing.TB, r gate.Record) []byte {
	record, err := encodeRecord(new(bytes.Buffer), r)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := appendLine(nil, gate.Position{Log: "judge-1", Sequence: 12}, Hash{1, 2}, record)
	return b
}

func TestLineFormat(t *testing.T) {
	got := string(line(t, gate.Record{Kind: gate.RecordNote, At: noon(), Text: "a < b & \"c\"\n"}))
	body := `{"v":1,"seq":12,"log":"judge-1","prev":"0102000000000000000000000000000000000000000000000000000000000000","record":` +
		`{"kind":"note","at":"2026-11-23T12:00:00Z","text":"a < b & \"c\"\n"}}`
	want := body[:len(body)-1] + `,"hash":"` + Hash(sha256.Sum256([]byte(body))).String() + "\"}\n"
	if got != want {
		t.Errorf("got  %s want %s", got, want)
	}
	if !json.Valid([]byte(got)) {
		t.Error("not JSON")
	}
}

func TestParseLineRefuses(t *testing.T) {
	good := bytes.TrimSuffix(line(t, intent(1)), []byte("\n"))
	if _, _, err := parseLine(good); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new string }{
		"white space":                   {`"seq":12`, `"seq": 12`},
		"a sequence with a zero before": {`"seq":12`, `"seq":012`},
		"a sequence with a sign":        {`"seq":12`, `"seq":+12`},
		"another format version":        {`"v":1`, `"v":2`},
		"a log that needs escaping":     {`"log":"judge-1"`, `"log":"judge\u0031"`},
		"a log in capitals":             {`"log":"judge-1"`, `"log":"JUDGE-1"`},
		"a short hash":                  {`"prev":"01`, `"prev":"`},
		"a changed record":              {`CrashLoop`, `CrashLooq`},
		"a field too many":              {`"record":`, `"more":1,"record":`},
		"text after the end":            {`"}`, `"} `},
	} {
		t.Run(name, func(t *testing.T) {
			bad := bytes.Replace(good, []byte(c.old), []byte(c.new), 1)
			if bytes.Equal(bad, good) {
				t.Fatal("nothing changed")
			}
			if _, _, err := parseLine(bad); err == nil {
				t.Errorf("accepted %s", bad)
			}
		})
	}
	notRecord, _ := appendLine(nil, gate.Position{Log: "a", Sequence: 1}, Hash{}, []byte("[1]"))
	if _, _, err := parseLine(notRecord[:len(notRecord)-1]); err == nil {
		t.Error("accepted a record that is none")
	}
}

func TestHashText(t *testing.T) {
	var h Hash
	for _, bad := range []string{"", "00", "zz00000000000000000000000000000000000000000000000000000000000000"} {
		if err := h.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("accepted %q", bad)
		}
	}
	b, err := json.Marshal(Hash{9})
	if err != nil || json.Unmarshal(b, &h) != nil || h != (Hash{9}) {
		t.Errorf("%s, %v, %s", b, err, h)
	}
}

func FuzzParseLine(f *testing.F) {
	for _, r := range []gate.Record{{}, intent(1), outcome(2), verdict("x")} {
		f.Add(bytes.TrimSuffix(line(f, r), []byte("\n")))
	}
	f.Add([]byte(`{"v":1,"seq":1,"log":"a","prev":"","record":,"hash":""}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		env, e, err := parseLine(raw)
		if err != nil {
			return
		}
		again, hash := appendLine(nil, e.Position, env.prev, env.record)
		if !bytes.Equal(again, append(bytes.Clone(raw), '\n')) || hash != e.Hash {
			t.Errorf("accepted a line that is not canonical: %q", raw)
		}
		if !json.Valid(raw) {
			t.Errorf("accepted a line that is not JSON: %q", raw)
		}
		Line(e)
	})
}

// FuzzRecord takes whole records from bytes, so that their way to the disk and back is tried on shapes nobody thought of.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"kind":"verdict","text":"x","facts":{"paused":{"value":["a"]}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var r gate.Record
		if json.Unmarshal(raw, &r) != nil {
			return
		}
		record, err := encodeRecord(new(bytes.Buffer), r)
		if err != nil {
			return
		}
		b, _ := appendLine(nil, gate.Position{Log: "a", Sequence: 1}, Hash{}, record)
		_, e, err := parseLine(b[:len(b)-1])
		if err != nil {
			t.Fatalf("wrote a line that cannot be read back: %v", err)
		}
		again, err := encodeRecord(new(bytes.Buffer), e.Record)
		if err != nil || !bytes.Equal(again, record) {
			t.Errorf("wrote %s, read back %s, %v", record, again, err)
		}
	})
}
