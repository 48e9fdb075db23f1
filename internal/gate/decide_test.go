package gate

import (
	"slices"
	"strings"
	"testing"
)

func TestDecide(t *testing.T) {
	tests := []struct {
		name   string
		change func(r *Rail, a *Assessment, f *Facts)
		want   Decision
		rule   string // that a reason must come from; empty: none expected
	}{
		{"allows what is sound", func(*Rail, *Assessment, *Facts) {}, Allow, ""},
		{"denies what is not on the menu", func(_ *Rail, a *Assessment, _ *Facts) { a.Choice = []string{"act", "drop-database"} }, Deny, "menu"},
		{"denies a choice named twice", func(_ *Rail, a *Assessment, _ *Facts) { a.Choice = []string{"act", "act"} }, Deny, "menu"},
		{"holds when the advisor is silent", func(_ *Rail, a *Assessment, _ *Facts) { a.Silent = "no answer" }, Hold, "silence"},
		{"holds when nothing was chosen", func(_ *Rail, a *Assessment, _ *Facts) { a.Choice = nil }, Hold, "silence"},
		{"denies below denyBelow", func(_ *Rail, a *Assessment, _ *Facts) { a.Score = Known(49) }, Deny, "score"},
		{"holds at denyBelow", func(_ *Rail, a *Assessment, _ *Facts) { a.Score = Known(50) }, Hold, "score"},
		{"holds just below warnBelow", func(_ *Rail, a *Assessment, _ *Facts) { a.Score = Known(79) }, Hold, "score"},
		{"allows at warnBelow", func(_ *Rail, a *Assessment, _ *Facts) { a.Score = Known(80) }, Allow, ""},
		{"denies when there is no score", func(_ *Rail, a *Assessment, _ *Facts) { a.Score = Unknown[int]("nobody said") }, Deny, "score"},
		{"denies a score that makes no sense", func(_ *Rail, a *Assessment, _ *Facts) { a.Score = Known(101) }, Deny, "score"},
		{"denies a negative score", func(_ *Rail, a *Assessment, _ *Facts) { a.Score = Known(-1) }, Deny, "score"},
		{"denies without denyBelow", func(r *Rail, _ *Assessment, _ *Facts) { r.DenyBelow = Fact[int]{} }, Deny, "score"},
		{"denies without warnBelow", func(r *Rail, _ *Assessment, _ *Facts) { r.WarnBelow = Fact[int]{} }, Deny, "score"},
		{"denies a hard failure at any score", func(_ *Rail, a *Assessment, _ *Facts) {
			a.Findings = []Finding{{ID: "x", Text: "never starts", Hard: true}}
		}, Deny, "score"},
		{"holds below the confidence asked for", func(_ *Rail, a *Assessment, _ *Facts) { a.Confidence = Known(59) }, Hold, "confidence"},
		{"allows at the confidence asked for", func(_ *Rail, a *Assessment, _ *Facts) { a.Confidence = Known(60) }, Allow, ""},
		{"holds without confidence", func(_ *Rail, a *Assessment, _ *Facts) { a.Confidence = Fact[int]{} }, Hold, "confidence"},
		{"holds without confidenceBelow", func(r *Rail, _ *Assessment, _ *Facts) { r.ConfidenceBelow = Fact[int]{} }, Hold, "confidence"},
		{"holds a live action in Approve that nobody approved", func(r *Rail, _ *Assessment, _ *Facts) { r.Mode = Approve }, Hold, "approval"},
		{"holds a live action in Propose", func(r *Rail, _ *Assessment, _ *Facts) { r.Mode = Propose }, Hold, "mode"},
		{"holds a pull request in Observe", func(r *Rail, a *Assessment, _ *Facts) { r.Mode, a.Choice = Observe, []string{"propose"} }, Hold, "mode"},
		{"allows a pull request in Propose", func(r *Rail, a *Assessment, _ *Facts) { r.Mode, a.Choice = Propose, []string{"propose"} }, Allow, ""},
		{"holds annotations when admission observes", func(r *Rail, a *Assessment, _ *Facts) {
			r.Admission, a.Choice = AdmissionObserve, []string{"mark"}
		}, Hold, "mode"},
		{"allows annotations when admission warns", func(r *Rail, a *Assessment, _ *Facts) {
			r.Admission, a.Choice = AdmissionWarn, []string{"mark"}
		}, Allow, ""},
		{"answers admission in Observe", func(r *Rail, a *Assessment, _ *Facts) { r.Mode, a.Choice = Observe, []string{"admit"} }, Allow, ""},
		{"holds while the Guardrail is paused", func(r *Rail, _ *Assessment, _ *Facts) { r.Paused = []string{"release"} }, Hold, "pause"},
		{"holds while the process is paused", func(_ *Rail, _ *Assessment, f *Facts) { f.Paused = Known([]string{"ana: looking"}) }, Hold, "pause"},
		{"holds when nobody knows whether it is paused", func(_ *Rail, _ *Assessment, f *Facts) { f.Paused = Fact[[]string]{} }, Hold, "pause"},
		{"answers admission while paused", func(r *Rail, a *Assessment, _ *Facts) { r.Paused, a.Choice = []string{"release"}, []string{"admit"} }, Allow, ""},
		{"holds under an unreadable Guardrail", func(r *Rail, _ *Assessment, _ *Facts) { r.Unreadable = "unknown field" }, Hold, "readable"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, a, f := rail(), opinion(), facts()
			tt.change(&r, &a, &f)
			v := Decide(Policy{Rails: []Rail{r}}, a, f)
			if v.Decision != tt.want {
				t.Fatalf("decision = %s, want %s; reasons %+v", v.Decision, tt.want, v.Reasons)
			}
			has := slices.ContainsFunc(v.Reasons, func(x Reason) bool { return x.Rule == tt.rule && x.Text != "" && x.Guardrail == "team" })
			if (tt.rule != "") != has {
				t.Errorf("a reason from rule %q: %t; reasons %+v", tt.rule, has, v.Reasons)
			}
			if _, permitted := v.Permit(); permitted && tt.want != Allow {
				t.Errorf("%s carries a permit", tt.want)
			}
		})
	}
}

func TestWeakFindings(t *testing.T) {
	tests := []struct {
		name     string
		nature   Nature
		hard     bool
		pending  bool // denyPending
		rollback Fact[bool]
		failing  Fact[bool]
		want     Decision
	}{
		{"what is not there yet warns", Pending, false, false, Known(false), Known(false), Hold},
		{"what is not there yet denies where the Guardrail says so", Pending, false, true, Known(false), Known(false), Deny},
		{"a hard finding about what is not there yet warns", Pending, true, false, Known(false), Known(false), Hold},
		{"the recent past denies", Recent, false, false, Known(false), Known(false), Deny},
		{"the recent past does not deny a rollback", Recent, false, false, Known(true), Known(false), Hold},
		{"the recent past does not deny a change to a failing workload", Recent, true, false, Known(false), Known(true), Hold},
		{"the recent past does not deny where nobody knows if it is a rollback", Recent, false, false, Fact[bool]{}, Known(false), Hold},
		{"the recent past does not deny where nobody knows if it is failing", Recent, false, false, Known(false), Fact[bool]{}, Hold},
		{"a lasting finding denies a rollback", Lasting, false, false, Known(true), Known(true), Deny},
		{"what was true before does not deny", Standing, false, false, Known(false), Known(false), Hold},
		{"what was true before and is hard does not deny", Standing, true, true, Known(false), Known(false), Hold},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, a, f := rail(), opinion(), facts()
			a.Choice, a.Score = []string{"admit"}, Known(40)
			a.Findings = []Finding{{ID: "x", Text: "bad", Points: 60, Hard: tt.hard, Nature: tt.nature}}
			r.DenyPending, f.Rollback, f.Failing = tt.pending, tt.rollback, tt.failing
			if v := Decide(Policy{Rails: []Rail{r}}, a, f); v.Decision != tt.want {
				t.Errorf("decision = %s, want %s; reasons %+v", v.Decision, tt.want, v.Reasons)
			}
		})
	}
}

// TestAModelsFindings shows that what a model found keeps no rollout out by itself, unless the Guardrail says so, and excuses nothing
// where something is to be done.
func TestAModelsFindings(t *testing.T) {
	for _, tt := range []struct {
		name   string
		choice string
		denies bool // denyAdvised
		points int  // of what a check found beside it
		want   Decision
	}{
		{"they warn about a rollout", "admit", false, 0, Hold},
		{"they deny one where the Guardrail says so", "admit", true, 0, Deny},
		{"they excuse nothing that a check found", "admit", false, 51, Deny},
		{"they deny an action", "act", false, 0, Deny},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, a := rail(), opinion()
			r.DenyAdvised = tt.denies
			a.Choice, a.Score = []string{tt.choice}, Known(max(0, 40-tt.points))
			a.Findings = []Finding{{ID: "model", Text: "doubtful", Points: 60, Nature: Advised}, {ID: "check", Text: "wrong", Points: tt.points}}
			if v := Decide(Policy{Rails: []Rail{r}}, a, facts()); v.Decision != tt.want {
				t.Errorf("decision = %s, want %s; reasons %+v", v.Decision, tt.want, v.Reasons)
			}
		})
	}
}

func TestPointsFromStrangersCannotRaiseAScore(t *testing.T) {
	a, f := opinion(), facts()
	a.Choice, a.Score = []string{"admit"}, Known(10)
	a.Findings = []Finding{{ID: "x", Text: "bad", Points: -1 << 62, Nature: Pending}, {ID: "y", Text: "bad", Points: -200}}
	if v := Decide(Policy{Rails: []Rail{rail()}}, a, f); v.Decision != Deny {
		t.Errorf("decision = %s, want Deny", v.Decision)
	}
}

func TestWhatIsExcusedNeverOutweighsWhatCounts(t *testing.T) {
	a, f := opinion(), facts()
	a.Choice, a.Score, f.Failing = []string{"admit"}, Known(0), Known(true)
	a.Findings = []Finding{{ID: "x", Text: "bad", Points: 75}, {ID: "y", Text: "full", Points: 35, Nature: Recent}, {ID: "z", Text: "failing", Points: 20, Nature: Recent},
		{ID: "r", Text: "missing", Points: 32767, Nature: Pending}}
	if v := Decide(Policy{Rails: []Rail{rail()}}, a, f); v.Decision != Deny {
		t.Errorf("decision = %s, want Deny: 75 points count", v.Decision)
	}
}

func TestTheMostCarefulGuardrailWins(t *testing.T) {
	easy, strict := rail(), rail()
	easy.Name, strict.Name, strict.Mode = "easy", "strict", Observe
	v := Decide(Policy{Rails: []Rail{easy, strict}}, opinion(), facts())
	if v.Decision != Hold || len(v.Reasons) != 1 || v.Reasons[0].Guardrail != "strict" {
		t.Errorf("verdict = %+v, want a Hold by strict alone", v)
	}
}

func TestAllReasonsAreKept(t *testing.T) {
	r, a := rail(), opinion()
	r.Mode, r.Paused, a.Confidence = Observe, []string{"release"}, Known(1)
	v := Decide(Policy{Rails: []Rail{r}}, a, facts())
	var got []string
	for _, reason := range v.Reasons {
		got = append(got, reason.Rule)
	}
	if want := "confidence mode pause"; strings.Join(got, " ") != want {
		t.Errorf("rules = %v, want %s", got, want)
	}
}

// TestTheFirstReasonStands shows that of two steps that a rule holds, the first is named, and of one that it holds and one that
// it denies, the second.
func TestTheFirstReasonStands(t *testing.T) {
	a, f := opinion(), facts()
	a.Choice = []string{"act", "scale", "propose"}
	f.Menu[0].Undo, f.Menu[2].Undo = "", ""
	f.Menu[0].Target.Name, f.Menu[1].Target.Name, f.Menu[2].Target.Name = "one", "two", "three"
	reason := func(rule string) Reason {
		for _, r := range Decide(Policy{Rails: []Rail{rail()}}, a, f).Reasons {
			if r.Rule == rule {
				return r
			}
		}
		return Reason{}
	}
	if r := reason("reversible"); r.Text != "evict cannot be taken back" {
		t.Errorf("%+v", r)
	}
	f.Owner = Unknown[Owner]("forbidden")
	if r := reason("owner"); r.Text != "who owns Deployment/three in shop is not known: forbidden" {
		t.Errorf("%+v", r)
	}
	f.Menu[0].Target.Namespace, f.Menu[1].Target.Namespace, f.Namespace = "shop", "argocd", Fact[map[string]string]{}
	if r := reason("scope"); r.Decision != Deny || r.Text != "Moorgate does nothing in namespace argocd" {
		t.Errorf("%+v", r)
	}
}

func TestZeroValuesAreCareful(t *testing.T) {
	if v := Decide(Policy{}, opinion(), facts()); v.Decision != Deny || len(v.Reasons) == 0 {
		t.Errorf("the zero policy gives %+v, want a Deny with its reason", v)
	}
	if v := Decide(Policy{Rails: []Rail{{}}}, opinion(), facts()); v.Decision != Deny {
		t.Errorf("the zero Guardrail gives %s, want Deny", v.Decision)
	}
	if v := (Verdict{}); v.Decision != Deny {
		t.Errorf("the zero verdict is %s", v.Decision)
	}
	if a := (Action{}); a.Reach != ReachLive {
		t.Errorf("the zero action reaches %s, want live", a.Reach)
	}
	if p := (Policy{}); p.Admission() != AdmissionObserve {
		t.Errorf("the zero policy's admission is %s", p.Admission())
	}
}

func TestRefusals(t *testing.T) {
	named := func(name string, change func(*Rail)) Rail {
		r := rail()
		r.Name = name
		change(&r)
		return r
	}
	enforce := named("enforce", func(*Rail) {})
	lax := named("lax", func(r *Rail) { r.DenyBelow, r.WarnBelow = Known(0), Known(0) })
	observe := named("observe", func(r *Rail) { r.Admission = AdmissionObserve })
	warn := named("warn", func(r *Rail) { r.Admission = AdmissionWarn })
	paused := named("paused", func(r *Rail) { r.Paused = []string{"release"} })
	unreadable := named("unreadable", func(r *Rail) { r.Unreadable, r.Admission = "bad", AdmissionObserve })
	tests := []struct {
		name    string
		rails   []Rail
		refuses bool
		loudest Admission
	}{
		{"one that enforces and denies refuses", []Rail{warn, enforce}, true, AdmissionEnforce},
		{"one that observes lends its numbers to nobody", []Rail{lax, observe}, false, AdmissionEnforce},
		{"one that warns lends its numbers to nobody", []Rail{lax, warn}, false, AdmissionEnforce},
		{"one that is paused refuses nothing", []Rail{paused}, false, AdmissionEnforce},
		{"a pause lifts nobody else's refusal", []Rail{paused, enforce}, true, AdmissionEnforce},
		{"one that cannot be read lifts nobody's refusal", []Rail{enforce, unreadable}, true, AdmissionEnforce},
		{"one that cannot be read warns", []Rail{unreadable}, false, AdmissionWarn},
		{"without any nothing is said", nil, false, AdmissionObserve},
		{"the loudest comes first", []Rail{warn, observe}, false, AdmissionWarn},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := opinion()
			a.Choice, a.Score = []string{"admit"}, Known(10)
			p := Policy{Rails: tt.rails}
			if got := p.Refuses(Decide(p, a, facts())); got != tt.refuses {
				t.Errorf("refuses = %t, want %t", got, tt.refuses)
			}
			if got := p.Admission(); got != tt.loudest {
				t.Errorf("admission = %s, want %s", got, tt.loudest)
			}
		})
	}
}

// TestTells shows whose reasons are told to those who ask to let a rollout in.
func TestTells(t *testing.T) {
	observe := Rail{Name: "observe"}
	warn := Rail{Name: "warn", Admission: AdmissionWarn}
	enforce := Rail{Name: "enforce", Admission: AdmissionEnforce}
	unreadable := Rail{Name: "unreadable", Unreadable: "bad"}
	for _, row := range []struct {
		name  string
		rails []Rail
		of    string
		want  bool
	}{
		{"one that warns", []Rail{warn}, "warn", true},
		{"one that enforces", []Rail{observe, enforce}, "enforce", true},
		{"one that observes", []Rail{observe}, "observe", false},
		{"one that observes beside one that enforces", []Rail{enforce, observe}, "observe", false},
		{"one that cannot be read", []Rail{unreadable}, "unreadable", true},
		{"one that nobody knows", []Rail{observe, warn}, "other", true},
		{"none, where all observe", []Rail{observe}, "", false},
		{"none, where one warns", []Rail{observe, warn}, "", true},
		{"none at all", nil, "", false},
	} {
		if got := (Policy{Rails: row.rails}).Tells(Reason{Guardrail: row.of}); got != row.want {
			t.Errorf("%s: told %t, want %t", row.name, got, row.want)
		}
	}
}
