package gate

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestReadable(t *testing.T) {
	weigh(t, "readable", []weighed{
		{"can be read", func(*Rail, *Assessment, *Facts) {}, Allow, ""},
		{"cannot be read", func(r *Rail, _ *Assessment, _ *Facts) { r.Unreadable = "unknown field" }, Hold, "cannot be read: unknown field"},
		{"a mode that does not exist", func(r *Rail, _ *Assessment, _ *Facts) { r.Mode = Automatic + 1 }, Hold, "mode 4 and admission mode 2"},
		{"an admission mode that does not exist", func(r *Rail, _ *Assessment, _ *Facts) { r.Admission = AdmissionEnforce + 1 }, Hold, "mode 3 and admission mode 3"},
		{"an admission mode before the first", func(r *Rail, _ *Assessment, _ *Facts) { r.Admission = -1 }, Hold, "admission mode -1"},
		{"a mode before the first", func(r *Rail, a *Assessment, _ *Facts) { r.Mode, a.Choice = -1, []string{"admit"} }, Hold, "mode -1"},
		{"the first modes", func(r *Rail, a *Assessment, _ *Facts) {
			r.Mode, r.Admission, a.Choice = Observe, AdmissionObserve, []string{"admit"}
		}, Allow, ""},
	})
}

func TestMenu(t *testing.T) {
	a, f := opinion(), facts()
	a.Choice = []string{"drop-database"}
	v := Decide(Policy{Rails: []Rail{rail()}}, a, f)
	if v.Decision != Deny || v.Reasons[0].Text != `"drop-database" is not on the menu of 6` {
		t.Errorf("%+v", v)
	}
	if _, ok := v.Permit(); ok {
		t.Error("it carries a permit")
	}
	for _, rule := range []string{"mode", "pause"} { // what is not known reaches as far as can be
		r, f := rail(), facts()
		r.Mode, f.Paused = Observe, Fact[[]string]{}
		v := Decide(Policy{Rails: []Rail{r}}, a, f)
		if !slices.ContainsFunc(v.Reasons, func(x Reason) bool { return x.Rule == rule }) {
			t.Errorf("%s says nothing: %+v", rule, v.Reasons)
		}
	}
	weigh(t, "menu", []weighed{
		{"two of the menu", func(_ *Rail, a *Assessment, _ *Facts) { a.Choice = []string{"act", "propose"} }, Allow, ""},
		{"one named twice", func(_ *Rail, a *Assessment, _ *Facts) { a.Choice = []string{"act", "propose", "act"} }, Deny, `"act" is chosen twice`},
	})
}

func TestSilence(t *testing.T) {
	weigh(t, "silence", []weighed{
		{"no opinion", func(_ *Rail, a *Assessment, _ *Facts) { a.Silent = "model down" }, Hold, "there is no opinion: model down"},
		{"no opinion and no numbers", func(_ *Rail, a *Assessment, _ *Facts) {
			a.Silent, a.Score, a.Confidence = "model down", Fact[int]{}, Fact[int]{}
		}, Hold, "there is no opinion: model down"},
		{"no choice", func(_ *Rail, a *Assessment, _ *Facts) { a.Choice = nil }, Hold, "nothing was chosen"},
	})
}

func TestScore(t *testing.T) {
	scored := func(score, warn, deny Fact[int], findings ...Finding) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, a *Assessment, _ *Facts) {
			r.WarnBelow, r.DenyBelow, a.Score, a.Findings, a.Choice = warn, deny, score, findings, []string{"admit"}
		}
	}
	none, zero := Unknown[int]("nobody said"), Known(0)
	weigh(t, "score", []weighed{
		{"no score, and none is asked for", scored(none, zero, zero), Deny, "there is no score: nobody said"},
		{"a score that makes no sense, and none is asked for", scored(Known(101), zero, zero), Deny, "score: 101 is not between 0 and 100"},
		{"no denyBelow", scored(Known(100), zero, none), Deny, "there is no denyBelow"},
		{"no warnBelow", scored(Known(100), none, zero), Deny, "there is no warnBelow"},
		{"the least of both", scored(zero, zero, zero), Allow, ""},
		{"the most of both", scored(Known(100), Known(100), Known(100)), Allow, ""},
		{"below denyBelow", scored(Known(49), Known(80), Known(50)), Deny, "score 49 is below 50"},
		{"below warnBelow", scored(Known(79), Known(80), Known(50)), Hold, "score 79 is below 80"},
		{"a finding that weighs little", scored(Known(95), Known(80), Known(50), Finding{Points: 5}), Allow, ""},
		{"findings that weigh more than the score says", scored(Known(95), Known(80), Known(50), Finding{Points: 30}, Finding{Points: 21}), Deny, "score 49 is below 50"},
		{"findings that weigh as much as may be", scored(Known(95), Known(80), Known(50), Finding{Points: 30}, Finding{Points: 20}), Allow, ""},
		{"a finding that weighs more than everything", scored(Known(95), Known(80), Known(1), Finding{Points: 1 << 40}), Deny, "score 0 is below 1"},
		{"findings that weigh less than nothing", scored(Known(95), Known(80), Known(50), Finding{Points: -1 << 40}, Finding{Points: 51}), Deny, "score 49 is below 50"},
		{"a finding that is excused", scored(Known(49), Known(40), Known(50), Finding{Points: 1, Nature: Standing}), Allow, ""},
		{"a finding that is excused by too little", scored(Known(48), Known(40), Known(50), Finding{Points: 1, Nature: Standing}), Deny, "score 49 is below 50"},
		{"excuses that weigh less than nothing", scored(Known(49), Known(40), Known(50), Finding{Points: -5, Nature: Standing}), Deny, "score 49 is below 50"},
		{"findings without end", scored(Known(100), Known(0), Known(1), slices.Repeat([]Finding{{Points: 100}}, 400)...), Deny, "score 0 is below 1"},
		{"excuses without end", scored(Known(1), Known(0), Known(100), slices.Repeat([]Finding{{Points: 100, Nature: Standing}}, 400)...), Allow, ""},
		{"a hard finding", scored(Known(100), Known(0), Known(0), Finding{ID: "image", Text: "there is no such image", Hard: true}), Deny, "there is no such image"},
		{"a hard finding without words", scored(Known(100), Known(0), Known(0), Finding{ID: "image", Hard: true}), Deny, "a hard failure: image"},
		{"a hard finding that is excused", scored(Known(100), Known(0), Known(0), Finding{Hard: true, Nature: Standing}), Allow, ""},
	})
}

// TestWhatNobodyKnowsExcusesAnAnswerOnly shows that a finding about the recent past, of which nobody knows whether the change is its
// cure, is no reason to refuse a rollout, and is one not to act.
func TestWhatNobodyKnowsExcusesAnAnswerOnly(t *testing.T) {
	for choice, want := range map[string]Decision{"admit": Allow, "mark": Allow, "propose": Deny, "act": Deny} {
		for _, known := range []func(*Facts){func(f *Facts) { f.Rollback = Fact[bool]{} }, func(f *Facts) { f.Failing = Fact[bool]{} }} {
			a, f := opinion(), facts()
			a.Choice, a.Findings = []string{choice}, []Finding{{ID: "x", Text: "bad", Hard: true, Nature: Recent}}
			known(&f)
			if v := Decide(Policy{Rails: []Rail{rail()}}, a, f); v.Decision != want {
				t.Errorf("%s: %+v, want %s", choice, v, want)
			}
		}
	}
}

func TestConfidence(t *testing.T) {
	sure := func(confidence, below Fact[int], unread ...string) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, a *Assessment, f *Facts) {
			r.ConfidenceBelow, a.Confidence, f.Unread = below, confidence, unread
		}
	}
	weigh(t, "confidence", []weighed{
		{"no confidence, and none is asked for", sure(Unknown[int]("nobody said"), Known(0)), Hold, "there is no confidence: nobody said"},
		{"no threshold", sure(Known(100), Fact[int]{}), Hold, "there is no confidenceBelow"},
		{"just enough", sure(Known(60), Known(60)), Allow, ""},
		{"too little", sure(Known(59), Known(60)), Hold, "confidence 59 is below 60"},
		{"too little, because of what could not be read", sure(Known(0), Known(1), "a"), Hold, "confidence 0 is below 1; could not read a"},
		{"too little, because of a few things", sure(Known(0), Known(1), "a", "b", "c"), Hold, "could not read a, b, c"},
		{"too little, because of many things", sure(Known(0), Known(1), "a", "b", "c", "d", "e"), Hold, "could not read a, b, c and 2 more"},
	})
}

func TestConfidenceSaysNothingOfWhatCouldBeRead(t *testing.T) {
	a := opinion()
	a.Confidence = Known(59)
	if v := Decide(Policy{Rails: []Rail{rail()}}, a, facts()); len(v.Reasons) != 1 || v.Reasons[0].Text != "confidence 59 is below 60" {
		t.Errorf("%+v", v.Reasons)
	}
}

func TestMode(t *testing.T) {
	in := func(m Mode, admission Admission, choice ...string) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, a *Assessment, f *Facts) {
			r.Mode, r.Admission, a.Choice = m, admission, choice
			f.Approvals = Known([]Approval{word("ana", eviction())})
		}
	}
	weigh(t, "mode", []weighed{
		{"live in Automatic", in(Automatic, AdmissionObserve, "act"), Allow, ""},
		{"live in Approve", in(Approve, AdmissionObserve, "act"), Allow, ""},
		{"live in Propose", in(Propose, AdmissionEnforce, "act"), Hold, "mode Propose does not act on workloads"},
		{"live in Observe", in(Observe, AdmissionEnforce, "act"), Hold, "mode Observe does not act on workloads"},
		{"to Git in Propose", in(Propose, AdmissionObserve, "propose"), Allow, ""},
		{"to Git in Observe", in(Observe, AdmissionEnforce, "propose"), Hold, "mode Observe opens no pull requests"},
		{"a mark where admission enforces", in(Observe, AdmissionEnforce, "mark"), Allow, ""},
		{"a mark where admission warns", in(Observe, AdmissionWarn, "mark"), Allow, ""},
		{"a mark where admission observes", in(Automatic, AdmissionObserve, "mark"), Hold, "admission mode Observe writes no annotations"},
		{"a mark beside a live action", in(Automatic, AdmissionObserve, "act", "mark"), Hold, "writes no annotations"},
		{"an answer in Observe", in(Observe, AdmissionObserve, "admit"), Allow, ""},
		{"nothing in Observe", in(Observe, AdmissionObserve, "none"), Allow, ""},
	})
}

func TestPause(t *testing.T) {
	paused := func(process Fact[[]string], guardrail []string, choice string) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, a *Assessment, f *Facts) {
			f.Paused, r.Paused, a.Choice = process, guardrail, []string{choice}
		}
	}
	not := Known([]string(nil))
	weigh(t, "pause", []weighed{
		{"not at all", paused(not, nil, "act"), Allow, ""},
		{"the process", paused(Known([]string{"ana: looking", "ben: lunch"}), []string{"x"}, "act"), Hold, "Moorgate is paused: ana: looking, ben: lunch"},
		{"the Guardrail", paused(not, []string{"a", "b", "c", "d"}, "act"), Hold, "this Guardrail is paused: a, b, c and 1 more"},
		{"the Guardrail, by somebody without words", paused(not, []string{""}, "act"), Hold, "this Guardrail is paused: "},
		{"nobody knows", paused(Unknown[[]string]("forbidden"), nil, "mark"), Hold, "it is not known whether Moorgate is paused: forbidden"},
		{"an answer in a pause", paused(Known([]string{"x"}), []string{"x"}, "admit"), Allow, ""},
		{"nothing in a pause", paused(Fact[[]string]{}, []string{"x"}, "none"), Allow, ""},
	})
}

// TestNamesAreRead shows that each name is written and read as itself, and that anything else reads as the careful value.
func TestNamesAreRead(t *testing.T) {
	type name interface {
		fmt.Stringer
		MarshalText() ([]byte, error)
	}
	check := func(values []name, careful name, read func([]byte) (name, error)) {
		for _, v := range values {
			b, err := v.MarshalText()
			if got, readErr := read(b); err != nil || readErr != nil || got != v || string(b) != v.String() {
				t.Errorf("%v is written as %s and read as %v (%v, %v)", v, b, got, err, readErr)
			}
		}
		for _, text := range []string{"", "nonsense", strings.ToUpper(values[len(values)-1].String())} {
			if got, err := read([]byte(text)); err != nil || got != careful {
				t.Errorf("%q is read as %v (%v), want %v", text, got, err, careful)
			}
		}
	}
	check([]name{ReachLive, ReachGit, ReachMark, ReachAnswer, ReachNothing}, ReachLive, func(b []byte) (name, error) {
		r := ReachNothing
		err := r.UnmarshalText(b)
		return r, err
	})
	check([]name{OutcomeUnknown, OutcomeDone, OutcomeRefused, OutcomeNothing}, OutcomeUnknown, func(b []byte) (name, error) {
		o := OutcomeDone
		err := o.UnmarshalText(b)
		return o, err
	})
	check([]name{Observe, Propose, Approve, Automatic}, Observe, func(b []byte) (name, error) {
		m := Automatic
		err := m.UnmarshalText(b)
		return m, err
	})
	check([]name{AdmissionObserve, AdmissionWarn, AdmissionEnforce}, AdmissionObserve, func(b []byte) (name, error) {
		a := AdmissionEnforce
		err := a.UnmarshalText(b)
		return a, err
	})
	check([]name{Deny, Hold, Allow}, Deny, func(b []byte) (name, error) {
		d := Allow
		err := d.UnmarshalText(b)
		return d, err
	})
	for _, v := range []fmt.Stringer{Reach(-1), Reach(6), Reach(99)} {
		if v.String() != "live" {
			t.Errorf("%s", v)
		}
	}
}
