package cluster_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

func rejected(plan string) v1alpha1.Brake {
	return v1alpha1.Brake{Kind: v1alpha1.BrakeReject, Plan: plan, User: "ana", Via: "Slack T1/U1", At: metav1.NewTime(noon())}
}

func snoozed(until time.Time) v1alpha1.Brake {
	at := metav1.NewTime(until)
	return v1alpha1.Brake{Kind: v1alpha1.BrakeSnooze, User: "ana", At: metav1.NewTime(noon()), Until: &at}
}

// TestABrakeHoldsWhateverComesAfterIt shows that a brake is on the Case before a claim or after it, and never beside it.
func TestABrakeHoldsWhateverComesAfterIt(t *testing.T) {
	k, ns := admin(t)
	cases := cluster.Cases{Client: k, Now: noon}
	open := func(t *testing.T) (*v1alpha1.Case, client.ObjectKey) {
		t.Helper()
		c, _, err := cases.Open(t.Context(), happening(ns, t.Name()), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		judged(t, cases, c)
		return c, client.ObjectKeyFromObject(c)
	}
	for name, test := range map[string]struct {
		brake v1alpha1.Brake
		rule  string
		says  gate.Decision
	}{
		"the plan is rejected":          {rejected(intent(&v1alpha1.Case{ObjectMeta: metav1.ObjectMeta{Namespace: ns}}, "r").Action.PlanDigest()), "approval", gate.Deny},
		"another plan is rejected":      {rejected("sha256:" + strings.Repeat("0", 64)), "", gate.Allow},
		"the Case is snoozed":           {snoozed(noon().Add(time.Hour)), "pause", gate.Hold},
		"the Case was snoozed, earlier": {snoozed(noon().Add(-time.Hour)), "", gate.Allow},
	} {
		t.Run(name, func(t *testing.T) {
			c, key := open(t)
			if late, err := cases.Brake(t.Context(), key, test.brake); late || err != nil {
				t.Fatalf("late %v, %v", late, err)
			}
			refused, err := cases.Claim(t.Context(), intent(c, "r-1"), 2)
			if err != nil || (refused == nil) != (test.rule == "") || refused != nil && (refused.Rule != test.rule || refused.Decision != test.says) {
				t.Errorf("%+v, %v", refused, err)
			}
		})
	}
	t.Run("what has begun is not held up, and that is said", func(t *testing.T) {
		c, key := open(t)
		if refused, err := cases.Claim(t.Context(), intent(c, "r-1"), 2); refused != nil || err != nil {
			t.Fatal(refused, err)
		}
		if late, err := cases.Brake(t.Context(), key, snoozed(noon().Add(time.Hour))); !late || err != nil {
			t.Errorf("late %v, %v", late, err)
		}
	})
	t.Run("said twice it is there once, and the longest snooze stands", func(t *testing.T) {
		_, key := open(t)
		short, long := snoozed(noon().Add(time.Hour)), snoozed(noon().Add(8*time.Hour))
		for _, b := range []v1alpha1.Brake{rejected("sha256:a"), short, long, short, rejected("sha256:a")} {
			if _, err := cases.Brake(t.Context(), key, b); err != nil {
				t.Fatal(err)
			}
		}
		got, _ := cases.Brakes(t.Context(), key.Namespace, key.Name).Get()
		if len(got) != 2 || !slices.ContainsFunc(got, func(b v1alpha1.Brake) bool { return b.Until != nil && b.Until.Time.Equal(long.Until.Time) }) {
			t.Errorf("%+v", got)
		}
	})
	t.Run("there is an end to it, and none that holds makes room", func(t *testing.T) {
		_, key := open(t)
		for i := range 8 {
			if _, err := cases.Brake(t.Context(), key, rejected("sha256:"+string(rune('a'+i)))); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := cases.Brake(t.Context(), key, rejected("sha256:z")); !errors.Is(err, cluster.ErrBraked) {
			t.Error(err)
		}
	})
}

// TestBrakesAreFactsOfTheirCase shows what the guardrail is told.
func TestBrakesAreFactsOfTheirCase(t *testing.T) {
	k, ns := admin(t)
	cases := cluster.Cases{Client: k, Now: noon}
	s := happening(ns, "x")
	c, _, err := cases.Open(t.Context(), s, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	judged(t, cases, c)
	for _, b := range []v1alpha1.Brake{rejected("sha256:a"), snoozed(noon().Add(time.Hour))} {
		if _, err := cases.Brake(t.Context(), client.ObjectKeyFromObject(c), b); err != nil {
			t.Fatal(err)
		}
	}
	away := func(t *testing.T) cluster.Cases {
		t.Helper()
		return cluster.Cases{Client: unreadable{k}, Now: noon}
	}
	for name, test := range map[string]struct {
		of           cluster.Cases
		at           time.Time
		words, stops int // -1: unknown
	}{
		"a rejection, and a snooze while it lasts": {cases, noon(), 1, 1},
		"the rejection alone afterwards":           {cases, noon().Add(2 * time.Hour), 1, 0},
		"unknown where the Case cannot be read":    {away(t), noon(), -1, -1},
	} {
		t.Run(name, func(t *testing.T) {
			q := asked(ns)
			q.Facts.At = test.at
			q.Facts.Approvals, q.Facts.Paused = gate.Known[[]gate.Approval](nil), gate.Known[[]string](nil)
			cluster.Circumstances{Brakes: test.of.Brakes}.Complete(t.Context(), &q, gate.Known(noon()), "", "")
			words, heard := q.Facts.Approvals.Get()
			stops, known := q.Facts.Paused.Get()
			if heard != (test.words >= 0) || heard && (len(words) != test.words || !words[0].Reject || words[0].Plan != "sha256:a") {
				t.Errorf("words %+v, %v", words, heard)
			}
			if known != (test.stops >= 0) || known && len(stops) != test.stops {
				t.Errorf("stops %q, %v", stops, known)
			}
		})
	}
}

// unreadable is an API server that does not answer.
type unreadable struct{ client.Client }

func (unreadable) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return errors.New("connection refused")
}

// judged gives a Case a verdict.
func judged(t *testing.T, cases cluster.Cases, c *v1alpha1.Case) {
	t.Helper()
	if err := cases.Keep(t.Context(), client.ObjectKeyFromObject(c), func(s *v1alpha1.CaseStatus) { s.Decision = gate.Hold.String() }); err != nil {
		t.Fatal(err)
	}
}
