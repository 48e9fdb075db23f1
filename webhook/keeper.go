package webhook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
	"moorgate.dev/webhook/checks"
)

// Keeper is what Settler and Annotator work with, under the judge's identity. Every field is required but Paused.
type Keeper struct {
	Sight
	Log flow.Log
	// Kinds are what is scored.
	Kinds Kinds
	// Client reads from informer caches and writes to the API server: Cases, their status, and annotations.
	Client client.Client
	Events events.EventRecorder
	// Beside has a model asked about a rollout that is in, once a Case. nil: none is asked.
	Beside flow.Beside
	// Aside is where that is done; no reconciler waits for it. nil: none is asked.
	Aside *flow.Aside
	// Ahead is where that is done for whom a client waits. nil: Aside.
	Ahead *flow.Aside
	// Door is what everything passes that is collected for a model; nil: nothing of it comes through.
	Door *redact.Door
	// Paused holds the reasons for which this process does nothing. Nil: it is never paused.
	Paused func() gate.Fact[[]string]
	Logger *slog.Logger
}

func (k *Keeper) cases() cluster.Cases { return cluster.Cases{Client: k.Client, Now: k.Now} }

// subject reads the workload that a Case is about, nil if it is gone or another one by now.
func (k *Keeper) subject(ctx context.Context, c *v1alpha1.Case) (client.Object, error) {
	obj, err := k.Kinds.get(ctx, k.Client, schema.GroupVersionKind{Group: c.Spec.Subject.Group, Version: c.Spec.Subject.Version, Kind: c.Spec.Subject.Kind},
		client.ObjectKey{Namespace: c.Namespace, Name: c.Spec.Subject.Name})
	if err != nil {
		return nil, fmt.Errorf("read the subject of case %s/%s: %w", c.Namespace, c.Name, err)
	}
	if obj == nil || c.Spec.Subject.UID != "" && string(obj.GetUID()) != c.Spec.Subject.UID {
		return nil, nil
	}
	return obj, nil
}

// unreadable says why a workload cannot be read for as long as this process runs; empty: it can, or it may be tried again.
func unreadable(err error) string {
	switch {
	case apierrors.IsForbidden(err):
		return "the judge has no right to read it"
	case errors.Is(err, errNotScored):
		return errNotScored.Error()
	}
	return ""
}

// caseOf finds the newest Case of an admission of this template of this workload, nil if there is none. A refusal was no
// admission.
// One that waited may have come in with other labels than it came with first.
func (k *Keeper) caseOf(ctx context.Context, w checks.Workload) (*v1alpha1.Case, error) {
	var list v1alpha1.CaseList
	err := k.Client.List(ctx, &list, client.InNamespace(w.Ref.Namespace), client.MatchingLabels{v1alpha1.LabelFace: string(gate.FaceWebhook),
		v1alpha1.LabelWorkload: cluster.WorkloadLabel(w.Ref)})
	if err != nil {
		return nil, fmt.Errorf("list the cases of %s: %w", w.Ref, err)
	}
	about := aboutOf(w)
	list.Items = slices.DeleteFunc(list.Items, func(c v1alpha1.Case) bool { return !about(&c) })
	return speaker(list.Items), nil
}

// aboutOf returns whether a Case is about the template that the workload has.
func aboutOf(w checks.Workload) func(*v1alpha1.Case) bool {
	hash, change := checks.TemplateHash(&w), checks.Change(w)
	return func(c *v1alpha1.Case) bool {
		return c.Labels[v1alpha1.LabelTemplate] == hash || c.Labels[v1alpha1.LabelChange] == change
	}
}

// speaker is the Case that speaks for a template: the newest admission, nil if there is none. What was answered at the gate
// comes before what was judged afterwards, however new: a rollout only ever slips through while there is no answer, so an
// answer beside it came later, and creation times, which are whole seconds, need not tell.
func speaker(cases []v1alpha1.Case) *v1alpha1.Case {
	var best *v1alpha1.Case
	for i := range cases {
		c := &cases[i]
		if !slices.Contains([]string{Admitted, Warned, SlippedThrough}, saidOn(c)) {
			continue
		}
		if best == nil || before(best, c) {
			best = c
		}
	}
	return best
}

// early is whether a Case was opened before the client had its answer, to have a model asked about what its brief holds.
func early(c *v1alpha1.Case) bool {
	return c.Spec.Answer.Said == Retried || c.Spec.Answer.Said == AskedAhead
}

// saidOn is what the client was answered in the end, as far as a Case tells.
func saidOn(c *v1alpha1.Case) string {
	switch {
	case c.Spec.Answer == nil:
		return ""
	case early(c) && c.Status.Answer != "":
		return c.Status.Answer
	}
	return c.Spec.Answer.Said
}

// answeredWith is the opinion that the client's answer was made from.
func answeredWith(c *v1alpha1.Case) v1alpha1.Opinion {
	if early(c) && c.Status.Answer != "" {
		return c.Status.Opinion
	}
	return c.Spec.Answer.Opinion
}

func before(a, b *v1alpha1.Case) bool {
	if slippedA, slippedB := a.Spec.Answer.Said == SlippedThrough, b.Spec.Answer.Said == SlippedThrough; slippedA != slippedB {
		return slippedA
	}
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), strings.Compare(a.Name, b.Name)) < 0
}

// announce tells in an Event on a workload that is in what its Case says of it.
func (k *Keeper) announce(obj client.Object, c *v1alpha1.Case, how string) {
	o := latest(c)
	kind, said := corev1.EventTypeNormal, "looks sound"
	if o.Decision != gate.Allow.String() {
		kind, said = corev1.EventTypeWarning, "needs a human's eye: "+cluster.Summary(o)
	}
	k.Events.Eventf(obj, nil, kind, "Rollout"+saidOn(c), "Admit", "%sscore %s, %s; case %s", how, scoreOf(o), said, c.Name)
}

// standing is the change that a workload stands for once it is in: nothing is asked for beyond what is there already.
func standing(operation string, obj client.Object) (Change, error) {
	w, err := checks.FromObject(obj)
	if err != nil {
		return Change{}, err
	}
	return Change{Operation: operation, Old: &w, New: w, was: obj, is: obj, Afterwards: true}, nil
}

// signalOf is the Signal that a Case was opened for.
func signalOf(c *v1alpha1.Case) gate.Signal {
	return gate.Signal{Face: gate.FaceWebhook, Reason: c.Spec.Signal.Reason, Key: c.Spec.Signal.Key, Text: c.Spec.Signal.Text,
		At: c.Spec.Signal.FirstSeen.Time, Subject: gate.Ref{Group: c.Spec.Subject.Group, Version: c.Spec.Subject.Version,
			Kind: c.Spec.Subject.Kind, Namespace: c.Namespace, Name: c.Spec.Subject.Name, UID: c.Spec.Subject.UID}}
}
