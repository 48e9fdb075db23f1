package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/advise"
	"moorgate.dev/internal/advise/prompts"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
	"moorgate.dev/test/injection"
)

// told is a model that keeps what it was asked and answers what it is told to.
type told struct {
	asked  []advise.Prompt
	answer func(advise.Prompt) string
}

func (m *told) Ask(_ context.Context, p advise.Prompt) (advise.Answer, error) {
	m.asked = append(m.asked, p)
	return advise.Answer{Text: m.answer(p), Usage: advise.Usage{In: 1, Out: 1}}, nil
}

// obedient answers as every text that tries to steer would have it: all is well, and quite sure.
func obedient(p advise.Prompt) string {
	o := advise.Opinion{Cause: "sound", Choice: []string{"admit"}, Score: 100, Confidence: 99, Why: "as ordered: " + injection.Canary.FindString(p.User),
		Findings: []advise.Finding{{Text: "approved", Points: -100, Evidence: []string{EvidenceTemplate}}}}
	b, err := json.Marshal(o)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func l15Door(t testing.TB) *redact.Door {
	t.Helper()
	door, err := redact.New(redact.Options{Key: bytes.Repeat([]byte("k"), redact.KeyBytes)})
	if err != nil {
		t.Fatal(err)
	}
	return door
}

// l15Policy lets a model deny, and asks one about everything.
func l15Policy() gate.Policy {
	p := rail(gate.AdmissionEnforce)
	r := &p.Rails[0]
	r.DenyAdvised, r.OnPending = true, gate.PendingRetry
	r.Asking = gate.Asking{Ask: gate.AskAlways, Expert: gate.ExpertNever, CaseTokens: 1 << 30, NamespaceTokens: 1 << 30}
	return p
}

// counselled asks the real panel about a question as the judge does, and returns what came of it with what the model was asked.
func counselled(t testing.TB, door *redact.Door, q flow.Question, checked gate.Assessment, answer func(advise.Prompt) string) (gate.Assessment, gate.Decision, advise.Prompt) {
	t.Helper()
	m := &told{answer: answer}
	terms := prompts.Terms{Claims: Claims()}
	for _, c := range Concerns() {
		terms.Causes = append(terms.Causes, prompts.Cause{ID: c.ID, Title: c.Title, Text: c.Text})
	}
	panel := &advise.Panel{Triage: advise.Bench{Model: m, Samples: 1, TokensIn: 16000, TokensOut: 1000}, Terms: map[gate.Face]prompts.Terms{gate.FaceWebhook: terms}, Door: door, Now: at(noon)}
	said := flow.AdvisorFunc(func(context.Context, flow.Question) gate.Assessment { return checked })
	j, err := flow.Judge(t.Context(), nowhere{}, q, l15Policy(), flow.Beside(panel.Beside).Of(said))
	if err != nil || len(m.asked) == 0 {
		t.Fatalf("no model was asked: %v, %s", err, j.Assessment.Alone)
	}
	return j.Assessment, j.Verdict.Decision, m.asked[0]
}

// onACase is what a rollout with a text in it leaves on the Case of a wait, as the API server hands it back.
func onACase(t testing.TB, d *appsv1.Deployment, door *redact.Door) (*v1alpha1.Case, gate.Assessment) {
	t.Helper()
	b := newBench(t, l15Policy())
	was := deployment("shop", "web")
	req := request(t, admissionv1.Update, was, d)
	change, _, err := Kinds{}.decode(&req)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := b.see(t.Context(), change)
	if err != nil {
		t.Fatal(err)
	}
	opinion := cluster.Opinion(flow.Judgement{Question: seen.question, Policy: seen.policy, Assessment: seen.assessment, Verdict: gate.Decide(seen.policy, seen.assessment, seen.question.Facts)})
	s := seen.question.Signal
	c := v1alpha1.Case{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: s.CaseName()}, Spec: v1alpha1.CaseSpec{
		Signal:  v1alpha1.CaseSignal{Face: string(s.Face), Reason: s.Reason, Key: s.Key, Text: s.Text, FirstSeen: metav1.NewTime(noon)},
		Subject: v1alpha1.Subject{Group: "apps", Version: "v1", Kind: "Deployment", Name: "web"},
		Answer:  &v1alpha1.Answer{Said: Retried, Opinion: opinion, Brief: briefed(&seen, door)}}}
	stored, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back v1alpha1.Case
	if err := json.Unmarshal(stored, &back); err != nil {
		t.Fatal(err)
	}
	return &back, seen.assessment
}

// recalledFor is the question from such a Case as the judge has it put, with the door between.
func recalledFor(c *v1alpha1.Case, door *redact.Door) flow.Question {
	q := recalled(c)
	q.Evidence = door.Evidence(q.Evidence)
	q.Asking = l15Policy().Asking()
	return q
}

var l15Opening = regexp.MustCompile(`^<<<([0-9a-f]{32}) item id="`)

// strays are the lines of a prompt in which a text stands that are not in a fence and behind its mark, and whatever else is wrong with fences.
func strays(p advise.Prompt, text string) (all []string) {
	boundary, inside := "", false
	for line := range strings.SplitSeq(p.User, "\n") {
		m := l15Opening.FindStringSubmatch(line)
		switch {
		case m != nil && (boundary == "" || m[1] == boundary):
			if inside {
				all = append(all, "a fence in a fence: "+line)
			}
			boundary, inside = m[1], true
			continue
		case line == boundary+">>>" && boundary != "":
			if !inside {
				all = append(all, "a fence is closed twice")
			}
			inside = false
			continue
		}
		if inside && !strings.HasPrefix(line, "|") || boundary != "" && strings.Contains(line, boundary) {
			all = append(all, line)
		}
		if !inside && (injection.Canary.MatchString(line) || text != "" && strings.Contains(line, text)) {
			all = append(all, "outside: "+line)
		}
	}
	if inside || boundary == "" {
		all = append(all, "a fence is not closed, or there is none")
	}
	return all
}

// l15Places are where in a rollout somebody may write.
var l15Places = map[string]struct {
	channel string // of the corpus, for what may stand there
	put     func(*corev1.PodTemplateSpec, string)
}{
	"annotation":     {"annotation", func(p *corev1.PodTemplateSpec, s string) { p.Annotations = map[string]string{"note": s} }},
	"label":          {"label", func(p *corev1.PodTemplateSpec, s string) { p.Labels = map[string]string{"app": "web", "note": s} }},
	"image":          {"image tag", func(p *corev1.PodTemplateSpec, s string) { p.Spec.Containers[0].Image = "registry.example/app:" + s }},
	"container name": {"container name", func(p *corev1.PodTemplateSpec, s string) { p.Spec.Containers[0].Name = s }},
	"variable": {"environment variable", func(p *corev1.PodTemplateSpec, s string) {
		p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "NOTE", Value: s}}
	}},
	"argument": {"annotation", func(p *corev1.PodTemplateSpec, s string) { p.Spec.Containers[0].Args = []string{"--note", s} }},
	"command":  {"annotation", func(p *corev1.PodTemplateSpec, s string) { p.Spec.Containers[0].Command = []string{"sh", "-c", s} }},
	"Secret's name": {"annotation", func(p *corev1.PodTemplateSpec, s string) {
		p.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: s}}}}
	}},
}

// l15Corpus are the texts, and by its name how each place takes one.
func l15Corpus(t testing.TB) ([]injection.Payload, map[string]injection.Channel) {
	t.Helper()
	payloads, err := injection.Payloads()
	if err != nil {
		t.Fatal(err)
	}
	channels, err := injection.Channels()
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]injection.Channel{}
	for _, c := range channels {
		by[c.Name] = c
	}
	return payloads, by
}
