package app

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
	"moorgate.dev/internal/redact/plant"
	"moorgate.dev/test/openai"
)

// TestL16PlantedSecretsLeaveByNoChannel plants ten thousand secrets in the texts that strangers write, and has them go the way that
// everything goes: into prompts, by a real Endpoint to a real socket; into records, blobs and their copy on standard output; into log
// lines; and back as what a model repeats of them into findings. Elsewhere secrets left through the pull request or comment itself.
func TestL16PlantedSecretsLeaveByNoChannel(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	var stdout, stderr bytes.Buffer
	logger := (&options{logFormat: "json"}).logger(&stderr)
	log, err := openLog(t.Context(), dir, audit.Options{Now: time.Now, Name: "judge", Mode: audit.Batch, Copy: &stdout}, logger)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	s := openai.Start(openai.Options{Answer: func(openai.Request) openai.Reply {
		return openai.Reply{Content: `{"cause":"other","findings":[],"choice":[],"score":50,"confidence":50,"unsure":false,"why":"nothing"}`}
	}})
	defer s.Close()
	m, err := newModels(&modelConfig{URL: s.Base(), Patience: durationOf(time.Minute), Timeout: durationOf(20 * time.Second), Triage: &tierConfig{Model: "small", Samples: 1, TokensIn: 20000, TokensOut: 500},
		Limits: limitConfig{TokensPerDay: 1 << 40, Concurrent: 8}}, log, log.door, (*tracing)(nil).tracer())
	if err != nil {
		t.Fatal(err)
	}
	var secrets []plant.Secret
	plant.Each(10_000, func(x plant.Secret) { secrets = append(secrets, x); texts = append(texts, x.Text) })
	const batch = 100
	for i := 0; i < len(texts); i += batch {
		some := texts[i:min(i+batch, len(texts))]
		q := flow.Question{Case: "shop/case", Signal: gate.Signal{Face: gate.FaceRemediate, Subject: gate.Ref{Kind: "Deployment", Namespace: "shop", Name: "web"}, At: time.Now(), Text: some[0]},
			Facts:    gate.Facts{At: time.Now(), Menu: []gate.Action{{ID: "escalate", Verb: "escalate", Reach: gate.ReachNothing, Text: some[1]}}, Unread: some[:2]},
			Asking:   gate.Asking{Ask: gate.AskAlways, CaseTokens: 1 << 40, NamespaceTokens: 1 << 40},
			Evidence: log.door.Evidence([]gate.Evidence{{ID: "log", Source: "log of app", At: time.Now(), Trust: gate.FromLog, Text: strings.Join(some, "\n")}, {ID: "events", Source: "events", At: time.Now(), Trust: gate.FromEvent, Text: strings.Join(some[:20], "\n")}})}
		rules := gate.Assessment{Advisor: "causes", Cause: "other", Score: gate.Known(50), Confidence: gate.Known(50), Open: "all of it", Choice: []string{"escalate"}, Findings: []gate.Finding{{ID: "x", Text: some[2]}}}
		advisor := m.beside()(flow.AdvisorFunc(func(context.Context, flow.Question) gate.Assessment { return rules }))
		policy := gate.Policy{Rails: []gate.Rail{{Name: "r", Asking: q.Asking}}}
		if _, err := flow.Judge(t.Context(), log, q, policy, advisor); err != nil {
			t.Fatal(err)
		}
		for _, text := range some {
			logger.Warn(text, "error", text)
		}
	}
	if err := log.close(); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{"standard output": stdout.String(), "log lines": stderr.String(), "prompts": "", "the audit log": ""}
	for _, r := range s.Requests() {
		out["prompts"] += r.Body
	}
	err = fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path, "blobs") {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, path))
		out["the audit log"] += string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range audit.Read(dir) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Record.Model == nil {
			continue
		}
		for _, digest := range []string{e.Record.Model.Asked, e.Record.Model.Answered} {
			if digest != "" {
				b, err := audit.Blob(dir, digest)
				if err != nil {
					t.Fatal(err)
				}
				out["blobs"] += string(b)
			}
		}
	}
	for channel, all := range out {
		if len(all) < 10_000 || redact.Masked(all) < 100 {
			t.Errorf("%s: %d bytes with %d placeholders show nothing", channel, len(all), redact.Masked(all))
		}
		grams := index(all)
		for _, x := range secrets {
			if n := len(x.Secret) / 2; n >= gram && grams[x.Secret[:gram]] && strings.Contains(all, x.Secret[:max(gram, n)]) {
				t.Errorf("%s: %s was seen: %q", channel, x.Kind, x.Secret)
			}
		}
	}
}

// gram is how long the pieces are by which a text is searched.
const gram = 6

func index(text string) map[string]bool {
	all := make(map[string]bool, len(text))
	for i := 0; i+gram <= len(text); i++ {
		all[text[i:i+gram]] = true
	}
	return all
}

func durationOf(d time.Duration) metav1.Duration { return metav1.Duration{Duration: d} }
