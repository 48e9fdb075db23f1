package webhook

import (
	"net/http"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

func anyReply(t *rapid.T) Reply {
	text := rapid.OneOf(rapid.String(), rapid.Just("field is Immutable\x1b[31m"), rapid.StringN(0, 400, 900), rapid.Just("immu\x00table"))
	finding := rapid.Custom(func(t *rapid.T) gate.Finding {
		return gate.Finding{ID: text.Draw(t, "id"), Text: text.Draw(t, "text"), Points: rapid.IntRange(-5, 100).Draw(t, "points"),
			Hard: rapid.Bool().Draw(t, "hard"), Nature: rapid.SampledFrom([]gate.Nature{gate.Lasting, gate.Pending, gate.Recent}).Draw(t, "nature")}
	})
	reason := rapid.Custom(func(t *rapid.T) gate.Reason {
		return gate.Reason{Rule: rapid.SampledFrom([]string{"score", "confidence", "readable"}).Draw(t, "rule"), Guardrail: text.Draw(t, "rail"),
			Decision: rapid.SampledFrom([]gate.Decision{gate.Deny, gate.Hold}).Draw(t, "reason"), Text: text.Draw(t, "why")}
	})
	return Reply{DryRun: rapid.Bool().Draw(t, "dry"), Unrecorded: rapid.Bool().Draw(t, "unrecorded"), Unqueued: rapid.Bool().Draw(t, "unqueued"),
		RetryAfter: rapid.Int32Range(0, 2).Draw(t, "retry"), Template: "0123456789abcdef", Judgement: flow.Judgement{
			Question:   flow.Question{Signal: gate.Signal{Face: gate.FaceWebhook, Subject: gate.Ref{Kind: "Deployment", Namespace: "shop", Name: text.Draw(t, "name")}}},
			Policy:     rail(rapid.SampledFrom([]gate.Admission{gate.AdmissionObserve, gate.AdmissionWarn, gate.AdmissionEnforce}).Draw(t, "mode")),
			Assessment: gate.Assessment{Score: gate.Known(rapid.IntRange(0, 100).Draw(t, "score")), Findings: rapid.SliceOfN(finding, 0, 15).Draw(t, "findings")},
			Verdict: gate.Verdict{Decision: rapid.SampledFrom([]gate.Decision{gate.Deny, gate.Hold, gate.Allow}).Draw(t, "decision"),
				Reasons: rapid.SliceOfN(reason, 0, 5).Draw(t, "reasons")}}}
}

func TestEveryAnswerIsFitToBeSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyReply(t)
		resp := Respond(r)
		if len(resp.Warnings) > warningsMax {
			t.Fatalf("%d warnings", len(resp.Warnings))
		}
		for _, w := range resp.Warnings {
			if len(w) > warningMax || !utf8.ValidString(w) || strings.ContainsFunc(w, unicode.IsControl) {
				t.Fatalf("%d bytes: %q", len(w), w)
			}
		}
		said := strings.Join(append(resp.Warnings, resp.Result.Message), "\n")
		if strings.Contains(strings.ToLower(said), "immutable") {
			t.Fatalf("says the forbidden word: %q", said)
		}
		if !utf8.ValidString(said) || strings.ContainsFunc(strings.ReplaceAll(said, "\n", ""), unicode.IsControl) {
			t.Fatalf("unprintable: %q", said)
		}
		if resp.Allowed {
			return
		}
		d := r.Judgement.Verdict.Decision
		switch resp.Result.Code {
		case http.StatusTooManyRequests:
			if resp.Result.Details.RetryAfterSeconds < 1 || resp.Result.Details.RetryAfterSeconds > 2 {
				t.Fatalf("retry after %d", resp.Result.Details.RetryAfterSeconds)
			}
		case http.StatusForbidden:
			if d != gate.Deny || r.mode() != gate.AdmissionEnforce || r.Unrecorded {
				t.Fatalf("denied %s in %s, unrecorded %v", d, r.mode(), r.Unrecorded)
			}
		default:
			t.Fatalf("denied with %d", resp.Result.Code)
		}
		if r.DryRun {
			t.Fatal("a dry run was not let in")
		}
	})
}

func TestObserveSaysNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyReply(t)
		r.Judgement.Policy, r.RetryAfter = rail(gate.AdmissionObserve), 0
		if resp := Respond(r); !resp.Allowed || len(resp.Warnings) > 0 || resp.AuditAnnotations["decision"] == "" {
			t.Fatalf("%+v", resp)
		}
	})
}

func TestRefusalSaysWhatToMend(t *testing.T) {
	b := newBench(t, rail(gate.AdmissionEnforce))
	resp := b.Handle(t.Context(), request(t, "CREATE", nil, poor("shop", "web")))
	name := b.queued()[0].Signal.CaseName()
	for _, want := range []string{"Deployment/web in shop", "Guardrail production:", "nowhere", "kubectl -n shop get case " + name + " -o yaml"} {
		if !strings.Contains(resp.Result.Message, want) {
			t.Errorf("%q is missing in:\n%s", want, resp.Result.Message)
		}
	}
	t.Log(resp.Result.Message)
}
