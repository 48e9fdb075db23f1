package policies

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"pgregory.net/rapid"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

const tier = "moorgate.dev/tier"

// presets are the shipped Guardrails and the tier that each is for.
var presets = []struct {
	name, tier string
	content    []byte
}{{"observe", "", Observe}, {"staging", "staging", Staging}, {"production", "production", Production}}

// Whatever a namespace is labelled, exactly one preset applies to it, so that they can all be applied together.
func TestPresetsShareNoNamespace(t *testing.T) {
	var all []unstructured.Unstructured
	for _, p := range presets {
		parsed, err := Parse(p.name+".yaml", p.content)
		if err != nil || len(parsed) != 1 || parsed[0].GetName() != p.name {
			t.Fatalf("%s: %d Guardrails, %v", p.name, len(parsed), err)
		}
		all = append(all, parsed...)
	}
	applies := func(t interface{ Errorf(string, ...any) }, namespace labels.Set, want string) {
		rails := cluster.Compose(all, namespace, thursday).Rails
		if len(rails) != 1 || rails[0].Name != want || rails[0].Unreadable != "" {
			t.Errorf("under %v: %+v, want %s", namespace, rails, want)
		}
	}
	for _, p := range presets {
		applies(t, labels.Set{tier: p.tier, "team": "a"}, p.name)
	}
	applies(t, nil, "observe")
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?|[Ss]taging|[Pp]roduction`).Draw(t, "tier")
		want := "observe"
		if value == "staging" || value == "production" {
			want = value
		}
		applies(t, labels.Set{tier: value}, want)
	})
}

// thresholds are the five numbers, with a scene in which a rail is met exactly.
var thresholds = []struct {
	name  string
	scene func(r gate.Rail) scene
}{
	{"warnBelow", func(r gate.Rail) scene { return asked("admit").but(score(known(r.WarnBelow))) }},
	{"denyBelow", func(r gate.Rail) scene { return asked("admit").but(score(known(r.DenyBelow))) }},
	{"confidenceBelow", func(r gate.Rail) scene {
		return asked("admit").but(func(a *gate.Assessment, _ *gate.Facts) { a.Confidence = r.ConfidenceBelow })
	}},
	{"agreementBelow", func(r gate.Rail) scene {
		return asked("pull-request").but(func(a *gate.Assessment, _ *gate.Facts) { a.Agreement = r.AgreementBelow })
	}},
	{"historyBelow", func(gate.Rail) scene { return asked("evict") }}, // 60 of 60 is 93
}

// idle are the thresholds that decide nothing in a preset, because its mode holds already whatever they ask about. They still
// say their reason, and decide as soon as the mode lets them.
var idle = map[string]string{
	"observe agreementBelow":  "mode Observe opens no pull requests",
	"observe historyBelow":    "mode Observe does nothing live, and evict is not among its actions",
	"production historyBelow": "mode Approve asks a person about every live action, and who was asked has looked",
}

// A threshold elsewhere had no effect under the default policy.
func TestL07ThresholdsAreLiveInEveryPreset(t *testing.T) {
	for _, p := range presets {
		for _, threshold := range thresholds {
			t.Run(p.name+" "+threshold.name, func(t *testing.T) {
				set := labels.Set{tier: p.tier}
				policy, _ := decidedIn(t, p.content, set, asked("admit"))
				s := threshold.scene(policy.Rails[0])
				most := 100
				if threshold.name == "denyBelow" {
					most = known(policy.Rails[0].WarnBelow)
				}
				line := lineOf(t, string(p.content), threshold.name)
				raised := strings.NewReplacer(line, fmt.Sprintf("    %s: %d\n", threshold.name, most))
				_, was := decidedIn(t, p.content, set, s)
				_, is := decidedIn(t, []byte(raised.Replace(string(p.content))), set, s)
				_, rests := idle[p.name+" "+threshold.name]
				if rests == (was.Decision != is.Decision) {
					t.Errorf("at the number %v, above it %v; idle: %t", was.Decision, is.Decision, rests)
				}
				if !rests {
					return
				}
				if len(is.Reasons) <= len(was.Reasons) {
					t.Errorf("it does not even say so: %+v", is.Reasons)
				}
				let := strings.NewReplacer("\n  mode: Observe", "\n  mode: Automatic", "\n  mode: Approve", "\n  mode: Automatic", "approvers: 1", "approvers: 0",
					"  actions:\n  - verb: pull-request", "  actions:\n  - verb: evict\n    irreversible: Allow\n  - verb: pull-request", "irreversible: Ask", "irreversible: Allow")
				_, was = decidedIn(t, []byte(let.Replace(string(p.content))), set, s)
				_, is = decidedIn(t, []byte(let.Replace(raised.Replace(string(p.content)))), set, s)
				if was.Decision != gate.Allow || is.Decision != gate.Hold {
					t.Errorf("in mode Automatic: %+v and above it %+v", was, is)
				}
			})
		}
	}
}

func lineOf(t *testing.T, content, field string) string {
	t.Helper()
	for line := range strings.Lines(content) {
		if strings.HasPrefix(strings.TrimSpace(line), field+":") {
			return line
		}
	}
	t.Fatalf("the preset does not say %s", field)
	return ""
}

func known(f gate.Fact[int]) int {
	n, _ := f.Get()
	return n
}

// Under observe, as under no Guardrail at all, nothing is ever written: whatever the scores, whoever approved.
func TestObserveWritesNothing(t *testing.T) {
	for _, content := range [][]byte{Observe, nil} {
		rapid.Check(t, func(rt *rapid.T) {
			percent := rapid.IntRange(0, 100)
			s := asked(rapid.SampledFrom([]string{"annotate", "pull-request", "evict", "roll-back"}).Draw(rt, "choice")).but(func(a *gate.Assessment, f *gate.Facts) {
				a.Score, a.Confidence, a.Agreement = gate.Known(percent.Draw(rt, "score")), gate.Known(percent.Draw(rt, "confidence")), gate.Known(percent.Draw(rt, "agreement"))
				f.Since = gate.Known(f.At.Add(-time.Duration(rapid.IntRange(0, 100).Draw(rt, "minutes")) * time.Minute))
			})
			if rapid.Bool().Draw(rt, "approved") {
				s = s.but(approvedBy("ana", "bo"))
			}
			_, v := decided(t, content, s)
			if _, permitted := v.Permit(); permitted || v.Decision == gate.Allow {
				rt.Fatalf("%s: %+v", s.a.Choice, v)
			}
		})
	}
}

// Under staging and production nothing is done but what the preset lists, and in production nothing live without a person.
func TestWhatPresetsNeverLetHappen(t *testing.T) {
	unlisted := asked("evict").but(approvedBy("ana", "bo")).but(func(_ *gate.Assessment, f *gate.Facts) {
		for i := range f.Menu {
			f.Menu[i].Verb = "restart"
		}
	})
	for in, content := range map[string][]byte{"staging": Staging, "production": Production} {
		if _, v := decidedIn(t, content, labels.Set{tier: in}, unlisted); v.Decision == gate.Allow {
			t.Errorf("what %s does not list is let happen: %+v", in, v)
		}
	}
	for _, content := range [][]byte{Production} {
		for _, verb := range []string{"evict", "roll-back"} {
			_, v := decidedIn(t, content, labels.Set{tier: "production"}, asked(verb))
			if v.Decision == gate.Allow || !slices.ContainsFunc(v.Reasons, func(r gate.Reason) bool { return r.Rule == "approval" }) {
				t.Errorf("%s that nobody approved: %+v", verb, v)
			}
		}
	}
}

// What a namespace's policy costs: four Guardrails, one of which has a freeze window.
func BenchmarkCompose(b *testing.B) {
	var all []unstructured.Unstructured
	for _, p := range presets {
		parsed, err := Parse(p.name+".yaml", p.content)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, parsed...)
	}
	frozen, err := Parse("frozen.yaml", []byte(rail("{name: frozen}", frozen("nights", "0 22 * * 1-5", "8h", "Europe/Berlin"))))
	if err != nil {
		b.Fatal(err)
	}
	all = append(all, frozen...)
	b.ReportAllocs()
	for b.Loop() {
		if p := cluster.Compose(all, labels.Set{tier: "production"}, thursday); len(p.Rails) != 2 {
			b.Fatal(p)
		}
	}
}
