package remediate

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// schedReadings are what the causes rest on that are about where and whether pods come to run. They are made only where something shows
// the symptom. Of several objects of one root the first is read.
var schedReadings = []reading{
	{of: []causes.Symptom{causes.Unschedulable}, read: eye.places},
	{of: []causes.Symptom{causes.NotStarting}, read: eye.starts},
	{of: []causes.Symptom{causes.NotReady}, read: eye.readiness},
	{of: []causes.Symptom{causes.RolloutStuck}, read: eye.rollout},
	{of: []causes.Symptom{causes.PodsRefused}, read: eye.refusal},
	{of: []causes.Symptom{causes.JobFailed}, read: eye.runs},
	{of: []causes.Symptom{causes.ClaimPending}, read: eye.claim},
	{of: []causes.Symptom{causes.NoEndpoints}, read: eye.backends},
	{of: []causes.Symptom{causes.DisruptionStuck}, read: eye.budget},
}

// spare says of the objects that show a symptom that they do not after all: they are well, or what ails them is told of another.
func spare(w *causes.World, as causes.State) {
	for i := range w.Objects {
		if w.Objects[i].State == causes.Stuck {
			w.Objects[i].State = as
		}
	}
}

// beheld adds evidence about one kind of thing that could be read, or says why it could not.
func beheld(w *causes.World, id, source, text string, err error) {
	e := gate.Evidence{ID: id, Source: source, At: w.At, Trust: gate.FromAPI, Text: gate.OneLine(text, maxNote)}
	if err != nil {
		e.Unread, e.Text = refusal(err), ""
	}
	w.Evidence = append(w.Evidence, e)
}

// kin are the pods of a workload, also those on their way out. They are shared with whoever else reads the cache.
func (e eye) kin(ctx context.Context, w *causes.World) ([]*corev1.Pod, error) {
	var beside sets
	if !direct(w.Root) {
		var err error
		if beside, err = e.replicaSets(ctx, w.Root); err != nil {
			return nil, err
		}
	}
	var list corev1.PodList
	if err := e.reader.List(ctx, &list, client.InNamespace(w.Root.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the pods beside %s: %w", w.Root, err)
	}
	family := e.family(w.Root, beside, w.At)
	var all []*corev1.Pod
	for i := range list.Items {
		if ours, err := family.has(ctx, &list.Items[i]); err == nil && ours {
			all = append(all, &list.Items[i])
		}
	}
	return all, nil
}

// ail is whether any of the pods shows a symptom of its own.
func (e eye) ail(pods []*corev1.Pod, w *causes.World) bool {
	for _, p := range pods {
		if len(causes.Signs(p, w.At, e.settle)) > 0 {
			return true
		}
	}
	return false
}

func podReady(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
