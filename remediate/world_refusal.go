package remediate

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// refusal reads why pods may not be created: the class of the API server's answer, as far as a controller keeps it, and what live state
// says of it. Where no answer is kept, what is looked for is an account that is not there and a quota without room.
func (e eye) refusal(ctx context.Context, w *causes.World) error {
	template, message, err := e.refused(ctx, w.Stuck()[0].Ref)
	if err != nil || template == nil {
		return err
	}
	r := &causes.Refusal{Seen: gate.Unknown[bool]("it cannot be seen from here")}
	r.Class, r.Name = refusalOf(message)
	w.Refusal = r
	if r.Class == "" || r.Class == causes.RefusedForAccount {
		if err := e.account(ctx, w, template); err != nil {
			return err
		}
	}
	if r.Class == "" && message == "" || r.Class == causes.RefusedByQuota {
		if err := e.quota(ctx, w, template); err != nil {
			return err
		}
	}
	beheld(w, causes.EvidenceRefusal, "what refuses the pods of "+w.Root.Kind+"/"+w.Root.Name, fmt.Sprintf("%s %s %s", r.Class, r.Name, r.Why), nil)
	return nil
}

// account looks whether the ServiceAccount is there that the pods name.
func (e eye) account(ctx context.Context, w *causes.World, template *corev1.PodTemplateSpec) error {
	name := template.Spec.ServiceAccountName
	if name == "" {
		name = "default"
	}
	account := metav1.PartialObjectMetadata{}
	account.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "ServiceAccount"})
	err := e.owners.Get(ctx, client.ObjectKey{Namespace: w.Root.Namespace, Name: name}, &account)
	switch {
	case apierrors.IsNotFound(err):
		w.Refusal.Class, w.Refusal.Name, w.Refusal.Seen = causes.RefusedForAccount, name, gate.Known(true)
	case err != nil && !refused(err):
		return fmt.Errorf("read ServiceAccount %s/%s: %w", w.Root.Namespace, name, err)
	case err == nil && w.Refusal.Class == causes.RefusedForAccount:
		w.Refusal.Seen = gate.Known(false)
	}
	return nil
}

// quota looks whether a quota has less left than one pod is charged for: the one that the answer names, or any that counts all pods.
func (e eye) quota(ctx context.Context, w *causes.World, template *corev1.PodTemplateSpec) error {
	var list corev1.ResourceQuotaList
	if err := e.owners.List(ctx, &list, client.InNamespace(w.Root.Namespace)); err != nil {
		return ignored(err)
	}
	charged := fit.Usage(&corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec})
	for i := range list.Items {
		q := &list.Items[i]
		whole := len(q.Spec.Scopes) == 0 && q.Spec.ScopeSelector == nil
		if w.Refusal.Name != "" && q.Name != w.Refusal.Name || w.Refusal.Name == "" && !whole {
			continue
		}
		if why := exceeded(q, charged); why != "" {
			w.Refusal.Class, w.Refusal.Name, w.Refusal.Why, w.Refusal.Seen = causes.RefusedByQuota, q.Name, why, gate.Known(true)
			return nil
		}
		if w.Refusal.Name != "" {
			return e.roomy(ctx, w)
		}
	}
	return nil
}

// roomy says that the quota which an answer names has room by now, as far as the template tells what a pod is charged: a LimitRange may
// add to that.
func (e eye) roomy(ctx context.Context, w *causes.World) error {
	var ranges corev1.LimitRangeList
	err := e.owners.List(ctx, &ranges, client.InNamespace(w.Root.Namespace))
	if err == nil && len(ranges.Items) == 0 {
		w.Refusal.Seen = gate.Known(false)
	}
	return ignored(err)
}

// exceeded says of which resource a quota has less left than a pod is charged for; empty for none.
func exceeded(q *corev1.ResourceQuota, charged corev1.ResourceList) string {
	for _, k := range slices.Sorted(maps.Keys(q.Status.Hard)) {
		ask, counts := charged[k]
		hard, used := q.Status.Hard[k], q.Status.Used[k]
		left := hard.DeepCopy()
		left.Sub(used)
		if counts && ask.Sign() > 0 && ask.Cmp(left) > 0 {
			return fmt.Sprintf("quota %s allows %s %s, %s is used, a pod takes %s", q.Name, hard.String(), k, used.String(), ask.String())
		}
	}
	return ""
}
