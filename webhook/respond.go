package webhook

import (
	"net/http"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// What a Case says that the answer was.
const (
	Admitted       = "Admitted"
	Warned         = "Warned"
	Denied         = "Denied"
	Retried        = "Retried"
	AskedAhead     = "AskedAhead"
	SlippedThrough = "SlippedThrough"
)

// Reply is all that an answer is made from.
type Reply struct {
	Judgement flow.Judgement
	Template  string // the hash of the pod template that was judged
	DryRun    bool
	// Unrecorded: the verdict could not be written down. Such a verdict refuses nothing.
	Unrecorded bool
	// Unqueued: no Case will be opened, because too many are waiting to be, or because the process stops.
	Unqueued bool
	// RetryAfter, where above 0, asks the client to come again in so many seconds: because what is missing may come, or, as
	// Pending says, because a model is being asked.
	RetryAfter int32
	Pending    gate.OnPending
	// Note says what became of a model's word that would have been waited for.
	Note string

	held bool // the answer belongs onto the Case of a wait
}

// refuseNot lets in what was to be kept out until a model is heard.
func (r *Reply) refuseNot() {
	if r.Pending == gate.PendingDeny {
		r.RetryAfter, r.Pending, r.held = 0, gate.PendingWarn, true
	}
}

// Said is the answer in the word that the Case uses.
func (r Reply) Said() string {
	switch {
	case r.denies():
		return Denied
	case r.aloud() < gate.Allow:
		return Warned
	}
	return Admitted
}

func (r Reply) mode() gate.Admission { return r.Judgement.Policy.Admission() }

// aloud is the verdict as far as anybody is told of it: that of the Guardrails that warn or enforce. One that only observes
// is on trial, and what it would say is found in the Case.
func (r Reply) aloud() gate.Decision {
	d := gate.Allow
	for _, reason := range r.Judgement.Verdict.Reasons {
		if r.Judgement.Policy.Tells(reason) {
			d = min(d, reason.Decision)
		}
	}
	return d
}

// refuses reports whether a reason is one of those for which a Guardrail refuses.
func (r Reply) refuses(reason gate.Reason) bool {
	return r.Judgement.Policy.Refuses(gate.Verdict{Reasons: []gate.Reason{reason}})
}

// denies: only a recorded Deny, under Enforce, of a real request. Everything else is let in.
func (r Reply) denies() bool {
	return r.Judgement.Policy.Refuses(r.Judgement.Verdict) && !r.DryRun && !r.Unrecorded
}

// Respond turns a verdict into an answer. A denial is a 403, whose text says what to mend; a wish to wait is a 429 that
// clients obey by themselves. Neither 409, 422 nor the forbidden word ever occurs: GitOps tools delete objects over those.
func Respond(r Reply) admission.Response {
	var resp admission.Response
	resp.AuditAnnotations = auditAnnotations(r)
	switch {
	case r.RetryAfter > 0 && !r.DryRun && r.Pending == gate.PendingDeny:
		resp.Result = &metav1.Status{Status: metav1.StatusFailure, Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: waiting(r)}
	case r.RetryAfter > 0 && !r.DryRun:
		resp.Result = &metav1.Status{Status: metav1.StatusFailure, Code: http.StatusTooManyRequests, Reason: metav1.StatusReasonTooManyRequests,
			Message: waiting(r), Details: &metav1.StatusDetails{RetryAfterSeconds: r.RetryAfter}}
	case r.denies():
		resp.Result = &metav1.Status{Status: metav1.StatusFailure, Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: refusal(r)}
	default:
		resp.Allowed = true
		resp.Result = &metav1.Status{Status: metav1.StatusSuccess, Code: http.StatusOK}
		resp.Warnings = warnings(r)
	}
	return resp
}

// unscored lets a request in that could not be scored, and says why.
func unscored(why string) admission.Response {
	resp := admission.Allowed("")
	resp.Warnings = []string{plain(prefix+"not scored, let in: "+why, warningMax)}
	resp.AuditAnnotations = map[string]string{"decision": "unscored", "reason": plain(why, 1024)}
	return resp
}

func auditAnnotations(r Reply) map[string]string {
	a := r.Judgement.Assessment
	m := map[string]string{"decision": r.Judgement.Verdict.Decision.String(), "mode": r.mode().String(), "template": r.Template,
		"score": percentage(a.Score), "confidence": percentage(a.Confidence), "recorded": strconv.FormatBool(!r.Unrecorded && !r.Judgement.Question.OffRecord)}
	if !r.Judgement.Question.OffRecord && !r.Unqueued {
		m["case"] = r.Judgement.Question.Signal.CaseName()
	}
	return m
}

func percentage(n gate.Fact[int]) string {
	if v, known := n.Get(); known {
		return strconv.Itoa(v)
	}
	return "unknown"
}
