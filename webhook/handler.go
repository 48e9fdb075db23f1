package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
)

// recordBudget is how long an answer waits for its record. The API server gives the whole request three seconds, of which
// it counts one as its own.
const recordBudget = 1000 * time.Millisecond

// Handler answers admission requests. Every field is required but Secrets, Own, Cases, Advice and Door.
type Handler struct {
	Sight
	Log flow.Log
	// Kinds are what is scored.
	Kinds Kinds
	// Queue takes the Cases to be opened.
	Queue *Queue
	// Waits remembers who was asked to come again.
	Waits *Waits
	// Secrets is told to look again at what is missing. Nil: nobody looks.
	Secrets *SecretProber
	// Cases tells, from a cache, what was heard of a model about a rollout. Nil: no model's word is ever waited for.
	Cases client.Reader
	// Advice knows whether a model can be asked. Nil: none can.
	Advice *Advice
	// Door is what a change passes on its way to a Case, from where a model is told of it.
	Door *redact.Door
	// Own are the user names of Moorgate's own identities, whose writes do not pass their own gate.
	Own    []string
	Logger *slog.Logger

	turns turns
}

var _ admission.Handler = (*Handler)(nil)

// Handle answers one request. It never panics and never denies because of a failure of its own.
func (h *Handler) Handle(ctx context.Context, req admission.Request) (resp admission.Response) {
	defer func() {
		if p := recover(); p != nil {
			h.Logger.ErrorContext(ctx, "an admission request could not be answered", "panic", fmt.Sprint(p),
				"namespace", req.Namespace, "name", req.Name, "kind", req.Kind.Kind, "stack", string(debug.Stack()))
			resp = unscored("an internal error; see Moorgate's log")
		}
	}()
	if h.passes(&req) {
		return admission.Allowed("")
	}
	change, changes, err := h.Kinds.decode(&req)
	if err != nil {
		h.Logger.WarnContext(ctx, "an admission request could not be read", "error", err, "namespace", req.Namespace, "name", req.Name)
		return unscored(err.Error())
	}
	if !changes {
		return admission.Allowed("")
	}
	return h.answer(ctx, change)
}

// passes reports whether the request is none of the gate's business. The registration keeps such requests away; one that
// comes all the same was registered by somebody else, or by an older version.
func (h *Handler) passes(req *admission.Request) bool {
	return req.SubResource != "" || slices.Contains(h.Own, req.UserInfo.Username) ||
		(req.Operation != admissionv1.Create && req.Operation != admissionv1.Update)
}

// answer looks, judges, answers, and queues the Case.
func (h *Handler) answer(ctx context.Context, c Change) admission.Response {
	seen, wait, pend, err := h.weigh(ctx, c)
	if err != nil {
		h.Logger.WarnContext(ctx, "a rollout could not be scored", "error", err, "subject", c.New.Ref.String())
		return unscored(err.Error())
	}
	if pend.waits() && pend.open && !h.ask(&seen) {
		pend = pending{note: "no model's word was waited for: too many Cases are waiting to be opened"}
	}
	reply := Reply{Template: seen.template, DryRun: c.DryRun, RetryAfter: wait, Pending: pend.on, Note: pend.note, held: pend.held}
	if pend.waits() {
		reply.RetryAfter = pend.seconds
	}
	switch {
	case pend.waits() && pend.on == gate.PendingDeny:
		seen.question.Facts.Unheard = beingAsked // it is refused, and no client comes again by itself
	case reply.RetryAfter > 0:
		seen.question.OffRecord = true // nothing is decided yet
	}
	if pend.note != "" {
		seen.assessment.Alone = pend.note
	}
	limited, cancel := context.WithTimeout(ctx, recordBudget)
	defer cancel()
	if reply.Judgement, err = h.judge(limited, h.Log, seen); err != nil {
		reply.Unrecorded = true
		reply.refuseNot()
		h.Logger.ErrorContext(ctx, "an admission decision could not be recorded, so nothing is refused", "error", err)
	}
	if !c.DryRun && reply.RetryAfter == 0 {
		h.queue(ctx, c, &reply)
	}
	return Respond(reply)
}

// weigh looks at a change once it is its turn, and says for how many seconds the client should wait with it because something
// may be late, and how it stands with a model's word.
func (h *Handler) weigh(ctx context.Context, c Change) (seen sighting, wait int32, pend pending, err error) {
	waiting, cancel := context.WithTimeout(ctx, turnBudget)
	defer cancel()
	done, err := h.turns.take(waiting, c.DryRun)
	if err != nil {
		return sighting{}, 0, pending{}, err
	}
	defer done()
	if seen, err = h.see(ctx, c); err != nil {
		return sighting{}, 0, pending{}, err
	}
	if wait = h.wait(ctx, seen); wait == 0 {
		pend = h.pend(ctx, &seen)
	}
	return seen, wait, pend, nil
}

// ask has the Case opened from which a model is asked, and reports whether it will be.
func (h *Handler) ask(seen *sighting) bool {
	return h.Queue.Offer(asking(seen, Retried, h.Door))
}

func (h *Handler) queue(ctx context.Context, c Change, reply *Reply) {
	j := reply.Judgement
	answer := &v1alpha1.Answer{Said: reply.Said(), User: plain(c.User, 256), Opinion: cluster.Opinion(j)}
	if !h.Queue.Offer(Opening{Signal: j.Question.Signal, Answer: answer, Labels: map[string]string{v1alpha1.LabelTemplate: reply.Template}, Ends: reply.held}) {
		reply.Unqueued = true
		h.Logger.ErrorContext(ctx, "no Case will be opened: too many are waiting, or Moorgate stops", "case", j.Question.Case)
	}
}

// isComponent reports whether a user is part of the cluster itself: its controllers answer a wish to wait by waiting, with
// few workers for everybody's objects.
func isComponent(user string) bool {
	return strings.HasPrefix(user, "system:serviceaccount:kube-system:") || strings.HasPrefix(user, "system:kube-")
}
