package cluster

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// Circumstances finds out what the rules about acting ask for beyond the happening itself: how the namespace fares, what was
// spent, who approved. Judge and actor both use it, so that a verdict on a Case names the reasons for which nothing would be
// done. What nobody set and what cannot be read is unknown, and an unknown never allows.
type Circumstances struct {
	// Reader reads Namespaces, pods and Cases. It lists the Cases of the whole cluster, so it should be an informer cache; what it
	// lists is never changed, and a cache need not copy it.
	Reader client.Reader
	// Ledger is what was spent lately, and what came of it over time.
	Ledger func(ctx context.Context) (gate.Ledger, []gate.Tally, error)
	// Approvals are the words of humans on a Case.
	Approvals func(ctx context.Context, namespace, caseName string) gate.Fact[[]gate.Approval]
	// Paused holds the reasons for which the process is paused. A Guardrail's own pause is read with the policy.
	Paused func(ctx context.Context) gate.Fact[[]string]
	// Brakes are what people said about a Case from a chat. nil: nobody can.
	Brakes func(ctx context.Context, namespace, caseName string) gate.Fact[[]v1alpha1.Brake]
}

// Complete fills in the facts of a question. since is when its happening began; cause and verb are what was made of it, by
// which its history is looked up.
func (c Circumstances) Complete(ctx context.Context, q *flow.Question, since gate.Fact[time.Time], cause, verb string) {
	f := &q.Facts
	namespace, name, _ := strings.Cut(q.Case, "/")
	f.Since, f.Oldest = since, oldest(q.Evidence)
	f.Namespace = NamespaceLabels(ctx, c.Reader, namespace)
	f.Health = c.health(ctx, namespace)
	f.Storm = c.storm(ctx, f.At)
	f.Ledger, f.History = c.spent(ctx, cause, verb)
	if c.Approvals != nil {
		f.Approvals = c.Approvals(ctx, namespace, name)
	}
	if c.Paused != nil {
		f.Paused = c.Paused(ctx)
	}
	if c.Brakes != nil {
		brake(f, c.Brakes(ctx, namespace, name))
	}
}

// oldest is when the oldest evidence was true. Evidence that says no time, as what could not be read, makes it unknown.
func oldest(evidence []gate.Evidence) gate.Fact[time.Time] {
	if len(evidence) == 0 {
		return gate.Unknown[time.Time]("there is no evidence")
	}
	at := evidence[0].At
	for _, e := range evidence {
		if e.At.IsZero() {
			return gate.Unknown[time.Time]("it is not known when " + e.Source + " was read")
		}
		if e.At.Before(at) {
			at = e.At
		}
	}
	return gate.Known(at)
}

// NamespaceLabels are the labels of a namespace, by which Guardrails select it. A reader that is nil knows nothing.
func NamespaceLabels(ctx context.Context, r client.Reader, namespace string) gate.Fact[map[string]string] {
	if r == nil {
		return gate.Fact[map[string]string]{}
	}
	var ns corev1.Namespace
	if err := r.Get(ctx, client.ObjectKey{Name: namespace}, &ns); err != nil {
		return gate.Unknown[map[string]string](unread("the namespace", err))
	}
	return gate.Known(ns.Labels)
}

// health counts the pods of a namespace that are well among all that are not finished or on their way out. One that is held
// back by its own probe or waits for a node is not well.
func (c Circumstances) health(ctx context.Context, namespace string) gate.Fact[gate.Share] {
	if c.Reader == nil {
		return gate.Fact[gate.Share]{}
	}
	var list corev1.PodList
	if err := c.Reader.List(ctx, &list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return gate.Unknown[gate.Share](unread("the pods", err))
	}
	var share gate.Share
	for i := range list.Items {
		pod := &list.Items[i]
		if pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			continue
		}
		share.Total++
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
				share.Well++
			}
		}
	}
	return gate.Known(share)
}

// storm counts the Cases that were opened lately, of what was found wrong in the cluster: a Case of the webhook is a question
// that somebody asked, one of what a person was seen to do says nothing of what is wrong, and many of either are no storm. The API server stamps Cases; one from the future, by our clock, is new.
func (c Circumstances) storm(ctx context.Context, at time.Time) gate.Fact[int] {
	if c.Reader == nil {
		return gate.Fact[int]{}
	}
	var list v1alpha1.CaseList
	if err := c.Reader.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return gate.Unknown[int](unread("the Cases", err))
	}
	n := 0
	for i := range list.Items {
		if x := &list.Items[i]; x.Spec.Signal.Face != string(gate.FaceWebhook) && x.Spec.Witness == nil && at.Sub(x.CreationTimestamp.Time) < gate.StormWindow {
			n++
		}
	}
	return gate.Known(n)
}

// spent is the ledger, and what came of a verb for a cause. What the ledger has never seen was never tried.
func (c Circumstances) spent(ctx context.Context, cause, verb string) (gate.Fact[gate.Ledger], gate.Fact[gate.Tally]) {
	if c.Ledger == nil {
		return gate.Fact[gate.Ledger]{}, gate.Fact[gate.Tally]{}
	}
	ledger, tallies, err := c.Ledger(ctx)
	if err != nil {
		why := gate.OneLine(err.Error(), maxText)
		return gate.Unknown[gate.Ledger](why), gate.Unknown[gate.Tally](why)
	}
	for _, t := range tallies {
		if t.Cause == cause && t.Verb == verb {
			return gate.Known(ledger), gate.Known(t)
		}
	}
	return gate.Known(ledger), gate.Known(gate.Tally{Cause: cause, Verb: verb})
}

// unread says why something could not be read, in words that may be shown.
func unread(what string, err error) string {
	if apierrors.IsForbidden(err) {
		return "reading " + what + " is not permitted"
	}
	return gate.OneLine(fmt.Sprintf("read %s: %v", what, err), maxText)
}
