package gate

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestDecideInvariants shows what holds of every verdict in every world.
func TestDecideInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		v := w.decide()
		for _, r := range v.Reasons {
			if r.Text == "" || r.Rule == "" || r.Decision >= Allow || r.Decision < v.Decision {
				t.Fatalf("%s because of %+v", v.Decision, r)
			}
		}
		if (v.Decision < Allow) != (len(v.Reasons) > 0) {
			t.Fatalf("%s for %d reasons", v.Decision, len(v.Reasons))
		}
		reach := newMatter(w.a, w.f).reach
		_, permitted := v.Permit()
		if permitted && (v.Decision != Allow || len(w.a.Choice) != 1 || reach > ReachMark) {
			t.Fatalf("a permit in %+v", v)
		}
		if permitted && w.r.Mode == Observe && reach <= ReachGit {
			t.Fatal("a permit to act in Observe")
		}
		again, _ := json.Marshal(w.decide())
		if once, _ := json.Marshal(v); !bytes.Equal(once, again) {
			t.Fatalf("the same inputs gave %s and %s", once, again)
		}
		if v := Decide(Policy{}, w.a, w.f); v.Decision != Deny || len(v.Reasons) == 0 {
			t.Fatalf("the zero policy gives %+v", v)
		}
	})
}

// TestAnotherGuardrailNeverPermitsMore also shows that Guardrails do not hear each other: each gives the reasons that it
// gives alone.
func TestAnotherGuardrailNeverPermitsMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, other := drawWorld(t), drawRail(t)
		other.Name = "other"
		one, two := w.decide(), Decide(Policy{Rails: []Rail{other}}, w.a, w.f)
		both := Decide(Policy{Rails: []Rail{w.r, other}}, w.a, w.f)
		if both.Decision != min(one.Decision, two.Decision) || len(both.Reasons) != len(one.Reasons)+len(two.Reasons) {
			t.Fatalf("%s and %s make %s", one.Decision, two.Decision, both.Decision)
		}
	})
}

// TestAnotherRuleNeverPermitsMore takes each rule away in turn: nothing that was allowed with it is held without it, and every
// other rule says what it said.
func TestAnotherRuleNeverPermitsMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		all := append(append([]rule{}, rulesOfJudging...), rulesOfActing...)
		with := Verdict{Decision: Allow}
		with.weigh(all, &w.r, newMatter(w.a, w.f))
		for i := range all {
			without := Verdict{Decision: Allow}
			without.weigh(append(append([]rule{}, all[:i]...), all[i+1:]...), &w.r, newMatter(w.a, w.f))
			if without.Decision < with.Decision {
				t.Fatalf("%s raised %s to %s", all[i].doc.ID, without.Decision, with.Decision)
			}
		}
		if real := w.decide(); real.Decision != with.Decision || len(real.Reasons) != len(with.Reasons) {
			t.Fatalf("rules of acting spoke where nothing is done: %+v, %+v", real, with)
		}
	})
}

// TestTighteningNeverPermitsMore tightens each number and switch of a Guardrail.
func TestTighteningNeverPermitsMore(t *testing.T) {
	for _, tighten := range tightenings {
		t.Run(tighten.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				w := drawWorld(t)
				before := w.decide()
				w.r = copied(w.r)
				tighten.change(t, &w.r)
				if after := w.decide(); after.Decision > before.Decision {
					t.Fatalf("raised %s to %s\nbefore %+v\nafter %+v", before.Decision, after.Decision, before.Reasons, after.Reasons)
				}
			})
		})
	}
}

// TestBadNewsNeverPermitsMore makes the world worse in each way that the rules know, and the opinion weaker.
func TestBadNewsNeverPermitsMore(t *testing.T) {
	for _, worsen := range badNews {
		t.Run(worsen.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				w := drawWorld(t)
				before := w.decide()
				worsen.change(t, &w)
				if after := w.decide(); after.Decision > before.Decision {
					t.Fatalf("raised %s to %s\nbefore %+v\nafter %+v", before.Decision, after.Decision, before.Reasons, after.Reasons)
				}
			})
		})
	}
}

// TestSilenceNeverAllows shows it of an advisor that says nothing, and of one that chooses nothing. To choose nothing may be
// held where the choice would have been denied: nothing is what is done.
func TestSilenceNeverAllows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mute, idle := drawWorld(t), drawWorld(t)
		mute.a.Silent, idle.a.Choice = "mute", nil
		if v := mute.decide(); v.Decision == Allow {
			t.Fatalf("%+v", v)
		}
		if v := idle.decide(); v.Decision == Allow {
			t.Fatalf("%+v", v)
		}
	})
}

// TestNotKnowingNeverAllows takes each fact away: what was held or denied is not allowed for that. Only at the gate itself may
// less knowledge excuse something: what is about the recent past does not keep out a change of which nobody knows whether it is
// the cure.
func TestNotKnowingNeverAllows(t *testing.T) {
	for name, forget := range forgetting {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				w := drawWorld(t)
				before := w.decide()
				forget(&w)
				after := w.decide()
				excusable := (name == "rollback" || name == "failing") && newMatter(w.a, w.f).reach > ReachGit
				if after.Decision == Allow && before.Decision < Allow && !excusable {
					t.Fatalf("raised %s to %s\nbefore %+v\nafter %+v", before.Decision, after.Decision, before.Reasons, after.Reasons)
				}
			})
		})
	}
}

// TestAnUnknownNeverAllows forgets each fact in a world where all is well. What is needed to act holds, what is needed to propose
// holds that too, and what is not needed changes nothing.
func TestAnUnknownNeverAllows(t *testing.T) {
	neededBy := map[string]string{"paused": "act scale propose mark", "namespace": "act scale propose", "since": "act scale", "oldest": "act scale propose",
		"owner": "scale propose", "health": "act scale", "storm": "act scale", "ledger": "act scale propose", "history": "act scale",
		"approvals": "act scale propose", "time": "act scale propose", "rollback": "", "failing": "", "brings": "", "drift": "",
		"score": "act scale propose mark admit none", "confidence": "act scale propose mark admit none", "agreement": "act scale propose",
		"warnBelow": "act scale propose mark admit none", "denyBelow": "act scale propose mark admit none",
		"confidenceBelow": "act scale propose mark admit none", "agreementBelow": "act scale propose", "historyBelow": "act scale",
		"approvers": "act scale", "minHealthy": "act scale", "stormCases": "act scale"}
	for name, forget := range forgetting {
		for _, choice := range []string{"act", "scale", "propose", "mark", "admit", "none"} {
			w := world{rail(), opinion(), facts()}
			w.a.Choice = []string{choice}
			w.f.History = Known(Tally{Cause: "crash", Verb: map[string]string{"scale": "scale"}[choice], Tried: 40, Healed: 40})
			if choice == "act" {
				w.f.History = facts().History
			}
			if v := w.decide(); v.Decision != Allow {
				t.Fatalf("%s is not allowed to begin with: %+v", choice, v.Reasons)
			}
			forget(&w)
			needs, known := neededBy[name]
			if got := w.decide().Decision == Allow; !known || got == slices.Contains(strings.Fields(needs), choice) {
				t.Errorf("%s without %s: allowed %t", choice, name, got)
			}
		}
	}
}

// TestSeverity shows of every rule that the most careful answer that it documents is the most careful one that it gives, over
// the corpus of the properties.
func TestSeverity(t *testing.T) {
	seen := map[string]Decision{}
	worlds := rapid.Custom(drawWorld)
	for seed := range 8000 {
		for _, r := range worlds.Example(seed).decide().Reasons {
			if least, ok := seen[r.Rule]; !ok || r.Decision < least {
				seen[r.Rule] = r.Decision
			}
		}
	}
	for _, d := range Rules() {
		if least, ok := seen[d.ID]; !ok || least != d.Severity {
			t.Errorf("%s documents %s; it spoke: %t, and said %s", d.ID, d.Severity, ok, least)
		}
		if d.ID == "" || d.Title == "" || d.Text == "" || d.Since == "" {
			t.Errorf("%+v is not documented", d)
		}
	}
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
