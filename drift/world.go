package drift

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
)

const (
	// dryRunOwner is the field manager of dry runs. It never owns a field of a stored object.
	dryRunOwner = "moorgate-drift-dryrun"
	// dryRunTries bounds how often an object is looked at again because another of its name came in between.
	dryRunTries = 3
)

// newLook is about one object, in the version of its API in which Git declares it: in another one its fields may have other names.
func newLook(o source.Object, commit string) *look {
	k, _ := kindOf(o.Name)
	g := k.GroupVersionKind
	if o.Desired != nil {
		g = o.Desired.GroupVersionKind()
	}
	return &look{object: o, commit: commit, base: commit, subject: gate.Ref{Group: g.Group, Version: g.Version,
		Kind: g.Kind, Namespace: o.Namespace, Name: o.Name.Name}}
}

// look looks at one declared object. It changes nothing in the cluster.
func (d *Detector) look(ctx context.Context, l *look, t tree) {
	o := l.object
	d.declared(l, t)
	if o.Unknown != "" {
		l.missed(evidenceGit, "what Git says", d.Now(), o.Unknown)
		return
	}
	l.rows = t.delivery.rows(o.Name)
	if l.left = cmp.Or(left(o.Desired), t.delivery.leaves(o.Name)); l.left != "" {
		return
	}
	for try := 1; ; try++ {
		live, dry, again := d.observe(ctx, l, try == dryRunTries)
		if again {
			continue
		}
		if l.subject.UID != "" && !l.absent {
			t.past[o.Name].alive(l.subject.UID)
		}
		if live == nil || dry == nil {
			return
		}
		drifts, err := Compare(live, dry, dryRunOwner)
		if err != nil {
			l.missed(evidenceDryRun, "comparison with a dry run", d.Now(), err.Error())
			return
		}
		if who, err := untold(live); who != "" || err != nil {
			l.missed(evidenceLive, "what "+who+" owns", d.Now(), "Git declares it in "+live.GetAPIVersion()+", where it has other names")
		}
		drifts = d.driftsOf(ctx, l, drifts)
		if d.postponed(ctx, l, drifts, t) {
			return
		}
		d.attest(ctx, l, live, drifts)
		for _, one := range drifts {
			if placeholder(one.Git) {
				l.missed(evidenceGit, one.Path.String(), d.Now(), "there is a placeholder in Git, and only what fills it in knows the value")
			}
		}
		past := t.past[o.Name]
		turns := past.began(l.subject.UID, d.Now(), drifts)
		changed := past.changed(l.subject.UID, drifts)
		for i, one := range drifts {
			drifts[i].Turns = turns[one.Path.String()]
			if one.Owner.Party == Person {
				drifts[i].Ahead = past.ahead(one, changed[one.Path.String()])
			}
		}
		l.drifts = drifts
		if len(l.unread) > 0 {
			l.drifts = nil
		}
		return
	}
}

// declared notes where Git declares the object.
func (d *Detector) declared(l *look, t tree) {
	l.read(evidenceGit, fmt.Sprintf("%s at commit %s", whence(l.object), t.Commit), gate.FromGit, d.Now(), t.delivery.said())
}

// placeholder reports whether something else fills a value in before it is delivered.
func placeholder(v any) bool {
	text := asJSON(v)
	return strings.Contains(text, "${") || strings.Contains(text, "{{")
}

// observe reads the live object and has the API server try Git's manifest on it. Whatever changes in between, the fields
// that Git declares come out of the dry run as Git has them. again asks for another try, because it is another object now.
func (d *Detector) observe(ctx context.Context, l *look, last bool) (live, dry *unstructured.Unstructured, again bool) {
	what := l.subject.Kind + "/" + l.subject.Name
	live, err := d.live(ctx, l)
	if apierrors.IsNotFound(err) {
		l.absent = true
		return nil, nil, false
	}
	if err != nil {
		l.missed(evidenceLive, "live "+what, d.Now(), err.Error())
		return nil, nil, false
	}
	l.subject.UID, l.labels, l.fingerprint = string(live.GetUID()), live.GetLabels(), fingerprint(live)
	dry = prepared(l.object.Desired, live)
	if d.More.kind(l.object.Name).Still {
		return live, d.still(l, live, dry), false
	}
	err = d.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(dry), client.DryRunAll, client.ForceOwnership, client.FieldOwner(dryRunOwner))
	if apierrors.IsConflict(err) && !last {
		return nil, nil, true
	}
	l.read(evidenceLive, "live "+what, gate.FromAPI, d.Now(), "resourceVersion "+live.GetResourceVersion())
	if err != nil {
		l.missed(evidenceDryRun, "dry run of "+what, d.Now(), plainly(err))
		return nil, nil, false
	}
	l.read(evidenceDryRun, "dry run of "+what, gate.FromAPI, d.Now(), "")
	return live, dry, false
}

// live reads an object. Of a Secret nothing comes out of here but seals.
func (d *Detector) live(ctx context.Context, l *look) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	g := l.object.Desired.GroupVersionKind()
	u.SetGroupVersionKind(g)
	if d.More.has(g.GroupKind()) {
		if m, err := d.Client.RESTMapper().RESTMapping(g.GroupKind(), g.Version); err != nil || m.Scope.Name() != meta.RESTScopeNameNamespace {
			return nil, errors.New("the cluster does not serve its kind, or it belongs to no namespace")
		}
	}
	err := d.Client.Get(ctx, client.ObjectKey{Namespace: l.subject.Namespace, Name: l.subject.Name}, u)
	if err != nil || !secretName(l.object.Name) {
		return u, err
	}
	if d.Secrets == nil {
		return nil, errors.New("no Secret is compared here")
	}
	sealed, why := d.Secrets.sealed(u, u.GetNamespace())
	if why != "" {
		return nil, errors.New("it is " + why)
	}
	return sealed, nil
}

// still is what stands in the place of a dry run's answer, of a kind of which none is made; nil where there is none.
func (d *Detector) still(l *look, live, desired *unstructured.Unstructured) *unstructured.Unstructured {
	what := l.subject.Kind + "/" + l.subject.Name
	l.read(evidenceLive, "live "+what, gate.FromAPI, d.Now(), "resourceVersion "+live.GetResourceVersion())
	suppose := supposed
	if d.More.has(live.GroupVersionKind().GroupKind()) {
		suppose = d.More.supposed
	}
	dry, err := suppose(live, desired)
	if err != nil {
		l.missed(evidenceDryRun, what+" as it lies", d.Now(), err.Error())
		return nil
	}
	l.read(evidenceDryRun, what+" as it lies", gate.FromAPI, d.Now(), "")
	return dry
}

// prepared is Git's manifest as the dry run applies it: to this live object and to no other, without what is not Git's to
// say.
func prepared(desired, live *unstructured.Unstructured) *unstructured.Unstructured {
	u := desired.DeepCopy()
	delete(u.Object, "status")
	for _, field := range []string{"managedFields", "resourceVersion", "generation", "creationTimestamp", "selfLink", "deletionTimestamp"} {
		unstructured.RemoveNestedField(u.Object, "metadata", field)
	}
	u.SetNamespace(live.GetNamespace())
	u.SetUID(live.GetUID())
	return u
}

// driftsOf drops what the table of what is no drift passes over. Where it cannot be known whether a row holds, that is said
// instead.
func (d *Detector) driftsOf(ctx context.Context, l *look, found []Drift) []Drift {
	rows, err := ignored(l.object.Desired)
	if err != nil {
		l.missed(evidenceGit, "what is to be passed over", d.Now(), err.Error())
	}
	rows = slices.Concat(rows, l.rows, table, d.Passed.rows)
	k := d.More.kind(l.object.Name)
	var drifts []Drift
	for _, one := range found {
		one.guard, one.untried = k.guards, k.Still
		if !slices.ContainsFunc(rows, func(r row) bool {
			return r.fits(l.subject.Kind, one) && (r.When != whenAutoscaled || d.autoscaled(ctx, l, one))
		}) {
			drifts = append(drifts, one)
		}
	}
	return drifts
}

// autoscaled reports whether an autoscaler targets the object and may have set its replicas: it sets none beyond its bounds.
func (d *Detector) autoscaled(ctx context.Context, l *look, one Drift) bool {
	const what = "HorizontalPodAutoscalers"
	l.leans = true
	var list autoscalingv2.HorizontalPodAutoscalerList
	if err := d.Client.List(ctx, &list, client.InNamespace(l.subject.Namespace)); err != nil {
		l.missed(evidenceAutoscalers, what, d.Now(), err.Error())
		return false
	}
	l.read(evidenceAutoscalers, what, gate.FromAPI, d.Now(), fmt.Sprintf("%d in the namespace", len(list.Items)))
	replicas, counted := one.Live.(int64)
	return counted && slices.ContainsFunc(list.Items, func(h autoscalingv2.HorizontalPodAutoscaler) bool {
		target := h.Spec.ScaleTargetRef
		least := int32(1)
		if h.Spec.MinReplicas != nil {
			least = *h.Spec.MinReplicas
		}
		return target.Kind == l.subject.Kind && schema.FromAPIVersionAndKind(target.APIVersion, target.Kind).Group == l.subject.Group &&
			target.Name == l.subject.Name && int64(least) <= replicas && replicas <= int64(h.Spec.MaxReplicas)
	})
}
