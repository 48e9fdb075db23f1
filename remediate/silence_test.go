package remediate_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"moorgate.dev/api/v1alpha1"
)

// TestASilenceHoldsUntilItEnds silences a workload that fails: it has its Case, which says so, and another workload is none of that. The
// moment that the silence is over the Case says so too.
func TestASilenceHoldsUntilItEnds(t *testing.T) {
	h := newHouse(t)
	web, api := h.written("web"), h.written("api")
	h.crash(&web[0])
	h.crash(&api[0])
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	g := h.guardrail(func(s *v1alpha1.GuardrailSpec) {
		s.Silences = []v1alpha1.Silence{{Workload: "Deployment/web", Symptom: "CrashLoop", Until: until.Format(time.RFC3339), By: "ana", Why: "ticket 12"},
			{Workload: "Deployment/api", Symptom: "ImagePull", Until: until.Format(time.RFC3339), By: "ana", Why: "another thing"}}
	})
	h.watchWith()
	silenced := func(want bool) func(v1alpha1.Case) error {
		return func(c v1alpha1.Case) error {
			says := slices.ContainsFunc(c.Status.Reasons, func(r v1alpha1.Reason) bool {
				return r.Rule == "silenced" && r.Text == "silenced until "+until.Format(time.RFC3339)+" by ana: ticket 12"
			})
			if says != want {
				return fmt.Errorf("the reasons are %+v", c.Status.Reasons)
			}
			return nil
		}
	}
	if c := h.judged("web", silenced(true)); c.Status.Decision != "Hold" || c.Status.Cause == "" || len(c.Status.Menu) == 0 {
		t.Errorf("%+v", c.Status)
	}
	h.judged("api", silenced(false))
	g.Spec.Silences[0].Until = time.Now().Add(-time.Second).UTC().Format(time.RFC3339)
	if err := h.admin.Update(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	h.eventually("the silence to be over", func() error { return silenced(false)(h.judged("web", anyVerdict)) })
}
