package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"moorgate.dev/webhook/checks"
)

// optionalKinds are the kinds that may be scored beside Deployments, StatefulSets and DaemonSets, as they are named on the command line.
var optionalKinds = []string{"Job", "CronJob", "Pod", "Rollout"}

// DefaultKinds are those that are scored where nobody says which: not Pods, of which a cluster's tools make many.
func DefaultKinds() []string { return []string{"Job", "CronJob", "Rollout"} }

// shapesMax is how many kinds may be described: each is a rule of the registration.
const shapesMax = 32

// Kinds are the kinds that are scored: Deployments, StatefulSets and DaemonSets, and what was named beside them. The zero
// Kinds are those three.
type Kinds struct {
	named  []string
	shapes []checks.Shape
}

// NewKinds are the kinds of the names, in upper or lower case, and those that shapes describe.
func NewKinds(names []string, shapes []checks.Shape) (Kinds, error) {
	k := Kinds{shapes: shapes}
	for _, name := range names {
		at := slices.IndexFunc(optionalKinds, func(o string) bool { return strings.EqualFold(o, name) })
		if at < 0 {
			return Kinds{}, fmt.Errorf("kind %q: want some of %s; Deployments, StatefulSets and DaemonSets are always scored, and other kinds can be described by a shape",
				name, strings.Join(optionalKinds, ", "))
		}
		if k.named = append(k.named, optionalKinds[at]); slices.Contains(k.named[:len(k.named)-1], optionalKinds[at]) {
			return Kinds{}, fmt.Errorf("kind %s is named twice", optionalKinds[at])
		}
	}
	return k, nil
}

// EveryKind is all that can be scored.
func EveryKind(shapes []checks.Shape) Kinds { return Kinds{named: optionalKinds, shapes: shapes} }

// ParseShapes reads shapes from YAML: {shapes: [{group, version, kind, resource, template, replicas, selector}]}. Fields that
// are unknown are errors.
func ParseShapes(content []byte) ([]checks.Shape, error) {
	var file struct {
		Shapes []checks.Shape `json:"shapes"`
	}
	if err := yaml.UnmarshalStrict(content, &file); err != nil {
		return nil, err
	}
	if len(file.Shapes) == 0 || len(file.Shapes) > shapesMax {
		return nil, fmt.Errorf("shapes: there are %d, want 1 to %d", len(file.Shapes), shapesMax)
	}
	var errs []error
	for i, s := range file.Shapes {
		if err := s.Check(); err != nil {
			errs = append(errs, fmt.Errorf("shapes[%d]: %w", i, err))
		}
		if slices.ContainsFunc(file.Shapes[:i], func(o checks.Shape) bool { return o.Group == s.Group && (o.Kind == s.Kind || o.Resource == s.Resource) }) {
			errs = append(errs, fmt.Errorf("shapes[%d]: %s of %s is described twice", i, s.Kind, s.Group))
		}
	}
	return file.Shapes, errors.Join(errs...)
}

// New is a new object of a kind that is scored, nil for any other.
func (k Kinds) New(kind schema.GroupVersionKind) client.Object {
	named := func(gvk schema.GroupVersionKind) bool { return kind == gvk && slices.Contains(k.named, gvk.Kind) }
	switch {
	case kind == appsv1.SchemeGroupVersion.WithKind(kind.Kind):
		return workload(kind.Kind)
	case named(batchv1.SchemeGroupVersion.WithKind("Job")):
		return &batchv1.Job{}
	case named(batchv1.SchemeGroupVersion.WithKind("CronJob")):
		return &batchv1.CronJob{}
	case named(corev1.SchemeGroupVersion.WithKind("Pod")):
		return &corev1.Pod{}
	case named(checks.RolloutKind):
		return free(kind)
	}
	for _, s := range k.shapes {
		if s.GVK() == kind {
			return &checks.Shaped{Unstructured: free(kind), Shape: s}
		}
	}
	return nil
}

func free(kind schema.GroupVersionKind) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(kind)
	return u
}

// Scores reports whether an object is of a kind that is scored, and scored by itself.
func (k Kinds) Scores(obj *unstructured.Unstructured) bool {
	return k.New(obj.GroupVersionKind()) != nil && !partOfAnother(obj.GroupVersionKind().Group, obj)
}

// partOfAnother reports whether an object is what its controller makes of a workload that is scored itself: a Pod of a
// ReplicaSet, a Job of a CronJob.
func partOfAnother(group string, obj metav1.Object) bool {
	return (group == corev1.GroupName || group == batchv1.GroupName) && metav1.GetControllerOfNoCopy(obj) != nil
}

// Names are the kinds, in the plural, for people.
func (k Kinds) Names() string {
	names := []string{"Deployments", "StatefulSets", "DaemonSets"}
	for _, n := range k.named {
		names = append(names, n+"s")
	}
	for _, s := range k.shapes {
		names = append(names, s.Kind+"s")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// Resource is how URLs and rights name a kind that is scored, empty for any other.
func (k Kinds) Resource(kind schema.GroupVersionKind) string {
	for _, r := range k.resources() {
		if r.kind == kind {
			return r.resource
		}
	}
	return ""
}

// Called is the kind that a word means, singular or plural, in upper or lower case. Not ok: none that is scored, or several.
func (k Kinds) Called(word string) (kind schema.GroupVersionKind, ok bool) {
	for _, r := range k.resources() {
		if word = strings.ToLower(word); word != strings.ToLower(r.kind.Kind) && word != r.resource {
			continue
		}
		if ok {
			return schema.GroupVersionKind{}, false
		}
		kind, ok = r.kind, true
	}
	return kind, ok
}

// errNotScored is what became of a kind that was scored before this process was told otherwise.
var errNotScored = errors.New("this kind is not scored any more")

// get reads a workload, nil if it is not there.
func (k Kinds) get(ctx context.Context, r client.Reader, kind schema.GroupVersionKind, key client.ObjectKey) (client.Object, error) {
	obj := k.New(kind)
	if obj == nil {
		return nil, errNotScored
	}
	into := obj
	if u := content(obj); u != nil {
		into = u
	}
	err := r.Get(ctx, key, into)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return obj, nil
}

// served is a kind that is scored, and how URLs name it.
type served struct {
	kind     schema.GroupVersionKind
	resource string
}

func (k Kinds) resources() []served {
	all := []served{
		{appsv1.SchemeGroupVersion.WithKind("Deployment"), "deployments"},
		{appsv1.SchemeGroupVersion.WithKind("StatefulSet"), "statefulsets"},
		{appsv1.SchemeGroupVersion.WithKind("DaemonSet"), "daemonsets"},
	}
	for _, r := range []served{
		{batchv1.SchemeGroupVersion.WithKind("Job"), "jobs"},
		{batchv1.SchemeGroupVersion.WithKind("CronJob"), "cronjobs"},
		{corev1.SchemeGroupVersion.WithKind("Pod"), "pods"},
		{checks.RolloutKind, "rollouts"},
	} {
		if slices.Contains(k.named, r.kind.Kind) {
			all = append(all, r)
		}
	}
	for _, s := range k.shapes {
		all = append(all, served{s.GVK(), s.Resource})
	}
	return all
}
