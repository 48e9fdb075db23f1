package advise

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCassette(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tapes")
	calls := 0
	next := ModelFunc(func(_ context.Context, p Prompt) (Answer, error) {
		calls++
		if strings.Contains(p.User, "down") {
			return Answer{}, &Failure{Kind: FailedReach, Text: "no route"}
		}
		if strings.Contains(p.User, "declines") {
			return Answer{}, &Failure{Kind: FailedRefusal, Text: "the model declined"}
		}
		return Answer{Text: "line one\npassword=hunter2trombone", Model: "small", Usage: Usage{In: 10, Cached: 4, Out: 3}, MicroUSD: 7}, nil
	})
	tape := func(mode CassetteMode) Cassette {
		return Cassette{Next: next, Folder: dir, Mode: mode, Redact: doorForTests(t).Text}
	}
	ask := func(c Cassette, user string) (Answer, FailureKind) {
		p := promptForTests()
		p.User, p.Case = user, "shop/"+user
		a, err := c.Ask(t.Context(), p)
		var f *Failure
		if errors.As(err, &f) {
			return a, f.Kind
		}
		return a, ""
	}
	if _, kind := ask(tape(CassetteReplay), "question with token=abcdef123456"); kind != FailedCassette || calls != 0 {
		t.Fatalf("before anything was recorded: %s after %d calls", kind, calls)
	}
	recorded, kind := ask(tape(CassetteAuto), "question with token=abcdef123456")
	if kind != "" || calls != 1 || strings.Contains(recorded.Text, "hunter2") {
		t.Fatalf("%s %q", kind, recorded.Text)
	}
	for _, mode := range []CassetteMode{CassetteAuto, CassetteReplay} {
		again, kind := ask(tape(mode), "question with token=abcdef123456")
		if kind != "" || again.Text != recorded.Text || again.Usage != recorded.Usage || again.MicroUSD != recorded.MicroUSD || calls != 1 {
			t.Errorf("%s replays %+v (%s) after %d calls", mode, again, kind, calls)
		}
	}
	if _, kind := ask(tape(CassetteReplay), "another question"); kind != FailedCassette {
		t.Errorf("another question: %s", kind)
	}
	if _, kind := ask(tape(CassetteAuto), "declines"); kind != FailedRefusal {
		t.Errorf("%s", kind)
	}
	if _, kind := ask(tape(CassetteReplay), "declines"); kind != FailedRefusal {
		t.Errorf("a refusal is replayed as %s", kind)
	}
	if _, kind := ask(tape(CassetteAuto), "down"); kind != FailedReach {
		t.Errorf("%s", kind)
	}
	if _, kind := ask(tape(CassetteReplay), "down"); kind != FailedCassette {
		t.Errorf("an accident was recorded: %s", kind)
	}
	if _, kind := ask(Cassette{Next: next, Folder: dir, Mode: CassetteAuto}, "x"); kind != FailedCassette {
		t.Errorf("without a redaction: %s", kind)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%v %v", files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil || strings.Contains(string(content), "hunter2") || strings.Contains(string(content), "abcdef123456") {
			t.Errorf("%v: a secret is on the tape:\n%s", err, content)
		}
		if err := os.WriteFile(file, append(content, '{'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, kind := ask(tape(CassetteAuto), "declines"); kind != FailedCassette {
		t.Errorf("a broken tape: %s", kind)
	}
}

func FuzzTape(f *testing.F) {
	f.Add([]byte(`{"asked":{"face":"remediate","name":"incident@1","tier":"triage","sample":1,"system":[],"user":[]},"answered":{"model":"m","text":["a"],"usage":{"In":1},"microUSD":1,"tookMS":1}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tp, err := parseTape(raw)
		if err != nil {
			return
		}
		b, err := tp.bytes()
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseTape(b)
		if err != nil || again.Asked.hash() != tp.Asked.hash() {
			t.Fatalf("%s is read again as %+v, %v", b, again, err)
		}
	})
}
