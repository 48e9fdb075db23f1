package app

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/drift"
	"moorgate.dev/remediate"
	"moorgate.dev/webhook"
)

// someCase is a Case of a face as it is once it is judged, with what a change makes of it.
func someCase(face string, change func(*v1alpha1.Case)) *v1alpha1.Case {
	c := &v1alpha1.Case{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: face + "-web-000000000000"},
		Spec: v1alpha1.CaseSpec{Signal: v1alpha1.CaseSignal{Face: face, Reason: "CrashLoop", Key: "web"}, Subject: v1alpha1.Subject{Group: "apps", Kind: "Deployment", Name: "web"}},
		Status: v1alpha1.CaseStatus{Opinion: v1alpha1.Opinion{Decision: "Hold"}, Chosen: []string{"one"}, Menu: []v1alpha1.Choice{
			{ID: "one", Verb: "evict", Reach: "live"}, {ID: "tell", Verb: "escalate", Reach: "nothing"}}}}
	change(c)
	return c
}

func heldBy(rules ...string) []v1alpha1.Reason {
	var all []v1alpha1.Reason
	for _, r := range rules {
		all = append(all, v1alpha1.Reason{Rule: r, Decision: "Hold"})
	}
	return all
}

// partOf is a Case that is a part of another.
func partOf(acting *v1alpha1.Acting) func(*v1alpha1.Case) {
	return func(c *v1alpha1.Case) {
		c.Status.InhibitedBy, c.Status.Acting, c.Status.Reasons = "shop/remediate-registry", acting, heldBy("parent")
	}
}

func TestWhatACaseWaitsFor(t *testing.T) {
	acting := func(phase, verb string, reasons ...v1alpha1.Reason) func(*v1alpha1.Case) {
		return func(c *v1alpha1.Case) {
			c.Status.Acting = &v1alpha1.Acting{Phase: phase, Verb: verb, Reasons: reasons}
		}
	}
	judged := func(decision string, reasons ...v1alpha1.Reason) func(*v1alpha1.Case) {
		return func(c *v1alpha1.Case) { c.Status.Opinion = v1alpha1.Opinion{Decision: decision, Reasons: reasons} }
	}
	answered := func(said, decision string, conditions ...metav1.Condition) func(*v1alpha1.Case) {
		return func(c *v1alpha1.Case) {
			c.Spec.Answer = &v1alpha1.Answer{Said: said}
			c.Status.Answer, c.Status.Decision, c.Status.Conditions = said, decision, conditions
		}
	}
	rollout := func(status metav1.ConditionStatus, reason string) metav1.Condition {
		return metav1.Condition{Type: v1alpha1.CaseRollout, Status: status, Reason: reason}
	}
	ended := func(status metav1.ConditionStatus, reason string, acted *v1alpha1.Acting) func(*v1alpha1.Case) {
		return func(c *v1alpha1.Case) {
			c.Status.Opinion, c.Status.Acting = v1alpha1.Opinion{Decision: "Hold", Reasons: heldBy("mode")}, acted
			c.Status.Conditions = []metav1.Condition{{Type: remediate.ConditionRecovered, Status: status, Reason: reason}}
		}
	}
	for name, x := range map[string]struct {
		face   string
		change func(*v1alpha1.Case)
		want   string
	}{
		"nobody knows how an action ended":                     {"remediate", acting("Unclear", "evict"), "human: nobody knows how evict ended"},
		"an action made it worse":                              {"remediate", acting("Worsened", "evict"), "human: it got worse after evict"},
		"a plan waits for approval":                            {"remediate", acting("Held", "evict", heldBy("approval")...), "human: approve evict"},
		"approval and a budget that will be free":              {"remediate", acting("Held", "evict", heldBy("budget", "approval")...), "human: approve evict"},
		"approval would not be enough":                         {"remediate", acting("Held", "evict", heldBy("approval", "breaker")...), "human: held by breaker"},
		"a plan was rejected":                                  {"remediate", acting("Held", "evict", v1alpha1.Reason{Rule: "approval", Decision: "Deny"}), "- (people said no)"},
		"a pull request was closed by people":                  {"drift", acting("Held", "pull-request", heldBy("rejected")...), "- (people said no)"},
		"only a budget holds it":                               {"remediate", acting("Held", "evict", heldBy("budget", "budget", "wait")...), "moorgate: held by budget, wait"},
		"it is held and nobody says why":                       {"remediate", acting("Held", "evict"), "human: evict"},
		"a pull request is open":                               {"drift", acting("Acted", "pull-request"), "human: review the pull request"},
		"an eviction is being verified":                        {"remediate", acting("Acted", "evict"), "moorgate: whether evict helped"},
		"an eviction is under way":                             {"remediate", acting("Acting", "evict"), "moorgate: how evict ends"},
		"it did not help":                                      {"remediate", acting("Ineffective", "evict"), "human: evict did not help"},
		"people closed its pull request, or merged it in vain": {"drift", acting("Ineffective", "pull-request"), "human: its pull request did not settle it"},
		"the world refused":                                    {"remediate", acting("Refused", "evict"), "human: evict was refused"},
		"it healed":                                            {"remediate", acting("Healed", "evict"), "- (healed)"},
		"a phase of a later version":                           {"remediate", acting("Pondering", "evict"), "human: Pondering"},
		"nobody has judged it":                                 {"drift", judged(""), "moorgate: a verdict"},
		"the verdict holds for approval":                       {"remediate", judged("Hold", heldBy("approval")...), "human: approve evict"},
		"the mode only observes":                               {"remediate", judged("Hold", heldBy("mode")...), "human: held by mode"},
		"it is denied":                                         {"remediate", judged("Deny", v1alpha1.Reason{Rule: "action", Decision: "Deny"}), "human: held by action"},
		"it is allowed, and act will do it":                    {"remediate", judged("Allow"), "moorgate: evict"},
		"it is allowed, and people are to be told":             {"remediate", func(c *v1alpha1.Case) { judged("Allow")(c); c.Status.Chosen = []string{"tell"} }, "human: escalate"},
		"nothing was chosen":                                   {"remediate", func(c *v1alpha1.Case) { judged("Allow")(c); c.Status.Chosen = nil }, "human: nothing was chosen"},
		"the drift is gone": {"drift", func(c *v1alpha1.Case) {
			c.Status.Conditions = []metav1.Condition{{Type: drift.CaseDrifted, Status: "False"}}
		}, "- (the drift is gone)"},
		"a workload recovered by itself":                        {"remediate", ended("True", "Ready", nil), "- (it recovered)"},
		"a workload was replaced after what was held":           {"remediate", ended("True", "Replaced", &v1alpha1.Acting{Phase: "Held", Verb: "evict", Reasons: heldBy("mode")}), "- (it recovered)"},
		"a workload recovered after what did not help":          {"remediate", ended("True", "Ready", &v1alpha1.Acting{Phase: "Worsened", Verb: "evict"}), "- (it recovered)"},
		"a workload recovered, and an eviction is looked after": {"remediate", ended("True", "Ready", &v1alpha1.Acting{Phase: "Acted", Verb: "evict"}), "moorgate: whether evict helped"},
		"a workload recovered, and nobody knows what was done":  {"remediate", ended("True", "Ready", &v1alpha1.Acting{Phase: "Unclear", Verb: "evict"}), "human: nobody knows how evict ended"},
		"a workload was deleted":                                {"remediate", ended("Unknown", "Gone", nil), "- (it was deleted)"},
		"a workload has no pods, and may come back":             {"remediate", ended("Unknown", "NoPods", nil), "human: held by mode"},
		"somebody silenced it":                                  {"remediate", judged("Hold", heldBy("mode", "silenced")...), "- (silenced)"},
		"a workload still fails":                                {"remediate", ended("False", "CrashLoop", nil), "human: held by mode"},
		"a part of what several share":                          {"remediate", partOf(nil), "- (a part of shop/remediate-registry)"},
		"a part, for which an approval was waited":              {"remediate", partOf(&v1alpha1.Acting{Phase: "Held", Verb: "evict", Reasons: heldBy("approval")}), "- (a part of shop/remediate-registry)"},
		"a part, about which something is being done":           {"remediate", partOf(&v1alpha1.Acting{Phase: "Acted", Verb: "evict"}), "moorgate: whether evict helped"},
		"what a person was seen to do":                          {"drift", func(c *v1alpha1.Case) { c.Spec.Signal.Reason = v1alpha1.ReasonWitnessed }, "- (for the record)"},
		"a client was asked to come again":                      {"webhook", answered(webhook.Retried, "Hold"), "model: its opinion"},
		"a model is asked ahead":                                {"webhook", answered(webhook.AskedAhead, "Hold"), "model: its opinion"},
		"a rollout was refused":                                 {"webhook", answered(webhook.Denied, "Deny"), "- (it was refused)"},
		"a rollout came in with a warning":                      {"webhook", answered(webhook.Warned, "Hold"), "human: it came in with a warning"},
		"a rollout slipped through and is not judged":           {"webhook", answered(webhook.SlippedThrough, ""), "moorgate: a verdict"},
		"a sound rollout":                                       {"webhook", answered(webhook.Admitted, "Allow"), "-"},
		"a sound rollout that is up":                            {"webhook", answered(webhook.Admitted, "Allow", rollout("False", "Available")), "moorgate: whether it stays up"},
		"a warned rollout that stayed up":                       {"webhook", answered(webhook.Warned, "Hold", rollout("True", "Available")), "- (Available)"},
		"a rollout that was superseded":                         {"webhook", answered(webhook.Warned, "Hold", rollout("True", "Superseded")), "- (Superseded)"},
		"a sound rollout that fails":                            {"webhook", answered(webhook.Admitted, "Allow", rollout("Unknown", "Crashed")), "human: it fails: Crashed"},
		"a sound rollout that failed":                           {"webhook", answered(webhook.Admitted, "Allow", rollout("True", "ImagePull")), "human: it failed: ImagePull"},
		"a Case of which nothing is known but the face":         {"", func(c *v1alpha1.Case) { c.Status = v1alpha1.CaseStatus{} }, "moorgate: a verdict"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := waitsFor(someCase(x.face, x.change)).String(); got != x.want {
				t.Errorf("got %q, want %q", got, x.want)
			}
		})
	}
}

func TestWhatNeedsAHumanComesFirst(t *testing.T) {
	phases := []string{"Healed", "Acting", "Acted", "Ineffective", "Held", "Unclear", "Worsened"}
	var found []v1alpha1.Case
	for i, phase := range phases {
		found = append(found, *someCase("remediate", func(c *v1alpha1.Case) {
			c.Name = phase
			c.CreationTimestamp = metav1.Unix(int64(i), 0)
			c.Status.Acting = &v1alpha1.Acting{Phase: phase, Verb: "evict", Reasons: heldBy("approval")}
		}))
	}
	var got []string
	for _, l := range (casesOptions{}).lines(found) {
		got = append(got, l.Name)
	}
	want := []string{"Worsened", "Unclear", "Held", "Ineffective", "Acted", "Acting", "Healed"}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
	if n := len((casesOptions{waiting: true}).lines(found)); n != 4 {
		t.Errorf("%d wait for a human, want 4", n)
	}
}
