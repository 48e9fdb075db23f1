package audit

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"moorgate.dev/internal/gate"
)

var update = flag.Bool("update", false, "write the golden files anew")

// at is a moment of the night of the story.
func at(clock string) time.Time {
	t, err := time.Parse(time.DateTime, "2026-11-23 "+clock)
	if err != nil {
		panic(err)
	}
	return t
}

// numbered makes entries of one log out of records.
func numbered(log string, from uint64, records ...gate.Record) []Entry {
	var all []Entry
	for i, r := range records {
		all = append(all, Entry{Position: gate.Position{Log: log, Sequence: from + uint64(i)}, Record: r})
	}
	return all
}

var (
	pod   = gate.Ref{Version: "v1", Kind: "Pod", Namespace: "shop", Name: "web-7d9c5b6f4-x2x1z", UID: "u-7"}
	evict = gate.Action{ID: "evict", Verb: "evict", Reach: gate.ReachLive, Target: pod, Workload: subject, Undo: "the ReplicaSet makes another pod",
		Request: &gate.Request{Method: "POST", Path: "/api/v1/namespaces/shop/pods/web-7d9c5b6f4-x2x1z/eviction", Body: []byte(`{}`)}}
	escalate = gate.Action{ID: "escalate", Verb: "escalate", Reach: gate.ReachNothing, Target: subject}
)

func seen() gate.Record {
	signal := gate.Signal{Face: gate.FaceRemediate, Reason: "CrashLoop", Subject: subject, Key: "crash-loop/app", At: at("02:13:35"),
		Text: "container app of 1 of 3 pods restarted 6 times in 10 minutes"}
	return gate.Record{Kind: gate.RecordVerdict, Correlation: "shop/remediate-web-0123456789ab", Signal: &signal, PolicyDigest: "sha256:77aa"}
}

// judged is a verdict of the night, with so many approvals.
func judged(approvals ...gate.Approval) gate.Record {
	r := seen()
	r.At = at("02:14:06")
	r.Evidence = []gate.Evidence{
		{ID: "e1", Source: "Pod/web-7d9c5b6f4-x2x1z", Trust: gate.FromAPI, Text: "app: CrashLoopBackOff, exit code 1 on one node only"},
		{ID: "e2", Source: "Event/BackOff", Trust: gate.FromEvent, Text: "Back-off restarting failed container app"},
		{ID: "e3", Source: "metrics of the node", Trust: gate.FromMetric, Unread: "no metrics server answers"},
	}
	r.Facts = &gate.Facts{At: r.At, Subject: subject, Menu: []gate.Action{evict, escalate}, Approvals: gate.Known(approvals)}
	r.Assessment = &gate.Assessment{Advisor: "causes", Cause: "bad-node", Score: gate.Known(88), Confidence: gate.Known(81), Agreement: gate.Known(100),
		Choice: []string{"evict"}, Findings: []gate.Finding{{ID: "one-node", Text: "the two pods on other nodes are well", Points: 12, Evidence: []string{"e1"}}}}
	r.Policy = &gate.Policy{Rails: []gate.Rail{{Name: "production", Mode: gate.Approve}, {Name: "team-shop", Mode: gate.Automatic}}}
	r.Verdict = &gate.Verdict{Decision: gate.Hold, Reasons: []gate.Reason{{Rule: "approval", Guardrail: "production", Decision: gate.Hold,
		Text: "it waits for approval: 0 of 2 have approved plan " + evict.PlanDigest()[:19]}}}
	return r
}

func approval(by, when, reason string) gate.Approval {
	return gate.Approval{Name: "approve-" + by, Approver: by, Plan: evict.PlanDigest(), At: at(when), Expires: at(when).Add(time.Hour), Reason: reason}
}

// night is a case that was seen, held, approved by two people, done and healed, as it stands in the logs of two processes.
func night() []Entry {
	word := func(a gate.Approval) gate.Record {
		return gate.Record{Kind: gate.RecordApproval, Correlation: seen().Correlation, At: a.At.Add(time.Second), Approval: &a}
	}
	alice, bob := approval("alice@example.com", "02:16:10", "saw the node's disk fail"), approval("bob@example.com", "02:18:41", "")
	model := gate.Record{Kind: gate.RecordModel, Correlation: seen().Correlation, At: at("02:14:05"), Model: &gate.Exchange{Model: "gpt-5-mini", Prompt: "triage@3",
		Asked: evict.PlanDigest(), Answered: escalate.PlanDigest(), TokensIn: 4812, TokensCached: 3584, TokensOut: 211, MicroUSD: 2140, Took: 2417 * time.Millisecond}}
	again := judged(alice)
	again.At = at("02:16:12")
	again.Verdict.Reasons[0].Text = "it waits for approval: 1 of 2 have approved plan " + evict.PlanDigest()[:19]
	intent := judged(alice, bob)
	intent.Kind, intent.At, intent.Facts.At, intent.Action, intent.Digest, intent.ActionDigest = gate.RecordIntent, at("02:18:44"), at("02:18:44"), &evict, evict.PlanDigest(), evict.Digest()
	intent.Reservation, intent.Attempt, intent.Verdict = "r-5f0c", 1, &gate.Verdict{Decision: gate.Allow}
	done, outcome := gate.OutcomeDone, seen()
	outcome.Kind, outcome.At, outcome.Action, outcome.Digest, outcome.Outcome = gate.RecordOutcome, at("02:18:45"), &evict, evict.PlanDigest(), &done
	healed := gate.Record{Kind: gate.RecordVerification, Correlation: seen().Correlation, At: at("02:23:50"), Result: gate.ResultHealed, Text: "3 of 3 pods ready for 5 minutes"}
	pull := gate.Record{Kind: gate.RecordPullRequest, Correlation: seen().Correlation, At: at("02:24:00"), URL: "https://github.com/example/shop/pull/17", Text: "cordon the node in the node pool"}
	told := gate.Record{Kind: gate.RecordNotification, Correlation: seen().Correlation, At: at("02:24:01"), URL: "slack #shop-oncall", Text: "evicted, healed"}
	other := verdict("of another case")
	other.Correlation, other.At = "shop/other", at("02:15:00")
	logs := append(numbered("act-a", 7, intent, outcome, healed, pull, told), numbered("judge-b", 40, model, judged(), other, word(alice), again, judgedAt(again, "02:17:12"), word(bob))...)
	mine, err := ByCase(each(logs), seen().Correlation)
	if err != nil {
		panic(err)
	}
	return mine
}

func judgedAt(r gate.Record, when string) gate.Record {
	r.At = at(when)
	return r
}

func each(entries []Entry) func(func(Entry, error) bool) {
	return func(yield func(Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// refused is a rollout that the gate did not let in.
func refused() []Entry {
	signal := gate.Signal{Face: gate.FaceWebhook, Reason: "Rollout", Subject: subject, Key: "rollout/1", At: at("14:00:01"), Text: "kim@example.com changes image of app to shop/web:latest"}
	rail := gate.Rail{Name: "production", Mode: gate.Observe, Admission: gate.AdmissionEnforce, WarnBelow: gate.Known(80), DenyBelow: gate.Known(60)}
	return numbered("judge-b", 90, gate.Record{Kind: gate.RecordVerdict, At: at("14:00:01"), Correlation: "shop/webhook-web-0123456789ab", Signal: &signal,
		Facts:  &gate.Facts{Menu: []gate.Action{{ID: "admit", Verb: "admit", Reach: gate.ReachAnswer, Target: subject}}},
		Policy: &gate.Policy{Rails: []gate.Rail{rail}},
		Assessment: &gate.Assessment{Advisor: "checks", Score: gate.Known(41), Confidence: gate.Unknown[int]("2 of 14 checks could not look"), Choice: []string{"admit"},
			Findings: []gate.Finding{{ID: "image-tag", Text: "app runs shop/web:latest, which is not one image", Points: 25},
				{ID: "quota", Text: "2 pods more need 4 CPU and 1 is left in ResourceQuota/compute", Points: 34, Nature: gate.Recent}}},
		Verdict: &gate.Verdict{Decision: gate.Deny, Reasons: []gate.Reason{
			{Rule: "mode", Guardrail: "production", Decision: gate.Hold, Text: "the mode is Observe"},
			{Rule: "score", Guardrail: "production", Decision: gate.Deny, Text: "the score is 41, and below 60 nothing is let in"}}}})
}

func TestStoryReadsAtThreeInTheMorning(t *testing.T) {
	crashed := night()
	crashed = slices.DeleteFunc(crashed, func(e Entry) bool { return e.Position.Log == "act-a" && e.Position.Sequence > 7 })
	for name, entries := range map[string][]Entry{"evicted-and-healed": night(), "denied-at-the-gate": refused(), "crashed-after-the-intent": crashed} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(Story(entries), "\n") + "\n"
			golden := filepath.Join("testdata", "story", name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// FuzzStory tells stories of records from strangers: whatever they hold, what is told is printable lines.
func FuzzStory(f *testing.F) {
	f.Add("model", "a\x1b[2J\n", "sha256:\u202eabcdefghijklmnop")
	f.Fuzz(func(t *testing.T, kind, a, b string) {
		r := gate.Record{Kind: gate.RecordKind(kind), Text: a, URL: b, Digest: b, Reservation: a, ActionDigest: b, Result: gate.Result(a), PolicyDigest: b,
			Signal: &gate.Signal{Face: gate.Face(b), Reason: a, Text: a}, Evidence: []gate.Evidence{{Source: a, Text: b}, {Source: b, Unread: a}},
			Facts:      &gate.Facts{Menu: []gate.Action{{ID: a, Verb: b, Target: gate.Ref{Name: a}}}},
			Assessment: &gate.Assessment{Advisor: a, Cause: b, Choice: []string{a}, Findings: []gate.Finding{{ID: b, Text: a}}},
			Verdict:    &gate.Verdict{Reasons: []gate.Reason{{Rule: a, Guardrail: b, Text: a}}}, Approval: &gate.Approval{Approver: a, Reason: b, Plan: b},
			Model: &gate.Exchange{Model: a, Prompt: b, Asked: a, Answered: b}, Action: &gate.Action{Verb: a, Target: gate.Ref{Name: b}}}
		e := Entry{Position: gate.Position{Log: b}, Record: r}
		for _, s := range append(Story([]Entry{e, e}), Line(e)) {
			if i := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
				t.Errorf("%q holds %q", s, s[i:])
			}
		}
	})
}

func TestAStoryTellsWhatBecameOfARollout(t *testing.T) {
	for want, r := range map[string]gate.Rollout{
		"It was let in with a warning at score 61, and the rollout crashed: 1 of 3 pods fail.":         {Said: "Warned", Outcome: gate.RolloutCrashed, Score: gate.Known(61)},
		"It came in unasked, and the rollout was taken back: 1 of 3 pods fail.":                        {Said: "SlippedThrough", Outcome: gate.RolloutRolledBack},
		"It was let in at score 100, and nobody can say what became of the rollout: 1 of 3 pods fail.": {Said: "Admitted", Outcome: gate.RolloutUnknown, Score: gate.Known(100)},
		"It was let in at score 100, and the rollout got through: 1 of 3 pods fail.":                   {Said: "Admitted", Outcome: gate.RolloutAvailable, Score: gate.Known(100)},
		"It was let in at score 100, and the rollout became Something: 1 of 3 pods fail.":              {Said: "Admitted", Outcome: "Something", Score: gate.Known(100)},
	} {
		said := strings.Join(Story([]Entry{{Record: gate.Record{Kind: gate.RecordVerification, Correlation: "shop/c", Rollout: &r, Text: "1 of 3 pods fail"}}}), "\n")
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in\n%s", want, said)
		}
	}
}
