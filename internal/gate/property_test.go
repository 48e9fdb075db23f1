package gate

import (
	"bytes"
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

func drawFact(t *rapid.T, name string) Fact[int] {
	if rapid.Bool().Draw(t, name+" known") {
		return Known(rapid.IntRange(-10, 110).Draw(t, name))
	}
	return Unknown[int]("not drawn")
}

func drawBool(t *rapid.T, name string) Fact[bool] {
	switch rapid.IntRange(0, 2).Draw(t, name) {
	case 0:
		return Known(false)
	case 1:
		return Known(true)
	}
	return Fact[bool]{}
}

func drawRail(t *rapid.T) Rail {
	return Rail{Name: "r", Mode: Mode(rapid.IntRange(0, 3).Draw(t, "mode")), Admission: Admission(rapid.IntRange(0, 2).Draw(t, "admission")),
		WarnBelow: drawFact(t, "warn"), DenyBelow: drawFact(t, "deny"), ConfidenceBelow: drawFact(t, "confidenceBelow"),
		DenyPending: rapid.Bool().Draw(t, "denyPending"), Paused: rapid.SliceOfN(rapid.Just("why"), 0, 1).Draw(t, "paused"),
		Unreadable: rapid.SampledFrom([]string{"", "bad"}).Draw(t, "unreadable")}
}

func drawAssessment(t *rapid.T) Assessment {
	a := Assessment{Score: drawFact(t, "score"), Confidence: drawFact(t, "confidence"),
		Choice: rapid.SliceOfN(rapid.SampledFrom([]string{"act", "propose", "mark", "admit", "none", "other"}), 0, 2).Draw(t, "choice"),
		Silent: rapid.SampledFrom([]string{"", "", "mute"}).Draw(t, "silent")}
	for range rapid.IntRange(0, 3).Draw(t, "findings") {
		a.Findings = append(a.Findings, drawFinding(t))
	}
	return a
}

func drawFacts(t *rapid.T) Facts {
	f := facts()
	f.Rollback, f.Failing = drawBool(t, "rollback"), drawBool(t, "failing")
	if rapid.Bool().Draw(t, "pause unknown") {
		f.Paused = Fact[[]string]{}
	}
	return f
}

func TestDecideInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, a, f := drawRail(t), drawAssessment(t), drawFacts(t)
		v := Decide(Policy{Rails: []Rail{r}}, a, f)
		if v.Decision < Allow && len(v.Reasons) == 0 {
			t.Fatalf("%s without a reason", v.Decision)
		}
		if _, ok := v.Permit(); ok && (v.Decision != Allow || newMatter(a, f).reach > ReachMark) {
			t.Fatalf("a permit in %+v", v)
		}
		if _, ok := v.Permit(); ok && r.Mode == Observe && newMatter(a, f).reach < ReachMark {
			t.Fatal("a permit to act in Observe")
		}
		if more := Decide(Policy{Rails: []Rail{r, drawRail(t)}}, a, f); more.Decision > v.Decision {
			t.Fatalf("another Guardrail raised %s to %s", v.Decision, more.Decision)
		}
		again, _ := json.Marshal(Decide(Policy{Rails: []Rail{r}}, a, f))
		if once, _ := json.Marshal(v); !bytes.Equal(once, again) {
			t.Fatalf("the same inputs gave %s and %s", once, again)
		}
	})
}

func TestTighteningNeverPermitsMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, a, f := drawRail(t), drawAssessment(t), drawFacts(t)
		before := Decide(Policy{Rails: []Rail{r}}, a, f)
		tight, lower, blind := r, a, f
		switch rapid.IntRange(0, 9).Draw(t, "what") {
		case 0:
			tight.Mode = max(0, r.Mode-1)
		case 1:
			tight.WarnBelow = raise(r.WarnBelow)
		case 2:
			tight.DenyBelow = raise(r.DenyBelow)
		case 3:
			tight.ConfidenceBelow = raise(r.ConfidenceBelow)
		case 4:
			tight.Paused = []string{"stop"}
		case 5:
			lower.Score = fall(a.Score)
		case 6:
			lower.Confidence = fall(a.Confidence)
		case 7:
			tight.DenyPending = true
		case 8:
			lower.Score = Fact[int]{}
		case 9:
			blind.Paused = Fact[[]string]{}
		}
		if after := Decide(Policy{Rails: []Rail{tight}}, lower, blind); after.Decision > before.Decision {
			t.Fatalf("tightening raised %s to %s\nbefore %+v\nafter %+v", before.Decision, after.Decision, before.Reasons, after.Reasons)
		}
	})
}

// TestMoreFindingsNeverPermitMore: an advisor that takes each finding's points from 100, floored at 0, as the checks do.
func TestMoreFindingsNeverPermitMore(t *testing.T) {
	score := func(findings []Finding) Fact[int] {
		n := 100
		for _, f := range findings {
			n -= min(max(f.Points, 0), 100)
		}
		return Known(max(0, n))
	}
	rapid.Check(t, func(t *rapid.T) {
		r, a, f := drawRail(t), drawAssessment(t), drawFacts(t)
		more := a
		more.Findings = append(append([]Finding{}, a.Findings...), drawFinding(t))
		a.Score, more.Score = score(a.Findings), score(more.Findings)
		p := Policy{Rails: []Rail{r}}
		if before, after := Decide(p, a, f), Decide(p, more, f); after.Decision > before.Decision {
			t.Fatalf("a finding raised %s to %s: %+v", before.Decision, after.Decision, more.Findings)
		}
	})
}

func drawFinding(t *rapid.T) Finding {
	return Finding{ID: "f", Text: "bad", Points: rapid.IntRange(-50, 120).Draw(t, "points"), Hard: rapid.Bool().Draw(t, "hard"),
		Nature: rapid.SampledFrom([]Nature{Lasting, Pending, Recent, Standing}).Draw(t, "nature")}
}

func raise(n Fact[int]) Fact[int] {
	if v, ok := n.Get(); ok && v >= 0 && v < 100 {
		return Known(v + 1)
	}
	return n
}

func fall(n Fact[int]) Fact[int] {
	if v, ok := n.Get(); ok && v > 0 && v <= 100 {
		return Known(v - 1)
	}
	return n
}

func TestFactSurvivesJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawFact(t, "fact")
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Fact[int]
		if err := json.Unmarshal(b, &got); err != nil || got != want {
			t.Fatalf("%s reads back as %+v (%v), want %+v", b, got, err, want)
		}
	})
}

func TestCaseNameIsAValidName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Signal{Face: FaceRemediate, Key: rapid.String().Draw(t, "key"),
			Subject: Ref{Kind: "Deployment", Name: rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?`)).Draw(t, "name")}}
		name := s.CaseName()
		if len(name) > 63 || !validName(name) || name != s.CaseName() {
			t.Fatalf("%q (%d characters)", name, len(name))
		}
		other := s
		other.Key += "x"
		if other.CaseName() == name {
			t.Fatal("another key, the same Case")
		}
	})
}

// validName is the DNS label form, which every object name may have.
func validName(s string) bool {
	for i, r := range s {
		alnum := r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		if edge := i == 0 || i == len(s)-1; !alnum && (edge || r != '-') {
			return false
		}
	}
	return s != ""
}
