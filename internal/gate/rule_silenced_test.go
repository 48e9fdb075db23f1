package gate

import (
	"testing"
	"time"
)

func TestSilenced(t *testing.T) {
	silence := func(s Silence, choice string) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, a *Assessment, f *Facts) {
			if s.Until.IsZero() {
				s.Until = now.Add(time.Hour)
			}
			s.By, s.Why = "ana", "ticket 12"
			r.Silences, a.Choice, f.Symptom = []Silence{s}, []string{choice}, "CrashLoop"
		}
	}
	weigh(t, "silenced", []weighed{
		{"none", func(*Rail, *Assessment, *Facts) {}, Allow, ""},
		{"everything", silence(Silence{}, "act"), Hold, "silenced until 2026-11-26T13:00:00Z by ana: ticket 12"},
		{"at its end", silence(Silence{Until: now}, "act"), Allow, ""},
		{"just before its end", silence(Silence{Until: now.Add(1)}, "act"), Hold, "by ana"},
		{"this namespace", silence(Silence{Namespace: "shop"}, "act"), Hold, "by ana"},
		{"another namespace", silence(Silence{Namespace: "till"}, "act"), Allow, ""},
		{"this workload", silence(Silence{Workload: "Deployment/web"}, "act"), Hold, "by ana"},
		{"another workload", silence(Silence{Workload: "Deployment/api"}, "act"), Allow, ""},
		{"another kind of that name", silence(Silence{Workload: "StatefulSet/web"}, "act"), Allow, ""},
		{"this symptom", silence(Silence{Symptom: "CrashLoop"}, "act"), Hold, "by ana"},
		{"another symptom", silence(Silence{Symptom: "ImagePull"}, "act"), Allow, ""},
		{"all three", silence(Silence{Namespace: "shop", Workload: "Deployment/web", Symptom: "CrashLoop"}, "act"), Hold, "by ana"},
		{"one of three is another", silence(Silence{Namespace: "shop", Workload: "Deployment/web", Symptom: "ImagePull"}, "act"), Allow, ""},
		{"a pull request", silence(Silence{}, "propose"), Hold, "by ana"},
		{"telling somebody", silence(Silence{}, "none"), Hold, "by ana"},
		{"an answer at the gate", silence(Silence{}, "admit"), Allow, ""},
		{"the mark on a rollout", silence(Silence{}, "mark"), Allow, ""},
		{"a symptom where there is none", func(r *Rail, a *Assessment, f *Facts) {
			silence(Silence{Symptom: "CrashLoop"}, "propose")(r, a, f)
			f.Symptom = ""
		}, Allow, ""},
		{"the time is not known", func(r *Rail, a *Assessment, f *Facts) {
			silence(Silence{}, "none")(r, a, f)
			f.At = time.Time{}
		}, Hold, "the time is not known"},
		{"the longer of two", func(r *Rail, a *Assessment, f *Facts) {
			silence(Silence{}, "act")(r, a, f)
			r.Silences = append(r.Silences, Silence{Until: now.Add(2 * time.Hour), By: "bo", Why: "longer"}, Silence{Until: ago(1), By: "cy"})
		}, Hold, "silenced until 2026-11-26T14:00:00Z by bo: longer"},
	})
	p := Policy{Rails: []Rail{{}, {Silences: []Silence{{Until: now.Add(time.Hour), By: "ana", Why: "known"}}}}}
	if got := p.Silenced(facts()); got != "silenced until 2026-11-26T13:00:00Z by ana: known" {
		t.Errorf("got %q", got)
	}
	if got := (Policy{Rails: []Rail{{}}}).Silenced(facts()); got != "" {
		t.Errorf("got %q", got)
	}
}
