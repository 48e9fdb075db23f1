package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

// Keeper is what Settler and Annotator work with, under the judge's identity. Every field is required but Paused.
type Keeper struct {
	Sight
	Log flow.Log
	// Client reads from informer caches and writes to the API server: Cases, their status, and annotations.
	Client client.Client
	Events events.EventRecorder
	// Paused holds the reasons for which this process does nothing. Nil: it is never paused.
	Paused func() gate.Fact[[]string]
	Logger *slog.Logger
}

func (k *Keeper) cases() cluster.Cases { return cluster.Cases{Client: k.Client, Now: k.Now} }

// subject reads the workload that a Case is about, nil if it is gone or another one by now.
func (k *Keeper) subject(ctx context.Context, c *v1alpha1.Case) (client.Object, error) {
	obj := workload(c.Spec.Subject.Kind)
	if obj == nil {
		return nil, nil
	}
	err := k.Client.Get(ctx, client.ObjectKey{Namespace: c.Namespace, Name: c.Spec.Subject.Name}, obj)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read the subject of case %s/%s: %w", c.Namespace, c.Name, err)
	}
	if err != nil || (c.Spec.Subject.UID != "" && string(obj.GetUID()) != c.Spec.Subject.UID) {
		return nil, nil
	}
	return obj, nil
}

// caseOf finds the newest Case of an admission of this template of this workload, nil if there is none. A refusal was no
// admission.
func (k *Keeper) caseOf(ctx context.Context, ref gate.Ref, hash string) (*v1alpha1.Case, error) {
	var list v1alpha1.CaseList
	err := k.Client.List(ctx, &list, client.InNamespace(ref.Namespace), client.MatchingLabels{v1alpha1.LabelFace: string(gate.FaceWebhook),
		v1alpha1.LabelWorkload: cluster.WorkloadLabel(ref), v1alpha1.LabelTemplate: hash})
	if err != nil {
		return nil, fmt.Errorf("list the cases of %s: %w", ref, err)
	}
	admitted := slices.DeleteFunc(list.Items, func(c v1alpha1.Case) bool {
		return c.Spec.Answer == nil || !slices.Contains([]string{Admitted, Warned, SlippedThrough}, c.Spec.Answer.Said)
	})
	if len(admitted) == 0 {
		return nil, nil
	}
	newest := slices.MaxFunc(admitted, func(a, b v1alpha1.Case) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	return &newest, nil
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
