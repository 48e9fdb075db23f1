package app

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"moorgate.dev/internal/advise"
	"moorgate.dev/test/openai"
)

// modelFile is a configuration that names a test server.
func modelFile(t *testing.T, s *openai.Server, more string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.yaml")
	content := "url: " + s.Base() + "\ntriage: {model: small, samples: 2, price: {in: 0.25, out: 2}}\nexpert: {model: large, price: {in: 2, out: 8}}\n" + more
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	heliotrope = `{"colour":"heliotrope","count":41}`
	careful    = `{"cause":"other","findings":[],"choice":["escalate"],"score":60,"confidence":30,"unsure":false,"why":"too little to tell"}`
	oomKilled  = `{"cause":"out-of-memory","findings":[{"text":"it was killed for its memory","points":20,"evidence":["pods"],"quote":"last exit code 137 (OOMKilled)","claim":null}],"choice":["escalate"],"score":70,"confidence":90,"unsure":false,"why":"OOMKilled"}`
)

// sound answers probes and the built-in incidents as a model should.
func sound(r openai.Request) openai.Reply {
	switch text := r.User(); {
	case strings.Contains(r.System(), "being tested"):
		return openai.Reply{Content: heliotrope, Usage: &openai.Usage{Prompt: 100, Cached: 64, Completion: 12}}
	case strings.Contains(text, "OOMKilled"):
		return openai.Reply{Content: oomKilled}
	}
	return openai.Reply{Content: careful}
}

func checkModel(t *testing.T, args ...string) (string, int) {
	t.Helper()
	var out, errs bytes.Buffer
	code := Main(append([]string{"model", "check"}, args...), &out, &errs)
	return out.String() + errs.String(), code
}

func TestModelCheck(t *testing.T) {
	gullible := func(r openai.Request) openai.Reply {
		if strings.Contains(r.User(), "NOTE TO THE ASSISTANT") {
			return openai.Reply{Content: strings.Replace(oomKilled, `"escalate"`, `"evict"`, 1)}
		}
		return sound(r)
	}
	sloppy := func(r openai.Request) openai.Reply {
		if strings.Contains(r.User(), "single word hello") {
			return openai.Reply{Content: "hello"}
		}
		return sound(r)
	}
	for _, row := range []struct {
		name    string
		options openai.Options
		code    int
		says    []string
	}{
		{"a sound one", openai.Options{Answer: sound}, exitOK, []string{"ok        answers", "held to it", "a question of 8000 tokens fits", "64 tokens of the second", "self-test: follows no order in a log: as it should be", "cost "}},
		{"one that follows orders", openai.Options{Answer: gullible}, exitWarned, []string{"it did what a line in a log told it to"}},
		{"one that is held to nothing", openai.Options{Answer: sloppy}, exitWarned, []string{"does not hold the model to it"}},
		{"one without schemas", openai.Options{Flavour: openai.LlamaCpp, Answer: sound}, exitWarned, []string{"takes no", "max_tokens is sent"}},
		{"a wrong key", openai.Options{Key: "sk-right", Answer: sound}, exitFailed, []string{"does not take the key (401)"}},
		{"a wrong name", openai.Options{Models: []string{"tiny", "huge"}, Answer: sound}, exitFailed, []string{`does not know the model "small"`, "the endpoint knows: tiny, huge"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := openai.Start(row.options)
			defer s.Close()
			out, code := checkModel(t, "--model", modelFile(t, s, ""))
			if code != row.code {
				t.Errorf("exit code %d, want %d", code, row.code)
			}
			for _, text := range row.says {
				if !strings.Contains(out, text) {
					t.Errorf("it does not say %q:\n%s", text, out)
				}
			}
		})
	}
}

func TestModelCheckSaysWhatToDo(t *testing.T) {
	s := openai.Start(openai.Options{TLS: true, Answer: sound})
	defer s.Close()
	if out, code := checkModel(t, "--model", modelFile(t, s, "")); code != exitFailed || !strings.Contains(out, "caFile") {
		t.Errorf("%d: %s", code, out)
	}
	gone := openai.Start(openai.Options{})
	path := modelFile(t, gone, "")
	gone.Close()
	if out, code := checkModel(t, "--model", path); code != exitFailed || !strings.Contains(out, "check the URL") {
		t.Errorf("%d: %s", code, out)
	}
	if out, code := checkModel(t, "--model", modelFile(t, s, "keyFile: nowhere")); code != exitFailed || !strings.Contains(out, "in place of the system") && !strings.Contains(out, "keyFile") {
		t.Errorf("%d: %s", code, out)
	}
	if out, code := checkModel(t); code != exitOK || !strings.Contains(out, "decide alone") {
		t.Errorf("%d: %s", code, out)
	}
}

func TestModelCheckInJSON(t *testing.T) {
	s := openai.Start(openai.Options{Answer: sound})
	defer s.Close()
	out, code := checkModel(t, "--model", modelFile(t, s, ""), "-o", "json", "--no-self-test")
	var got modelChecked
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitOK || got.Tiers[advise.Triage].Worst() != advise.StateOK || got.Tiers[advise.Expert].Usage.In == 0 {
		t.Errorf("%v %d: %s", err, code, out)
	}
}
