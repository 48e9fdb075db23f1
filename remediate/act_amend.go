package remediate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// The law: a template is changed only of a rollout that stands still and that nobody has had a hand on lately. One that is paused, on
// its way out or newer than its controller has seen, and one that a person or a tool wrote in the last quarter of an hour, is left to
// them. What the new template would give the pods that they do not have now, another identity or the node's namespaces, takes a human.
// It is read as the API server holds it, with every field: one that this version does not know would be lost.

// handsOff is for how long after somebody's edit a rollout is left alone.
const handsOff = 15 * time.Minute

// rollout is a workload as the API server holds it now.
type rollout struct {
	object   unstructured.Unstructured
	fields   map[string]any // of its template
	template *corev1.PodTemplateSpec
	strange  error // why the template is not understood; then there is none
}

// rolloutOf reads a workload with all that is in it. That it is gone, or is another by now, is absent and no error.
func (a *Hands) rolloutOf(ctx context.Context, ref gate.Ref) (r rollout, absent bool, err error) {
	r.object.SetGroupVersionKind(schema.GroupVersionKind{Group: ref.Group, Version: ref.Version, Kind: ref.Kind})
	err = a.Client.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, &r.object)
	if apierrors.IsNotFound(err) || err == nil && ref.UID != "" && string(r.object.GetUID()) != ref.UID {
		return r, true, nil
	}
	if err != nil {
		return r, false, fmt.Errorf("read %s: %w", ref, err)
	}
	if r.fields, _, r.strange = unstructured.NestedMap(r.object.Object, "spec", "template"); r.strange == nil {
		r.template, r.strange = cluster.TemplateIn(r.fields)
	}
	return r, false, nil
}

// amend makes the Request that changes a template as the plan says, or says why it is not to be changed now.
func (a *Hands) amend(ctx context.Context, plan gate.Action, w causes.World) (*gate.Request, *gate.Reason, error) {
	r, absent, err := a.rolloutOf(ctx, plan.Target)
	if err != nil {
		return nil, nil, err
	}
	if absent {
		return nil, holds("plan", "the workload is gone"), nil
	}
	if why := r.astir(w.At, a.HandsOff); why != "" {
		return nil, holds("steady", why), nil
	}
	if r.strange != nil {
		return nil, holds("hand", r.strange.Error()), nil
	}
	next, err := a.next(ctx, plan, w, r)
	if err != nil {
		return nil, nil, err
	}
	if next == nil {
		return nil, holds("plan", "what it would become is not there any more"), nil
	}
	to, err := cluster.TemplateIn(next)
	if err != nil {
		return nil, holds("hand", err.Error()), nil
	}
	if why := outgrows(r.template, to); why != "" {
		return nil, holds("hand", why), nil
	}
	m := cluster.Amendment{ResourceVersion: r.object.GetResourceVersion(), Bare: len(r.object.GetAnnotations()) == 0}
	var err1, err2 error
	m.Old, err1 = utiljson.Marshal(r.fields)
	m.New, err2 = utiljson.Marshal(next)
	if err := errors.Join(err1, err2); err != nil {
		return nil, nil, fmt.Errorf("write the template of %s: %w", plan.Target, err)
	}
	request, err := cluster.Amend(plan, m)
	if err != nil {
		return nil, holds("plan", err.Error()), nil
	}
	return &request, nil, nil
}

// next is the template that a plan makes of a rollout's; nil where it is not there any more.
func (a *Hands) next(ctx context.Context, plan gate.Action, w causes.World, r rollout) (map[string]any, error) {
	earlier, _ := w.Earlier.Get()
	if plan.Verb != cluster.VerbRollBack || earlier == nil {
		return nil, nil
	}
	set, absent, err := a.rolloutOf(ctx, gate.Ref{Group: appsv1.GroupName, Version: "v1", Kind: "ReplicaSet", Namespace: plan.Target.Namespace, Name: earlier.Name})
	if err != nil || absent {
		return nil, err
	}
	if owner := metav1.GetControllerOf(&set.object); owner == nil || owner.UID != r.object.GetUID() {
		return nil, nil
	}
	unstructured.RemoveNestedField(set.fields, "metadata", "labels", appsv1.DefaultDeploymentUniqueLabelKey)
	return set.fields, nil
}

// astir is why a rollout is left alone; empty if it stands still.
func (r rollout) astir(now time.Time, quiet time.Duration) string {
	paused, _, _ := unstructured.NestedBool(r.object.Object, "spec", "paused")
	observed, _, _ := unstructured.NestedInt64(r.object.Object, "status", "observedGeneration")
	switch {
	case r.object.GetDeletionTimestamp() != nil:
		return "the workload is on its way out"
	case paused:
		return "somebody has paused the rollout"
	case observed != r.object.GetGeneration():
		return "its controller has not seen its newest state yet"
	}
	for _, f := range r.object.GetManagedFields() {
		// A size may be of any age: the API server gives no time to some, and nothing here sets one.
		if f.Subresource == "" && f.Manager != ourManager && (f.Time == nil || now.Sub(f.Time.Time) < quiet) {
			return fmt.Sprintf("%s wrote it less than %s ago", gate.OneLine(f.Manager, 64), quiet)
		}
	}
	return ""
}

// ourManager is the field manager of what is done here.
const ourManager = "moorgate"

// outgrows is what the pods of a new template would get that those of the old one have not; empty where it is nothing of weight.
func outgrows(was, is *corev1.PodTemplateSpec) string {
	a, b := was.Spec, is.Spec
	switch {
	case a.ServiceAccountName != b.ServiceAccountName:
		return "its pods would run as another service account, and that takes a human"
	case b.HostNetwork && !a.HostNetwork, b.HostPID && !a.HostPID, b.HostIPC && !a.HostIPC:
		return "its pods would share the node's namespaces, and that takes a human"
	}
	return ""
}

func holds(rule, text string) *gate.Reason {
	return &gate.Reason{Rule: rule, Decision: gate.Hold, Text: text}
}

// fateOf is what became of an amendment, by the mark that its request leaves and by what the template is now.
func (a *Hands) fateOf(ctx context.Context, c *v1alpha1.Case, target gate.Ref) (gate.Outcome, string, error) {
	r, absent, err := a.rolloutOf(ctx, target)
	if err != nil {
		return gate.OutcomeUnknown, "", err
	}
	how := fmt.Sprintf("how the %s of %s ended was not known, and ", c.Status.Acting.Verb, target.Name)
	i, now := c.Status.Acting.Intent, ""
	if r.template != nil {
		now = cluster.TemplateDigest(r.template)
	}
	switch mark := r.object.GetAnnotations()[v1alpha1.AnnotationLastAction]; {
	case absent:
		return gate.OutcomeUnknown, how + "the workload is gone", nil
	case i.Mark != "" && mark == i.Mark:
		return gate.OutcomeDone, how + "its mark was found on it: it was done", nil
	case now == i.Is:
		return gate.OutcomeDone, how + "it was found to be as it should become: by that or by somebody else's doing", nil
	case now == i.Was:
		return gate.OutcomeRefused, how + "it is what it was: nothing was done", nil
	}
	return gate.OutcomeUnknown, strings.TrimSpace(how + "somebody has changed it since: it needs a human"), nil
}

// tellAmended says how the change of a template came out.
func (a *Hands) tellAmended(plan gate.Action, o gate.Outcome, text string) string {
	of := fmt.Sprintf("%s of %s/%s", plan.Verb, plan.Target.Kind, plan.Target.Name)
	switch o {
	case gate.OutcomeDone:
		return fmt.Sprintf("done: %s; in %s it is looked at whether that helped. To take it back: %s", of, a.HealthyDelay, plan.Undo)
	case gate.OutcomeUnknown:
		return fmt.Sprintf("nobody knows whether it was done, and that is found out: %s: %s", of, text)
	}
	return fmt.Sprintf("not done: %s: %s", of, text)
}
