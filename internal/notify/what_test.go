package notify

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// kase is a Case that was judged, with one change.
func kase(face gate.Face, verb string, change func(*v1alpha1.Case)) *v1alpha1.Case {
	k := &v1alpha1.Case{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "remediate-web-1", UID: "uid-1"},
		Spec: v1alpha1.CaseSpec{Signal: v1alpha1.CaseSignal{Face: string(face), Reason: "CrashLoop", Text: "app crash-loops"}, Subject: v1alpha1.Subject{Group: "apps", Version: "v1", Kind: "Deployment", Name: "web"}},
		Status: v1alpha1.CaseStatus{Chosen: []string{"x"}, Menu: []v1alpha1.Choice{{ID: "x", Verb: verb, Reach: "live", Digest: plan(1)}},
			Conditions: []metav1.Condition{{Type: v1alpha1.CaseJudged, Status: metav1.ConditionTrue, LastTransitionTime: metav1.NewTime(noon)}}}}
	if change != nil {
		change(k)
	}
	return k
}

func plan(n int) string { return fmt.Sprintf("sha256:%064d", n) }

func acting(phase string, rules ...string) func(*v1alpha1.Case) {
	return func(k *v1alpha1.Case) {
		a := &v1alpha1.Acting{Phase: phase, Plan: plan(1), At: metav1.NewTime(noon)}
		for _, rule := range rules {
			decision := "Hold"
			if rule[0] == '!' {
				rule, decision = rule[1:], "Deny"
			}
			a.Reasons = append(a.Reasons, v1alpha1.Reason{Rule: rule, Decision: decision, Text: rule})
		}
		k.Status.Acting = a
	}
}

func condition(kind string, status metav1.ConditionStatus, reason string) func(*v1alpha1.Case) {
	return func(k *v1alpha1.Case) {
		k.Status.Conditions = append(k.Status.Conditions, metav1.Condition{Type: kind, Status: status, Reason: reason, LastTransitionTime: metav1.NewTime(noon)})
	}
}

func TestWhatACaseComesTo(t *testing.T) {
	for name, test := range map[string]struct {
		k    *v1alpha1.Case
		want string
		over bool
	}{
		"nothing but people can help":                {kase(gate.FaceRemediate, "escalate", nil), Escalated, false},
		"not judged yet":                             {kase(gate.FaceRemediate, "escalate", func(k *v1alpha1.Case) { k.Status.Conditions = nil }), "", false},
		"an answer at the gate":                      {kase(gate.FaceWebhook, "escalate", nil), "", false},
		"what a person was seen to do":               {kase(gate.FaceDrift, "escalate", func(k *v1alpha1.Case) { k.Spec.Witness = &v1alpha1.Witness{} }), "", false},
		"it waits for people's word":                 {kase(gate.FaceRemediate, "evict", acting("Held", "approval", "wait")), Approval, false},
		"a score that an approval lifts":             {kase(gate.FaceRemediate, "evict", acting("Held", "score", "history")), Approval, false},
		"a part of what is told by another Case":     {kase(gate.FaceRemediate, "evict", func(k *v1alpha1.Case) { acting("Held", "approval")(k); k.Status.InhibitedBy = "shop/x" }), "", false},
		"it waits for more than that":                {kase(gate.FaceRemediate, "evict", acting("Held", "approval", "freeze")), "", false},
		"it was rejected":                            {kase(gate.FaceRemediate, "evict", acting("Held", "!approval")), "", false},
		"it waits for time alone":                    {kase(gate.FaceRemediate, "evict", acting("Held", "wait")), "", false},
		"it was done":                                {kase(gate.FaceRemediate, "evict", acting("Acted")), Acted, false},
		"it helped":                                  {kase(gate.FaceRemediate, "evict", acting("Healed")), Healed, false},
		"it did not help":                            {kase(gate.FaceRemediate, "evict", acting("Ineffective")), NotHealed, false},
		"it made it worse":                           {kase(gate.FaceRemediate, "evict", acting("Worsened")), NotHealed, false},
		"it was refused":                             {kase(gate.FaceRemediate, "evict", acting("Refused")), NotHealed, false},
		"nobody knows how it ended":                  {kase(gate.FaceRemediate, "evict", acting("Unclear")), Escalated, false},
		"an action is under way":                     {kase(gate.FaceRemediate, "evict", acting("Acting")), "", false},
		"it recovered by itself":                     {kase(gate.FaceRemediate, "escalate", condition("Recovered", metav1.ConditionTrue, "Ready")), Healed, true},
		"its workload is gone":                       {kase(gate.FaceRemediate, "escalate", condition("Recovered", metav1.ConditionUnknown, "Gone")), Healed, true},
		"nobody knows whether it recovered":          {kase(gate.FaceRemediate, "escalate", condition("Recovered", metav1.ConditionUnknown, "NoPods")), Escalated, false},
		"a drift that stands":                        {kase(gate.FaceDrift, "escalate", condition("Drifted", metav1.ConditionTrue, "Differs")), Escalated, false},
		"a drift that is gone":                       {kase(gate.FaceDrift, "escalate", condition("Drifted", metav1.ConditionFalse, "Same")), Healed, true},
		"a drift of which nobody knows if it stands": {kase(gate.FaceDrift, "escalate", condition("Drifted", metav1.ConditionUnknown, "Unread")), Escalated, false},
	} {
		t.Run(name, func(t *testing.T) {
			if v := look(test.k); v.What != test.want || v.Over != test.over {
				t.Errorf("%+v, want %q, over %v", v, test.want, test.over)
			}
		})
	}
}

func TestABrakeIsSeenAndPutsRepeatsOff(t *testing.T) {
	until := metav1.NewTime(noon.Add(time.Hour))
	with := look(kase(gate.FaceRemediate, "escalate", func(k *v1alpha1.Case) {
		k.Status.Brakes = []v1alpha1.Brake{{Kind: v1alpha1.BrakeSnooze, User: "ana", Until: &until}}
	}))
	without := look(kase(gate.FaceRemediate, "escalate", nil))
	if with.State == without.State || !with.Until.Equal(until.Time) {
		t.Errorf("%+v\n%+v", with, without)
	}
}

func item1(n int, what string, since time.Time, t v1alpha1.Told) item {
	return item{uid: types.UID(fmt.Sprint("uid-", n)), named: true, view: view{What: what, Since: since, State: what, Over: what == Healed}, told: t}
}

func told(phase, what string, at time.Time, change func(*v1alpha1.Told)) v1alpha1.Told {
	first := metav1.NewTime(at)
	t := v1alpha1.Told{Receiver: "r", Phase: phase, What: what, State: what, ID: "id", Attempts: 1, At: first, First: &first}
	if change != nil {
		change(&t)
	}
	return t
}

func many(n int, since time.Time) []item {
	var all []item
	for i := range n {
		all = append(all, item1(i, Escalated, since, v1alpha1.Told{}))
	}
	return all
}

func TestWhatIsDue(t *testing.T) {
	pace := Pace{Wait: metav1.Duration{Duration: 30 * time.Second}, Interval: metav1.Duration{Duration: 5 * time.Minute}, Repeat: metav1.Duration{Duration: 4 * time.Hour}, Single: 5}
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	every := []string{Escalated, Approval, Acted, Healed, NotHealed, Storm}
	stands := func(t *v1alpha1.Told) { t.Message = "C1/1" }
	next := func(at time.Time) func(*v1alpha1.Told) {
		return func(t *v1alpha1.Told) { x := metav1.NewTime(at); t.Next = &x }
	}
	for name, test := range map[string]struct {
		kind  string
		tell  []string
		items []item
		want  string
	}{
		"not before it has lasted":              {KindWebhook, every, many(1, ago(29*time.Second)), ""},
		"once it has":                           {KindWebhook, every, many(1, ago(30*time.Second)), "1"},
		"five one by one":                       {KindWebhook, every, many(5, ago(time.Minute)), "1 1 1 1 1"},
		"six in one":                            {KindWebhook, every, many(6, ago(time.Minute)), "digest6"},
		"a hundred in one":                      {KindSlack, every, many(100, ago(time.Minute)), "digest100"},
		"no more than a hundred":                {KindSlack, every, many(150, ago(time.Minute)), "digest100"},
		"an Event is about one object":          {KindEvent, every, many(7, ago(time.Minute)), "1 1 1 1 1 1 1"},
		"what was told lately counts":           {KindWebhook, every, append(many(3, ago(time.Minute)), item1(8, Escalated, ago(time.Hour), told("Sent", Escalated, ago(time.Minute), nil)), item1(9, Escalated, ago(time.Hour), told("Sent", Escalated, ago(time.Minute), nil)), item1(7, Escalated, ago(time.Hour), told("Sent", Escalated, ago(time.Minute), nil))), "digest3"},
		"rest after a digest":                   {KindWebhook, every, append(many(6, ago(time.Minute)), item1(9, Escalated, ago(time.Hour), told("Sent", Escalated, ago(4*time.Minute), func(t *v1alpha1.Told) { t.Digest = true }))), ""},
		"and then the next":                     {KindWebhook, every, append(many(6, ago(time.Minute)), item1(9, Escalated, ago(time.Hour), told("Sent", Escalated, ago(5*time.Minute), func(t *v1alpha1.Told) { t.Digest = true }))), "digest6"},
		"storms alone, where only that is told": {KindWebhook, []string{Storm}, many(6, ago(time.Minute)), "digest6"},
		"and nothing where there is none":       {KindWebhook, []string{Storm}, many(2, ago(time.Minute)), ""},
		"not what it is not told of":            {KindWebhook, []string{Approval}, many(2, ago(time.Minute)), ""},
		"nothing twice":                         {KindWebhook, every, []item{item1(1, Escalated, ago(time.Hour), told("Sent", Escalated, ago(time.Hour), nil))}, ""},
		"again after four hours":                {KindWebhook, every, []item{item1(1, Escalated, ago(5*time.Hour), told("Sent", Escalated, ago(4*time.Hour), nil))}, "1"},
		"what is over is not repeated":          {KindWebhook, every, []item{item1(1, Healed, ago(5*time.Hour), told("Sent", Healed, ago(4*time.Hour), nil))}, ""},
		"what nobody was told for a day is old": {KindWebhook, every, many(1, ago(25*time.Hour)), ""},
		"what got over it by itself, untold":    {KindWebhook, every, []item{item1(1, Healed, ago(time.Minute), v1alpha1.Told{})}, ""},
		"a claim is somebody's":                 {KindWebhook, every, []item{item1(1, Escalated, ago(time.Hour), told("Claimed", Escalated, ago(time.Minute), nil))}, ""},
		"until they are gone":                   {KindWebhook, every, []item{item1(1, Escalated, ago(time.Hour), told("Claimed", Escalated, ago(2*time.Minute), nil))}, "again"},
		"not before its time":                   {KindWebhook, every, []item{item1(1, Escalated, ago(time.Hour), told("Failed", Escalated, ago(time.Minute), next(noon.Add(time.Second))))}, ""},
		"once more":                             {KindWebhook, every, []item{item1(1, Escalated, ago(time.Hour), told("Failed", Escalated, ago(time.Minute), next(noon)))}, "1"},
		"in Slack what changed is updated":      {KindSlack, every, []item{item1(1, Acted, ago(time.Minute), told("Sent", Approval, ago(time.Hour), stands))}, "update"},
		"in Slack new needs are new messages":   {KindSlack, every, []item{item1(1, NotHealed, ago(time.Minute), told("Sent", Acted, ago(time.Hour), stands))}, "1"},
		"an incident is ended, told or not":     {KindPagerDuty, []string{Escalated}, []item{item1(1, Healed, ago(time.Minute), told("Sent", Escalated, ago(time.Hour), stands))}, "update"},
		"one that may be there too":             {KindPagerDuty, []string{Escalated}, []item{item1(1, Healed, ago(time.Minute), told("Failed", Escalated, ago(time.Hour), stands))}, "update"},
		"an incident of many with the last":     {KindPagerDuty, []string{Escalated}, []item{item1(1, Healed, ago(time.Minute), told("Sent", Escalated, ago(time.Hour), stands)), item1(2, Escalated, ago(time.Hour), told("Sent", Escalated, ago(time.Hour), stands))}, ""},
		"which is one message":                  {KindPagerDuty, []string{Escalated}, []item{item1(1, Healed, ago(time.Minute), told("Sent", Escalated, ago(time.Hour), stands)), item1(2, Healed, ago(time.Hour), told("Sent", Escalated, ago(time.Hour), stands))}, "update2"},
		"where there is no incident, no end":    {KindPagerDuty, every, []item{item1(1, Healed, ago(time.Minute), told("Sent", Acted, ago(time.Hour), nil))}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			for _, j := range pace.plan(Receiver{Name: "r", Kind: test.kind, Tell: test.tell}, noon, test.items) {
				word := "1"
				switch {
				case j.digest:
					word = fmt.Sprint("digest", len(j.items))
				case j.update && len(j.items) > 1:
					word = fmt.Sprint("update", len(j.items))
				case j.update:
					word = "update"
				case j.again:
					word = "again"
				}
				if got != "" {
					got += " "
				}
				got += word
			}
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
	snoozed := many(1, ago(time.Minute))
	snoozed[0].view.Until = noon.Add(time.Second)
	if jobs := pace.plan(Receiver{Name: "r", Kind: KindWebhook, Tell: every}, noon, snoozed); len(jobs) != 0 {
		t.Errorf("a snoozed Case is told: %+v", jobs)
	}
	unnamed := many(1, ago(time.Minute))
	unnamed[0].named = false
	if jobs := pace.plan(Receiver{Name: "r", Kind: KindWebhook, Tell: every}, noon, unnamed); len(jobs) != 0 {
		t.Errorf("nobody named it, and it is told: %+v", jobs)
	}
}

func TestItWaitsLongerEachTimeAndNeverForLong(t *testing.T) {
	last := time.Duration(0)
	for n := 1; n < 100; n++ {
		d := pauseAfter(n, 0)
		if d < last || d > backoffMax || d < backoff {
			t.Fatalf("%d: %s after %s", n, d, last)
		}
		last = d
	}
	if d := pauseAfter(1, 20*time.Minute); d != 20*time.Minute {
		t.Error(d)
	}
	if d := pauseAfter(1, 240*time.Hour); d != time.Hour {
		t.Error(d)
	}
}
