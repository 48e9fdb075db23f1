package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/webhook/checks"
)

// The rule: a rollout slipped through when its template has no Case of an admission and
//
//   - its annotations speak of another template: it was judged once and has changed since; or
//   - the first ReplicaSet or ControllerRevision that holds the template was not made before the gate was registered, nor
//     longer ago than a day, while Cases are kept for longer. Times are whole seconds, so the same second counts.
//
// So the workloads of a cluster that Moorgate is new to did not slip through, nor do those whose Cases have expired. Not
// noticed is a return to a revision older than the gate where annotations are off, and to one that was judged before and
// whose Case still exists: that Case then speaks for it.
//
// What came in because somebody broke the glass slipped through too, and its Case says so: the field manager that was asked
// under stays on the object.
const (
	slippedWithin = 24 * time.Hour
	// slippedGrace is how long a Case may be late: queued, tried again, or not yet in the cache.
	slippedGrace = 10 * time.Second
)

// Gate is since when and where the API server asks the webhook.
type Gate struct {
	Since      time.Time
	Namespaces labels.Selector
}

// GateOf reads the gate from its registration. Without one, or with nothing in it, there is nothing to slip through:
// the zero Gate has no Namespaces.
func GateOf(r client.Reader, name string) func(ctx context.Context) (Gate, error) {
	return func(ctx context.Context) (Gate, error) {
		var config admissionregistrationv1.ValidatingWebhookConfiguration
		if err := r.Get(ctx, client.ObjectKey{Name: orName(name)}, &config); err != nil {
			if client.IgnoreNotFound(err) == nil {
				return Gate{}, nil
			}
			return Gate{}, fmt.Errorf("read the registration of the webhook: %w", err)
		}
		for _, w := range config.Webhooks {
			if w.Name != WebhookName {
				continue
			}
			selector, err := metav1.LabelSelectorAsSelector(w.NamespaceSelector)
			if err != nil {
				return Gate{}, fmt.Errorf("read the registration of the webhook: %w", err)
			}
			return Gate{Since: config.CreationTimestamp.Time, Namespaces: selector}, nil
		}
		return Gate{}, nil
	}
}

// slip judges a rollout that nobody was asked about, once it is sure to be one. It returns how long to wait until it is.
func (a *Annotator) slip(ctx context.Context, obj client.Object, hash string) (time.Duration, error) {
	marked := obj.GetAnnotations()[v1alpha1.AnnotationTemplate]
	changed := marked != "" && marked != hash
	born, err := a.born(ctx, obj, hash)
	if err != nil || (!changed && (born.IsZero() || a.Now().Sub(born) > slippedWithin)) {
		return 0, err
	}
	watched, err := a.watched(ctx, obj.GetNamespace(), born, changed)
	if err != nil || !watched {
		return 0, err
	}
	if wait := touched(obj, born).Add(slippedGrace).Sub(a.Now()); wait > 0 {
		return wait, nil
	}
	return 0, a.judgeSlipped(ctx, obj, hash)
}

func (a *Annotator) watched(ctx context.Context, namespace string, born time.Time, changed bool) (bool, error) {
	g, err := a.Gate(ctx)
	if err != nil || g.Namespaces == nil || (!changed && born.Before(g.Since)) {
		return false, err
	}
	var ns corev1.Namespace
	if err := a.Client.Get(ctx, client.ObjectKey{Name: namespace}, &ns); err != nil {
		return false, fmt.Errorf("read namespace %s: %w", namespace, client.IgnoreNotFound(err))
	}
	return ns.DeletionTimestamp == nil && g.Namespaces.Matches(labels.Set(ns.Labels)), nil
}

func (a *Annotator) judgeSlipped(ctx context.Context, obj client.Object, hash string) error {
	change, err := standing(Slipped, obj)
	if err != nil {
		return err
	}
	change.GlassBroken = glassBroken(obj)
	seen, err := a.see(ctx, change)
	if err != nil {
		return err
	}
	j, recordErr := a.judge(ctx, a.Log, seen)
	if recordErr != nil {
		return recordErr // the next try may be written down; nobody waits for this answer
	}
	answer := &v1alpha1.Answer{Said: SlippedThrough, Opinion: cluster.Opinion(j)}
	_, _, err = a.cases().Open(ctx, j.Question.Signal, answer, map[string]string{v1alpha1.LabelTemplate: hash})
	return err
}

// born is when the first revision with this template was made, zero if there is none yet. The template that stands is always
// among the newest revisions, so older ones are not looked at.
func (a *Annotator) born(ctx context.Context, obj client.Object, hash string) (time.Time, error) {
	w, err := checks.FromObject(obj)
	if err != nil {
		return time.Time{}, err
	}
	past, err := pastOf(ctx, a.Client, groupKind(w.Ref), obj.GetNamespace(), func(o metav1.Object) bool { return metav1.IsControlledBy(o, obj) })
	if err != nil {
		return time.Time{}, fmt.Errorf("list the revisions of %s: %w", obj.GetName(), err)
	}
	var first time.Time
	for _, p := range past[:min(len(past), revisionsMax)] {
		at := p.object.GetCreationTimestamp().Time
		if its, err := p.hash(); err == nil && its == hash && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first, nil
}

// touched is when the template was last written, as far as the field managers tell, and at least when it was born.
func touched(obj client.Object, born time.Time) time.Time {
	if at, _ := written(obj); at.After(born) {
		return at
	}
	return born
}

// written is when the template was last written, and under which field managers; several, where it was within one second.
func written(obj client.Object) (latest time.Time, managers []string) {
	for _, m := range obj.GetManagedFields() {
		if m.Subresource != "" || m.FieldsV1 == nil || m.Time == nil || m.Time.Time.Before(latest) {
			continue
		}
		var fields struct {
			Spec struct {
				Template json.RawMessage `json:"f:template"`
			} `json:"f:spec"`
		}
		if json.Unmarshal(m.FieldsV1.GetRawBytes(), &fields) != nil || len(fields.Spec.Template) == 0 {
			continue
		}
		if m.Time.After(latest) {
			latest, managers = m.Time.Time, nil
		}
		managers = append(managers, m.Manager)
	}
	return latest, managers
}

// glassBroken reports whether the template that stands was written under the field manager by which people ask not to be
// judged. Anybody can use its name; only those with the right to bypass get in by it while the webhook answers.
func glassBroken(obj client.Object) bool {
	_, managers := written(obj)
	return slices.Contains(managers, BreakGlass)
}
