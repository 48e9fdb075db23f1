package advise

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"moorgate.dev/internal/advise/prompts"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func doorForTests(t testing.TB) *redact.Door {
	t.Helper()
	d, err := redact.New(redact.Options{Key: bytes.Repeat([]byte{7}, redact.KeyBytes)})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var incidentTerms = map[gate.Face]prompts.Terms{gate.FaceRemediate: {Claims: []string{"oom-killed", "exit-code"},
	Causes: []prompts.Cause{{ID: "out-of-memory", Title: "Memory"}, {ID: "application-error", Title: "An error"}, {ID: "other", Title: "Something else"}}}}

// incident is a question about a container that fails for a reason that no rule knows.
func incident() flow.Question {
	web := gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web", UID: "1"}
	pod := gate.Ref{Version: "v1", Kind: "Pod", Namespace: "shop", Name: "web-1", UID: "2"}
	return flow.Question{Signal: gate.Signal{Face: gate.FaceRemediate, Reason: "CrashLoop", Subject: web, Key: "k", Text: "container app crash-loops", At: noon}, Case: "shop/case", Shape: "shape",
		Facts: gate.Facts{At: noon, Subject: web, Menu: []gate.Action{{ID: "evict", Verb: "evict", Reach: gate.ReachLive, Target: pod, Workload: web, Text: "evict pod web-1"},
			{ID: "escalate", Verb: "escalate", Reach: gate.ReachNothing, Target: web, Text: "tell people"}, {ID: "nothing", Verb: "nothing", Reach: gate.ReachNothing, Target: web, Text: "leave it"}}},
		Evidence: []gate.Evidence{{ID: "pods", Source: "pods of Deployment/web", At: noon, Trust: gate.FromAPI, Text: "web-1 is crash-looping after 5 restarts, last exit code 1 (Error)"},
			{ID: "log", Source: "log of container app", At: noon, Trust: gate.FromLog, Text: "starting\ndial tcp 10.0.0.7:5432: connect: connection refused\nexiting"}},
		Claims: map[flow.Claim]gate.Fact[bool]{{Kind: "oom-killed", Object: "container/app"}: gate.Known(false), {Kind: "exit-code", Object: "container/app=1"}: gate.Known(true),
			{Kind: "exit-code", Object: "container/app=2"}: gate.Unknown[bool]("nobody looked")},
		Asking: gate.Asking{Ask: gate.AskUnsettled, Expert: gate.ExpertUnsure, CaseTokens: 1e6, NamespaceTokens: 1e6}}
}

// rules is what the causes say of it.
func rules() gate.Assessment {
	return gate.Assessment{Advisor: "causes", Cause: gate.CauseOther, Score: gate.Known(55), Confidence: gate.Known(50), Agreement: gate.Known(100), Choice: []string{"escalate"},
		Findings: []gate.Finding{{ID: "other", Text: "it crash-loops", Points: 45, Evidence: []string{"pods"}}}, Open: "no rule knows why"}
}

func says(a gate.Assessment) flow.Advisor {
	return flow.AdvisorFunc(func(context.Context, flow.Question) gate.Assessment { return a })
}

// grounded is an opinion that stands on what is shown.
func wellGrounded() Opinion {
	return Opinion{Cause: "application-error", Choice: []string{"evict"}, Score: 80, Confidence: 90, Why: "its database refuses it",
		Findings: []Finding{{Text: "the database refuses connections", Points: 10, Evidence: []string{"log"}, Quote: "connect: connection refused"},
			{Text: "it ends with exit code 1", Points: 5, Evidence: []string{"pods"}, Claim: &flow.Claim{Kind: "exit-code", Object: "container/app=1"}}}}
}

func answering(o Opinion) Model {
	return ModelFunc(func(context.Context, Prompt) (Answer, error) {
		if o.Findings == nil {
			o.Findings = []Finding{}
		}
		if o.Choice == nil {
			o.Choice = []string{}
		}
		for i := range o.Findings {
			if o.Findings[i].Evidence == nil {
				o.Findings[i].Evidence = []string{}
			}
		}
		b, _ := json.Marshal(o)
		return Answer{Text: string(b), Model: "small", Usage: Usage{In: 10, Out: 10}}, nil
	})
}

func failing(kind FailureKind) Model {
	return ModelFunc(func(context.Context, Prompt) (Answer, error) {
		return Answer{}, &Failure{Kind: kind, Text: "for the test"}
	})
}

func counting(m Model, n *atomic.Int64) Model {
	return ModelFunc(func(ctx context.Context, p Prompt) (Answer, error) {
		n.Add(1)
		return m.Ask(ctx, p)
	})
}

func panelForTests(t testing.TB, triage, expert Model) *Panel {
	t.Helper()
	p := &Panel{Terms: incidentTerms, Door: doorForTests(t), Now: func() time.Time { return noon }, Triage: Bench{Model: triage, Samples: 3, TokensIn: 8000, TokensOut: 1000}}
	if expert != nil {
		p.Expert = Bench{Model: expert, Samples: 1, TokensIn: 8000, TokensOut: 1000}
	}
	return p
}

func TestAModelMayChooseWhereNoRuleKnows(t *testing.T) {
	a := panelForTests(t, answering(wellGrounded()), nil).Beside(says(rules())).Advise(t.Context(), incident())
	if a.Alone != "" || first(a.Choice) != "evict" || a.Cause != gate.CauseOther || a.Score != gate.Known(55) || a.Confidence != gate.Known(50) || a.Agreement != gate.Known(100) || a.Ungrounded != 0 {
		t.Errorf("%+v", a)
	}
	if len(a.Findings) != 3 || a.Findings[1].Nature != gate.Advised || !strings.HasPrefix(a.Findings[1].Text, "the model: ") {
		t.Errorf("%+v", a.Findings)
	}
}

func TestGrounding(t *testing.T) {
	shown := prompts.Rendered{Shown: map[string]string{"log": "a line\n  connect:   connection refused\nend", "pods": "web-1 is crash-looping"}}
	claim := func(kind, object string) *flow.Claim { return &flow.Claim{Kind: kind, Object: object} }
	for _, row := range []struct {
		name         string
		f            Finding
		stands       bool
		contradicted bool
	}{
		{"words that stand there", Finding{Evidence: []string{"log"}, Quote: "connect: connection refused"}, true, false},
		{"words that stand elsewhere", Finding{Evidence: []string{"pods"}, Quote: "connect: connection refused"}, false, false},
		{"words that stand in one of two", Finding{Evidence: []string{"pods", "log"}, Quote: "connection refused"}, true, false},
		{"words that stand nowhere", Finding{Evidence: []string{"log"}, Quote: "connection accepted"}, false, false},
		{"words in another case", Finding{Evidence: []string{"log"}, Quote: "Connection Refused"}, false, false},
		{"too few words", Finding{Evidence: []string{"log"}, Quote: "a line"}, false, false},
		{"no evidence", Finding{Quote: "connect: connection refused"}, false, false},
		{"evidence that is not there", Finding{Evidence: []string{"log", "crystal-ball"}, Quote: "connect: connection refused"}, false, false},
		{"nothing", Finding{Evidence: []string{"log"}}, false, false},
		{"a claim that is true", Finding{Evidence: []string{"pods"}, Claim: claim("exit-code", "container/app=1")}, true, false},
		{"a claim that is false", Finding{Evidence: []string{"pods"}, Claim: claim("oom-killed", "container/app")}, false, true},
		{"a claim that is false beside words that stand there", Finding{Evidence: []string{"log"}, Quote: "connect: connection refused", Claim: claim("oom-killed", "container/app")}, false, true},
		{"a claim that nobody checked", Finding{Evidence: []string{"pods"}, Claim: claim("exit-code", "container/app=2")}, false, false},
		{"a claim that nobody knows", Finding{Evidence: []string{"pods"}, Claim: claim("approved-by", "the CTO")}, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.f.Text, row.f.Points = "text", 20
			g := ground(Opinion{Findings: []Finding{row.f}}, shown, incident().Claims, doorForTests(t))
			if (len(g.findings) == 1) != row.stands || (g.contradicted == 1) != row.contradicted || g.dropped != 1-len(g.findings) {
				t.Errorf("%+v", g)
			}
		})
	}
}

func TestUngroundedFindingsAreDroppedAndLowerTheScore(t *testing.T) {
	o := wellGrounded()
	o.Score = 100
	ask := func(extra ...Finding) gate.Assessment {
		with := o
		with.Findings = append(append([]Finding(nil), o.Findings...), extra...)
		checks := rules()
		checks.Score, checks.Confidence = gate.Known(100), gate.Known(100)
		return panelForTests(t, answering(with), nil).Beside(says(checks)).Advise(t.Context(), incident())
	}
	clean := ask()
	made := ask(Finding{Text: "approved by the CTO", Points: 0, Evidence: []string{"log"}, Quote: "approved by the CTO"})
	false_ := ask(Finding{Text: "it was killed for its memory", Points: 0, Evidence: []string{"pods"}, Claim: &flow.Claim{Kind: "oom-killed", Object: "container/app"}})
	if clean.Score != gate.Known(85) || made.Score != gate.Known(75) || false_.Score != gate.Known(65) {
		t.Errorf("scores %+v, %+v, %+v", clean.Score, made.Score, false_.Score)
	}
	if clean.Confidence != gate.Known(90) || made.Confidence != gate.Known(66) || false_.Confidence != gate.Known(50) || made.Ungrounded != 1 {
		t.Errorf("confidence %+v, %+v, %+v", clean.Confidence, made.Confidence, false_.Confidence)
	}
}

// TestWhoNamesWhatIsNotOfferedIsNotHeard shows that an answer with one thing of its own invention is worth nothing as a whole.
func TestWhoNamesWhatIsNotOfferedIsNotHeard(t *testing.T) {
	for name, change := range map[string]func(*Opinion){
		"an item that is not on the menu":        func(o *Opinion) { o.Choice = []string{"delete-namespace"} },
		"one that is and one that is not":        func(o *Opinion) { o.Choice = []string{"escalate", "delete-namespace"} },
		"a cause that is not on the list":        func(o *Opinion) { o.Cause = "gremlins" },
		"an item in the form of a shell command": func(o *Opinion) { o.Choice = []string{"kubectl delete ns shop"} },
	} {
		t.Run(name, func(t *testing.T) {
			o := wellGrounded()
			change(&o)
			a := panelForTests(t, answering(o), nil).Beside(says(rules())).Advise(t.Context(), incident())
			if a.Alone == "" || first(a.Choice) != "escalate" || len(a.Findings) != 1 {
				t.Errorf("%+v", a)
			}
		})
	}
}

// TestL12WhateverTheModelDoesTheRulesAnswer: elsewhere a model that was down blocked every rollout.
func TestL12WhateverTheModelDoesTheRulesAnswer(t *testing.T) {
	for name, m := range map[string]Model{
		"down": failing(FailedReach), "slow": failing(FailedTime), "rate limited": failing(FailedRate), "over budget": failing(FailedBudget), "left alone": failing(FailedBreaker),
		"refusing": failing(FailedRefusal), "unrecorded": failing(FailedRecord),
		"talking nonsense":     ModelFunc(func(context.Context, Prompt) (Answer, error) { return Answer{Text: "42"}, nil }),
		"of no word":           ModelFunc(func(context.Context, Prompt) (Answer, error) { return Answer{}, nil }),
		"a defect of our own":  ModelFunc(func(context.Context, Prompt) (Answer, error) { panic("oops") }),
		"failing without form": ModelFunc(func(context.Context, Prompt) (Answer, error) { return Answer{}, fmt.Errorf("plain") }),
	} {
		t.Run(name, func(t *testing.T) {
			want := rules()
			a := panelForTests(t, m, m).Beside(says(want)).Advise(t.Context(), incident())
			if a.Alone == "" {
				t.Fatal("nothing says that the rules stand alone")
			}
			a.Alone = ""
			if fmt.Sprint(a) != fmt.Sprint(want) {
				t.Errorf("%+v\nin place of\n%+v", a, want)
			}
		})
	}
}

// TestNoAnswerComesAfterPatience shows it of a model that does not listen to its context.
func TestNoAnswerComesAfterPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deaf := ModelFunc(func(context.Context, Prompt) (Answer, error) {
			time.Sleep(time.Hour)
			return Answer{}, nil
		})
		p := panelForTests(t, deaf, deaf)
		p.Patience = 20 * time.Second
		began := time.Now()
		a := p.Beside(says(rules())).Advise(t.Context(), incident())
		if took := time.Since(began); took != p.Patience || !strings.Contains(a.Alone, "20s") {
			t.Errorf("after %s: %q", took, a.Alone)
		}
		time.Sleep(2 * time.Hour) // what was left behind ends
	})
}

func TestNobodyIsAskedWhereThatIsNotWanted(t *testing.T) {
	for name, change := range map[string]func(*flow.Question, *gate.Assessment){
		"the Guardrail asks no model":                   func(q *flow.Question, _ *gate.Assessment) { q.Asking.Ask = gate.AskNever },
		"nothing was left open":                         func(_ *flow.Question, a *gate.Assessment) { a.Open = "" },
		"off the record":                                func(q *flow.Question, _ *gate.Assessment) { q.OffRecord = true },
		"there is no question for drift":                func(q *flow.Question, _ *gate.Assessment) { q.Signal.Face = gate.FaceDrift },
		"the Guardrail asks no model, also not outside": func(q *flow.Question, _ *gate.Assessment) { q.Asking = gate.Asking{} },
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int64
			q, a := incident(), rules()
			change(&q, &a)
			got := panelForTests(t, counting(answering(wellGrounded()), &n), nil).Beside(says(a)).Advise(t.Context(), q)
			if n.Load() != 0 || got.Alone == "" || first(got.Choice) != "escalate" {
				t.Errorf("%d calls, %+v", n.Load(), got)
			}
		})
	}
	var n atomic.Int64
	q, a := incident(), rules()
	q.Asking.Ask, a.Open = gate.AskAlways, ""
	if panelForTests(t, counting(answering(wellGrounded()), &n), nil).Beside(says(a)).Advise(t.Context(), q); n.Load() != 3 {
		t.Errorf("where it is always asked, %d calls", n.Load())
	}
}

func TestTheExpertIsAskedWhereTriageIsUnsure(t *testing.T) {
	unsure, weak, other := wellGrounded(), wellGrounded(), wellGrounded()
	unsure.Unsure = true
	weak.Confidence = confidenceForTriage - 1
	other.Choice = []string{"nothing"}
	var turn atomic.Int64
	torn := ModelFunc(func(ctx context.Context, p Prompt) (Answer, error) {
		if turn.Add(1)%3 == 0 {
			return answering(other).Ask(ctx, p)
		}
		return answering(wellGrounded()).Ask(ctx, p)
	})
	for _, row := range []struct {
		name   string
		triage Model
		expert gate.Expert
		calls  int64
		why    string
	}{
		{"sure", answering(wellGrounded()), gate.ExpertUnsure, 0, ""},
		{"sure, and the Guardrail wants the expert", answering(wellGrounded()), gate.ExpertAlways, 1, "the Guardrail"},
		{"says that it is unsure", answering(unsure), gate.ExpertUnsure, 1, "unsure"},
		{"says so, and the Guardrail has no expert asked", answering(unsure), gate.ExpertNever, 0, ""},
		{"little confidence", answering(weak), gate.ExpertUnsure, 1, "confidence"},
		{"torn", torn, gate.ExpertUnsure, 1, "disagree"},
		{"malformed", ModelFunc(func(context.Context, Prompt) (Answer, error) { return Answer{Text: "{"}, nil }), gate.ExpertUnsure, 1, "malformed"},
		{"refuses", failing(FailedRefusal), gate.ExpertUnsure, 1, "refusal"},
		{"down", failing(FailedReach), gate.ExpertUnsure, 0, ""},
		{"over budget", failing(FailedBudget), gate.ExpertAlways, 0, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			var n atomic.Int64
			var why string
			expert := ModelFunc(func(ctx context.Context, p Prompt) (Answer, error) {
				n.Add(1)
				why = p.Escalated
				return answering(wellGrounded()).Ask(ctx, p)
			})
			q := incident()
			q.Asking.Expert = row.expert
			a := panelForTests(t, row.triage, expert).Beside(says(rules())).Advise(t.Context(), q)
			if n.Load() != row.calls || !strings.Contains(why, row.why) || a.Escalated != why {
				t.Errorf("%d calls of the expert, because %q; %+v", n.Load(), why, a)
			}
		})
	}
}

func TestAgreementIsTheShareOfLooks(t *testing.T) {
	one, other := wellGrounded(), wellGrounded()
	other.Choice = []string{"escalate"}
	for _, row := range []struct {
		all      []Opinion
		unusable int
		want     gate.Fact[int]
	}{
		{[]Opinion{one}, 0, gate.Unknown[int]("a model took only one look")},
		{[]Opinion{one, one, one}, 0, gate.Known(100)},
		{[]Opinion{one, one, other}, 0, gate.Known(66)},
		{[]Opinion{one, one}, 2, gate.Known(50)},
	} {
		if got := agree(row.all, one, row.unusable); got != row.want {
			t.Errorf("%+v, want %+v", got, row.want)
		}
	}
	if got := loudest([]Opinion{one, other}, incident().Facts.Menu); first(got.Choice) != "escalate" {
		t.Errorf("of two equal groups, %v was chosen", got.Choice)
	}
}

// TestL11ConfidenceIsNeverTheModelsOwnWord: elsewhere risk and confidence were what the model said they were.
func TestL11ConfidenceIsNeverTheModelsOwnWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := grounded{findings: make([]gate.Finding, rapid.IntRange(0, 8).Draw(t, "grounded")), dropped: rapid.IntRange(0, 8).Draw(t, "dropped")}
		g.contradicted = rapid.IntRange(0, g.dropped).Draw(t, "contradicted")
		agreement := gate.Known(rapid.IntRange(0, 100).Draw(t, "agreement"))
		history := gate.Known(gate.Tally{Cause: "c", Verb: "v", Tried: rapid.IntRange(0, 40).Draw(t, "tried"), Healed: rapid.IntRange(-1, 50).Draw(t, "healed")})
		said := rapid.IntRange(-50, 200).Draw(t, "said")
		got, most := confidence(said, g, agreement, history, "c", "v"), confidence(100, g, agreement, history, "c", "v")
		looks, _ := agreement.Get()
		share := confidenceUnfounded
		if made := len(g.findings) + g.dropped + g.contradicted; made > 0 {
			share = 100 * len(g.findings) / made
		}
		if got > most || got > looks || got > share || got < 0 || got > 100 {
			t.Fatalf("%d: at most %d; agreement %d, grounded %d", got, most, looks, share)
		}
	})
}

func assessments(t *rapid.T, name string, advised bool) gate.Assessment {
	number := func(what string) gate.Fact[int] {
		if rapid.IntRange(0, 5).Draw(t, name+what+" known") == 0 {
			return gate.Unknown[int]("nobody looked")
		}
		return gate.Known(rapid.IntRange(0, 100).Draw(t, name+what))
	}
	a := gate.Assessment{Advisor: name, Cause: rapid.SampledFrom([]string{"", "other", "out-of-memory", "application-error"}).Draw(t, name+"cause"),
		Score: number("score"), Confidence: number("confidence"), Agreement: number("agreement"),
		Choice: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"evict", "escalate", "nothing"}), 0, 2, rapid.ID).Draw(t, name+"choice")}
	for i := range rapid.IntRange(0, 3).Draw(t, name+"findings") {
		f := gate.Finding{ID: fmt.Sprintf("%s-%d", name, i), Points: rapid.IntRange(0, 100).Draw(t, name+"points")}
		if advised {
			f.Nature = gate.Advised
		} else {
			f.Hard = rapid.IntRange(0, 9).Draw(t, name+"hard") == 0
			f.Nature = rapid.SampledFrom([]gate.Nature{gate.Lasting, gate.Pending, gate.Recent, gate.Standing}).Draw(t, name+"nature")
		}
		a.Findings = append(a.Findings, f)
	}
	if !advised && rapid.IntRange(0, 5).Draw(t, name+"silent") == 0 {
		a.Silent, a.Choice, a.Score = "the rules have no opinion", nil, gate.Unknown[int]("nothing was chosen")
	}
	return a
}

// TestLowerIsTheMoreCarefulOfTwo shows that no number rises, nothing is chosen that is not on the menu, and that where a rule knows the
// cause and chose, what is done reaches no further.
func TestLowerIsTheMoreCarefulOfTwo(t *testing.T) {
	menu := incident().Facts.Menu
	rapid.Check(t, func(t *rapid.T) {
		checks, model := assessments(t, "rules", false), assessments(t, "model", true)
		got := Lower(checks, model, menu)
		for _, n := range [][2]gate.Fact[int]{{checks.Score, got.Score}, {checks.Confidence, got.Confidence}, {checks.Agreement, got.Agreement}} {
			was, knew := n[0].Get()
			is, knows := n[1].Get()
			if knew && knows && is > was || knows && !knew && checks.Silent == "" {
				t.Fatalf("a number rose: %+v", got)
			}
		}
		if checks.Silent == "" && checks.Cause != gate.CauseOther && len(checks.Choice) > 0 && reach(first(got.Choice), menu) < reach(checks.Choice[0], menu) {
			t.Fatalf("%v reaches further than %v", got.Choice, checks.Choice)
		}
		if checks.Cause != "" && got.Cause != checks.Cause || len(got.Findings) < len(checks.Findings)+len(model.Findings) {
			t.Fatalf("%+v", got)
		}
	})
}

func TestWhoAddsNothingTakesNothingAway(t *testing.T) {
	checks := gate.Assessment{Advisor: "checks", Score: gate.Known(95), Confidence: gate.Known(90), Agreement: gate.Known(100), Choice: []string{"admit"}}
	menu := []gate.Action{{ID: "admit", Reach: gate.ReachAnswer}}
	for _, row := range []struct {
		name  string
		model gate.Assessment
		want  gate.Fact[int]
	}{
		{"nothing found, the same choice", gate.Assessment{Score: gate.Known(100), Confidence: gate.Known(30), Choice: []string{"admit"}}, gate.Known(90)},
		{"nothing found, no choice", gate.Assessment{Score: gate.Known(95), Confidence: gate.Known(0)}, gate.Known(90)},
		{"a lower score", gate.Assessment{Score: gate.Known(94), Confidence: gate.Known(30)}, gate.Known(30)},
		{"something made up", gate.Assessment{Score: gate.Known(100), Confidence: gate.Known(30), Ungrounded: 1}, gate.Known(30)},
		{"something found", gate.Assessment{Score: gate.Known(100), Confidence: gate.Known(70), Findings: []gate.Finding{{ID: "model-1", Points: 1, Nature: gate.Advised}}}, gate.Known(70)},
	} {
		if got := Lower(checks, row.model, menu); got.Confidence != row.want {
			t.Errorf("%s: confidence %+v, want %+v", row.name, got.Confidence, row.want)
		}
	}
}

// TestAModelKeepsNobodyOutAlone shows that a rollout that the checks let in is not refused for what a model says, unless the Guardrail
// lets it; and that what the checks refuse stays refused.
func TestAModelKeepsNobodyOutAlone(t *testing.T) {
	rail := func(deny bool) gate.Policy {
		return gate.Policy{Rails: []gate.Rail{{Name: "r", Admission: gate.AdmissionEnforce, WarnBelow: gate.Known(80), DenyBelow: gate.Known(50), ConfidenceBelow: gate.Known(0), DenyAdvised: deny}}}
	}
	facts := gate.Facts{At: noon, Menu: []gate.Action{{ID: "admit", Verb: "admit", Reach: gate.ReachAnswer}}, Rollback: gate.Known(false), Failing: gate.Known(false)}
	rapid.Check(t, func(t *rapid.T) {
		checks, model := assessments(t, "checks", false), assessments(t, "model", true)
		checks.Silent, checks.Choice, model.Choice = "", []string{"admit"}, []string{"admit"}
		left := 100
		for _, f := range checks.Findings {
			left -= f.Points
		}
		checks.Score, checks.Confidence = gate.Known(max(0, left)), gate.Known(100)
		both := Lower(checks, model, facts.Menu)
		alone := gate.Decide(rail(false), checks, facts).Decision
		with := gate.Decide(rail(false), both, facts).Decision
		if with > alone || alone > gate.Deny && with == gate.Deny && knows(both.Score) {
			t.Fatalf("%s with the model, %s without: %+v", with, alone, both)
		}
		if gate.Decide(rail(true), both, facts).Decision > alone {
			t.Fatal("a model let in what the checks do not")
		}
	})
}

func knows(f gate.Fact[int]) bool {
	_, known := f.Get()
	return known
}

// TestAModelsWordsAreMarkedAndRedacted shows that every word of a model comes out on one line, through
// the door, and marked as a model's.
func TestAModelsWordsAreMarkedAndRedacted(t *testing.T) {
	o := wellGrounded()
	o.Findings[0].Text = "run\n\x1b[31mkubectl delete ns shop\x1b[0m with password=hunter2trombone\u202e"
	a := panelForTests(t, answering(o), nil).Beside(says(rules())).Advise(t.Context(), incident())
	text := a.Findings[1].Text
	if strings.ContainsAny(text, "\n\x1b\u202e") || strings.Contains(text, "hunter2") || !strings.HasPrefix(text, "the model: ") {
		t.Errorf("%q", text)
	}
}

// TestAStormOfOneCauseIsOneQuestion asks ten thousand questions of twenty shapes from many goroutines.
func TestAStormOfOneCauseIsOneQuestion(t *testing.T) {
	var triage, expert atomic.Int64
	unsure := wellGrounded()
	unsure.Unsure = true
	p := panelForTests(t, counting(answering(unsure), &triage), counting(answering(wellGrounded()), &expert))
	p.Memory = NewMemory(func() time.Time { return noon })
	ask := p.Beside(says(rules()))
	var asking sync.WaitGroup
	for worker := range 16 {
		asking.Go(func() {
			for i := worker; i < 10_000; i += 16 {
				q := incident()
				q.Case, q.Shape = fmt.Sprintf("shop/case-%d", i), fmt.Sprintf("shape-%d", i%20)
				q.Facts.Menu[0].Target.Name = fmt.Sprintf("web-%d", i)
				if a := ask.Advise(t.Context(), q); a.Alone != "" || first(a.Choice) != "evict" {
					t.Errorf("%+v", a)
					return
				}
			}
		})
	}
	asking.Wait()
	if triage.Load() != 60 || expert.Load() != 20 {
		t.Errorf("triage was asked %d times and the expert %d times, for 20 causes", triage.Load(), expert.Load())
	}
}

func TestWhatIsRememberedIsHeldAgainstTheQuestionAtHand(t *testing.T) {
	p := panelForTests(t, answering(wellGrounded()), nil)
	p.Memory = NewMemory(func() time.Time { return noon })
	ask := p.Beside(says(rules()))
	if a := ask.Advise(t.Context(), incident()); first(a.Choice) != "evict" || len(a.Findings) != 3 {
		t.Fatalf("%+v", a)
	}
	p.Triage.Model = failing(FailedReach)
	q := incident() // of the same shape, and the log says something else
	q.Evidence[1].Text = "all is well"
	if a := ask.Advise(t.Context(), q); a.Alone != "" || a.Ungrounded != 1 {
		t.Errorf("%+v", a)
	}
	q = incident()
	q.OffRecord = true
	if a := ask.Advise(t.Context(), q); a.Alone != "" {
		t.Errorf("off the record, what is remembered is not told: %q", a.Alone)
	}
	q = incident() // what one namespace was told, another is not
	q.Signal.Subject.Namespace, q.Facts.Subject.Namespace = "other", "other"
	if a := ask.Advise(t.Context(), q); a.Alone == "" {
		t.Errorf("an answer was shared between namespaces: %+v", a)
	}
	q = incident() // with another menu it is another question
	q.Facts.Menu = q.Facts.Menu[1:]
	if a := ask.Advise(t.Context(), q); a.Alone == "" {
		t.Errorf("%+v", a)
	}
}

func TestMemoryForgets(t *testing.T) {
	now := noon
	m := NewMemory(func() time.Time { return now })
	m.most = 3
	calls := 0
	ask := func(key string, failed *Failure) looks {
		return m.share(t.Context(), key, func() looks { calls++; return looks{failed: failed} })
	}
	ask("a", nil)
	ask("a", nil)
	ask("b", &Failure{Kind: FailedReach})
	ask("b", nil)
	if calls != 2 {
		t.Errorf("%d calls", calls)
	}
	now = now.Add(memoryFailures)
	ask("b", nil) // a failure is forgotten sooner
	ask("a", nil)
	if calls != 3 {
		t.Errorf("%d calls", calls)
	}
	now = now.Add(memoryKeeps)
	ask("a", nil)
	if calls != 4 {
		t.Errorf("%d calls", calls)
	}
	for _, key := range []string{"c", "d", "e", "f"} {
		ask(key, nil)
	}
	if len(m.entries) > 3 {
		t.Errorf("%d entries", len(m.entries))
	}
}
