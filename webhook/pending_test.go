package webhook

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"

	"moorgate.dev/internal/gate"
)

// TestKeptOutUntilAModelIsHeard shows that such a refusal is an answer like any other: recorded, or not given.
func TestKeptOutUntilAModelIsHeard(t *testing.T) {
	req := request(t, admissionv1.Create, nil, deployment("shop", "web"))
	t.Run("it is refused, and recorded with the rule that refuses it", func(t *testing.T) {
		b := newAdvisedBench(t, waitsForAModel(gate.PendingDeny))
		resp := b.Handle(t.Context(), req)
		if resp.Result.Code != http.StatusForbidden || !strings.Contains(resp.Result.Message, "keeps it out until then") || resp.AuditAnnotations["recorded"] != "true" {
			t.Errorf("%+v %v", resp.Result, resp.AuditAnnotations)
		}
		all := b.queued()
		if len(b.log.records) != 1 || len(all) != 1 || b.log.records[0].Correlation != "shop/"+all[0].Signal.CaseName() {
			t.Fatalf("%+v", b.log.records)
		}
		r := b.log.records[0]
		if v := r.Verdict; v.Decision != gate.Deny || len(v.Reasons) != 1 || v.Reasons[0].Rule != "unheard" || gate.Decide(*r.Policy, *r.Assessment, *r.Facts).Decision != gate.Deny {
			t.Errorf("%+v", r.Verdict)
		}
	})
	t.Run("it is let in where it cannot be recorded", func(t *testing.T) {
		b := newAdvisedBench(t, waitsForAModel(gate.PendingDeny))
		b.log.fails = errors.New("disk full")
		resp := b.Handle(t.Context(), req)
		if !resp.Allowed || len(resp.Warnings) == 0 || !strings.Contains(resp.Warnings[0], "unrecorded") {
			t.Errorf("%+v %v", resp.Result, resp.Warnings)
		}
		if all := b.queued(); len(all) != 2 || all[0].Answer.Said != Retried || !all[1].Ends || all[1].Answer.Said == Denied {
			t.Errorf("%+v", all)
		}
	})
	t.Run("a client that is to come again was not answered yet", func(t *testing.T) {
		b := newAdvisedBench(t, waitsForAModel(gate.PendingRetry))
		if resp := b.Handle(t.Context(), req); resp.Result.Code != http.StatusTooManyRequests || len(b.log.records) != 0 {
			t.Errorf("%+v %v", resp.Result, b.log.records)
		}
	})
}
