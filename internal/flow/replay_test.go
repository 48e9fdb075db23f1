package flow

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"moorgate.dev/internal/gate"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

var target = gate.Ref{Version: "v1", Kind: "Pod", Namespace: "shop", Name: "web-1", UID: "u"}

// happening is a question about a pod at a time, and what an advisor chose.
func happening(at time.Time, choice string) (Question, gate.Assessment) {
	web := gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web"}
	menu := []gate.Action{
		{ID: "evict", Verb: "evict", Reach: gate.ReachLive, Target: target, Workload: web, Undo: "its owner makes another"},
		{ID: "propose", Verb: "pull-request", Reach: gate.ReachGit, Target: web},
		{ID: "admit", Verb: "admit", Reach: gate.ReachAnswer, Target: web},
		{ID: "tell", Verb: "escalate", Reach: gate.ReachNothing, Target: web},
	}
	q := Question{Case: "shop/c", Signal: gate.Signal{Face: gate.FaceRemediate, Reason: "CrashLoop", Subject: web}, Facts: gate.Facts{At: at, Subject: web,
		Namespace: gate.Known(map[string]string{"team": "a"}), Menu: menu, Paused: gate.Known[[]string](nil), Rollback: gate.Known(false),
		Failing: gate.Known(true), Drift: gate.Known(""), Since: gate.Known(at.Add(-time.Hour)), Oldest: gate.Known(at), Owner: gate.Known(gate.Owner{}),
		Health: gate.Known(gate.Share{Well: 9, Total: 10}), Storm: gate.Known(1), Ledger: gate.Known(gate.Ledger{}),
		History: gate.Known(gate.Tally{Cause: "crash", Verb: "evict", Tried: 80, Healed: 80}), Approvals: gate.Known[[]gate.Approval](nil)}}
	return q, gate.Assessment{Advisor: "causes", Cause: "crash", Score: gate.Known(90), Confidence: gate.Known(90), Agreement: gate.Known(100), Choice: []string{choice}}
}

func rail(m gate.Mode) gate.Rail {
	many := gate.Budget{Actions: 50, Window: time.Hour}
	return gate.Rail{Name: "r", Mode: m, WarnBelow: gate.Known(80), DenyBelow: gate.Known(50), ConfidenceBelow: gate.Known(60),
		AgreementBelow: gate.Known(80), HistoryBelow: gate.Known(90), Approvers: gate.Known(0),
		Actions: []gate.Permitted{{Verb: "evict"}, {Verb: "pull-request"}}, Budgets: gate.Budgets{Total: many, Namespace: many, Workload: many},
		Restraint: gate.Restraint{MinHealthy: gate.Known(51), Storm: gate.Known(5), Wait: time.Minute, Fresh: time.Minute, Attempts: 3, CoolDown: time.Minute}}
}

func under(r ...gate.Rail) gate.Policy { return gate.Policy{Rails: r} }

// record is what the pipeline writes down of a judgement, as it is read back from a log.
func record(t interface{ Fatal(...any) }, q Question, a gate.Assessment, p gate.Policy) gate.Record {
	j := Judgement{Question: q, Policy: p, Assessment: a, Verdict: gate.Decide(p, a, q.Facts)}
	r := j.record()
	r.At = q.Facts.At
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back gate.Record
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

func TestReplaySaysWhatWouldFollow(t *testing.T) {
	approve, two, enforce, warn := rail(gate.Approve), rail(gate.Automatic), rail(gate.Observe), rail(gate.Observe)
	two.Approvers = gate.Known(2)
	enforce.Admission, enforce.DenyBelow = gate.AdmissionEnforce, gate.Known(95)
	warn.Admission, warn.WarnBelow = gate.AdmissionWarn, gate.Known(95)
	tests := []struct {
		name   string
		choice string
		after  gate.Rail
		was    Ending
		is     Ending
		area   Area
	}{
		{"what only waited for the mode is done by itself", "evict", rail(gate.Automatic), Held, Done, AreaLive},
		{"what a human must approve is done once approved", "evict", approve, Held, OnceApproved, AreaLive},
		{"so is what two must approve", "evict", two, Held, OnceApproved, AreaLive},
		{"a pull request is opened in Propose, a live action is not", "propose", rail(gate.Propose), Held, Done, AreaGit},
		{"a live action is held in Propose, whoever approves it", "evict", rail(gate.Propose), Held, Held, AreaLive},
		{"what no Guardrail allows by name is denied", "evict", gate.Rail{Name: "r", Mode: gate.Automatic}, Held, Denied, AreaLive},
		{"a rollout below the score is refused where it is enforced", "admit", enforce, LetIn, Refused, AreaRollout},
		{"one that needs an eye is warned about where that is wished", "admit", warn, LetIn, Warned, AreaRollout},
		{"to tell somebody is never held", "tell", rail(gate.Automatic), Done, Done, AreaNone},
		{"what is not on the menu reaches furthest and is denied", "invented", rail(gate.Automatic), Denied, Denied, AreaLive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q, a := happening(noon, tt.choice)
			got, err := Replay(record(t, q, a, under(rail(gate.Observe))), under(tt.after))
			if err != nil || got.Before.Ending != tt.was || got.After.Ending != tt.is || got.Area != tt.area || got.Elsewise {
				t.Errorf("%s: %s -> %s (%v), want %s: %s -> %s; after: %+v", got.Area, got.Before.Ending, got.After.Ending, err, tt.area, tt.was, tt.is, got.After.Verdict.Reasons)
			}
		})
	}
}

func TestWhatCannotBeDecidedAgainSaysWhy(t *testing.T) {
	q, a := happening(noon, "evict")
	whole := record(t, q, a, under(rail(gate.Observe)))
	for i := range 100 {
		l, _ := q.Facts.Ledger.Get()
		l.Entries = append(l.Entries, gate.Spent{At: noon.Add(-time.Duration(200-i) * time.Minute)})
		q.Facts.Ledger = gate.Known(l)
	}
	many := rail(gate.Automatic)
	many.Budgets.Total.Actions, many.Budgets.Namespace.Actions = 100, 100
	shortened := record(t, q, a, under(many))
	tests := []struct {
		name   string
		change func(*gate.Record)
		want   string
	}{
		{"a note holds no decision", func(r *gate.Record) { r.Kind = gate.RecordNote }, "holds no decision"},
		{"facts are missing", func(r *gate.Record) { r.Facts = nil }, "lacks the facts"},
		{"the policy is missing", func(r *gate.Record) { r.Policy = nil }, "under which policy"},
		{"the ledger that allowed it was shortened", func(r *gate.Record) { *r = shortened }, "left out"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := whole
			tt.change(&r)
			if got, err := Replay(r, under(many)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %+v, %v; want an error with %q", got, err, tt.want)
			}
		})
	}
}

func TestAVersionThatDecidesOtherwiseIsTold(t *testing.T) {
	q, a := happening(noon, "evict")
	r := record(t, q, a, under(rail(gate.Observe)))
	r.Verdict.Reasons = slices.DeleteFunc(r.Verdict.Reasons, func(x gate.Reason) bool { return x.Rule == "mode" })
	got, err := Replay(r, *r.Policy)
	if err != nil || got.Same() || !got.Elsewise {
		t.Errorf("same %t, elsewise %t, %v", got.Same(), got.Elsewise, err)
	}
	r = record(t, q, a, under(rail(gate.Observe)))
	r.Verdict.Reasons[0].Text = "as an earlier version put it"
	if got, err = Replay(r, *r.Policy); err != nil || !got.Same() || !got.Reworded() || got.Elsewise {
		t.Errorf("other words: same %t, reworded %t, elsewise %t, %v", got.Same(), got.Reworded(), got.Elsewise, err)
	}
}

func TestWhatWouldHaveBeenBegunCountsAgainstWhatFollows(t *testing.T) {
	after := rail(gate.Automatic)
	after.Budgets.Workload = gate.Budget{Actions: 2, Window: time.Hour}
	after.Restraint.Attempts = 10
	var c Course
	var got []Ending
	for _, minutes := range []int{0, 1, 10, 20, 59, 61, 90} {
		q, a := happening(noon.Add(time.Duration(minutes)*time.Minute), "evict")
		r, err := c.Replay(record(t, q, a, under(rail(gate.Observe))), under(after))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.After.Ending)
	}
	want := []Ending{Done, Held, Done, Held, Held, Done, Done} // cool-down at 1; the budget at 20 and 59
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func drawRail(t *rapid.T) gate.Rail {
	r := rail(gate.Mode(rapid.IntRange(0, 3).Draw(t, "mode")))
	r.Admission = gate.Admission(rapid.IntRange(0, 2).Draw(t, "admission"))
	r.DenyBelow, r.WarnBelow = gate.Known(rapid.IntRange(0, 100).Draw(t, "deny")), gate.Known(rapid.IntRange(0, 100).Draw(t, "warn"))
	r.Approvers, r.HistoryBelow = gate.Known(rapid.IntRange(0, 2).Draw(t, "approvers")), gate.Known(rapid.IntRange(50, 100).Draw(t, "history"))
	r.Budgets.Workload.Actions = rapid.IntRange(0, 4).Draw(t, "budget")
	return r
}

// drawCourse is a recorded past under some policy.
func drawCourse(t *rapid.T, p gate.Policy) []gate.Record {
	var all []gate.Record
	var spent []gate.Spent
	for i := range rapid.IntRange(1, 12).Draw(t, "happenings") {
		at := noon.Add(time.Duration(i*rapid.IntRange(1, 30).Draw(t, "minutes")) * time.Minute)
		q, a := happening(at, rapid.SampledFrom([]string{"evict", "propose", "admit", "tell", "invented"}).Draw(t, "choice"))
		a.Score = gate.Known(rapid.IntRange(0, 100).Draw(t, "score"))
		q.Facts.Ledger = gate.Known(gate.Ledger{Entries: slices.Clone(spent)})
		if rapid.IntRange(0, 5).Draw(t, "ledger") == 0 {
			q.Facts.Ledger = gate.Unknown[gate.Ledger]("the API server did not answer")
		}
		r := record(t, q, a, p)
		if r.Verdict.Decision == gate.Allow {
			spent = append(spent, gate.NewSpent(p, onMenu(q.Facts, a.Choice[0]), a.Cause))
			spent[len(spent)-1].At = at
		}
		all = append(all, r)
	}
	return all
}

func TestReplayUnderTheVerySamePolicyChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := under(drawRail(t))
		var c Course
		var sum Tally
		for _, r := range drawCourse(t, p) {
			got, err := c.Replay(r, p)
			if err != nil || got.Changes() || !got.Same() || got.Reworded() || got.Elsewise {
				t.Fatalf("%+v, %v", got, err)
			}
			sum.Add(got)
		}
		if sum.Changed+sum.Loosened+sum.Tightened != 0 || len(sum.Groups()) != 0 {
			t.Fatalf("%+v", sum)
		}
	})
}

func TestATighterPolicyDoesNothingMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		was := drawRail(t)
		is := was
		is.Mode = gate.Mode(rapid.IntRange(0, int(was.Mode)).Draw(t, "tighter mode"))
		is.Admission = gate.Admission(rapid.IntRange(int(was.Admission), 2).Draw(t, "louder admission"))
		up := func(f gate.Fact[int], name string) gate.Fact[int] {
			n, _ := f.Get()
			return gate.Known(min(100, n+rapid.IntRange(0, 30).Draw(t, name)))
		}
		is.DenyBelow, is.WarnBelow, is.HistoryBelow = up(was.DenyBelow, "deny more"), up(was.WarnBelow, "warn more"), up(was.HistoryBelow, "history more")
		is.Approvers = up(was.Approvers, "approvers more")
		is.Budgets.Workload.Actions = rapid.IntRange(0, was.Budgets.Workload.Actions).Draw(t, "budget less")
		p := under(is)
		if rapid.Bool().Draw(t, "another Guardrail") {
			other := drawRail(t)
			other.Name = "s"
			p.Rails = append(p.Rails, other)
		}
		var c Course
		for _, r := range drawCourse(t, under(was)) {
			got, err := c.Replay(r, p)
			if err != nil || got.Loosens() {
				t.Fatalf("%s -> %s under %+v, %v", got.Before.Ending, got.After.Ending, got.After.Verdict.Reasons, err)
			}
		}
		if !reflect.DeepEqual(c, Course{}) {
			t.Fatalf("a tighter policy would have begun %+v", c.begun)
		}
	})
}
