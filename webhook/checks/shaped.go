package checks

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Shape says where in the objects of some kind the checks find what they look at: paths of field names with dots between
// them, as spec.template. Replicas and Selector may be left out: then there is one pod, and which pods are its own is unknown.
type Shape struct {
	Group    string `json:"group"`
	Version  string `json:"version"`
	Kind     string `json:"kind"`
	Resource string `json:"resource"` // the plural in URLs: widgets
	Template string `json:"template"`
	Replicas string `json:"replicas,omitempty"`
	Selector string `json:"selector,omitempty"`
}

var (
	groupForm   = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$`)
	versionForm = regexp.MustCompile(`^v[1-9][0-9]*((alpha|beta)[1-9][0-9]*)?$`)
	kindForm    = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{0,62}$`)
	pluralForm  = regexp.MustCompile(`^[a-z][a-z0-9]{0,62}$`)
	pathForm    = regexp.MustCompile(`^spec(\.[A-Za-z_][A-Za-z0-9_]{0,62}){1,7}$`)
)

// GVK is the kind that the Shape is of.
func (s Shape) GVK() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: s.Group, Version: s.Version, Kind: s.Kind}
}

// Check says all that is wrong with the Shape.
func (s Shape) Check() error {
	var errs []error
	for _, part := range []struct {
		field, value, want string
		form               *regexp.Regexp
		optional           bool
	}{
		{"group", s.Group, "a name with a dot, as apps.example.com", groupForm, false},
		{"version", s.Version, "v1, v1beta1 or the like", versionForm, false},
		{"kind", s.Kind, "a name such as Widget", kindForm, false},
		{"resource", s.Resource, "the kind's plural in lower case, as widgets", pluralForm, false},
		{"template", s.Template, "a path such as spec.template", pathForm, false},
		{"replicas", s.Replicas, "a path such as spec.replicas, or nothing", pathForm, true},
		{"selector", s.Selector, "a path such as spec.selector, or nothing", pathForm, true},
	} {
		if !(part.optional && part.value == "") && !part.form.MatchString(part.value) {
			errs = append(errs, fmt.Errorf("%s %q: want %s", part.field, cut(clean(part.value), textMax), part.want))
		}
	}
	if g := "." + s.Group; strings.HasSuffix(g, ".k8s.io") || strings.HasSuffix(g, ".moorgate.dev") || s.GVK().GroupKind() == RolloutKind.GroupKind() {
		errs = append(errs, fmt.Errorf("group %q: shapes are for kinds that others define", s.Group))
	}
	return errors.Join(errs...)
}

// Shaped is an object with the Shape that reads it.
type Shaped struct {
	*unstructured.Unstructured
	Shape Shape
}

// DeepCopyObject copies both.
func (s *Shaped) DeepCopyObject() runtime.Object { return &Shaped{s.DeepCopy(), s.Shape} }

func (s *Shaped) workload() (Workload, error) { return s.Shape.read(s.Unstructured) }

// read reads a Workload out of an object. What its controller makes of a change is not known, so no surge is assumed.
func (s Shape) read(u *unstructured.Unstructured) (Workload, error) {
	called := s.Kind + " " + cmp.Or(u.GetName(), "without a name")
	at, ok, err := unstructured.NestedMap(u.Object, strings.Split(s.Template, ".")...)
	if err != nil || !ok {
		return Workload{}, fmt.Errorf("read %s: there is no pod template at %s", called, s.Template)
	}
	var template corev1.PodTemplateSpec
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(at, &template); err != nil {
		return Workload{}, fmt.Errorf("read the pod template of %s at %s: %w", called, s.Template, err)
	}
	var selector *metav1.LabelSelector
	if s.Selector != "" {
		if selector, err = selectorAt(u, s.Selector); err != nil {
			return Workload{}, fmt.Errorf("read %s: %w", called, err)
		}
	}
	w := common(s.GVK(), u, selector, &template)
	w.Replicas = 1
	if s.Replicas != "" {
		n, ok, err := unstructured.NestedInt64(u.Object, strings.Split(s.Replicas, ".")...)
		if err != nil {
			return Workload{}, fmt.Errorf("read %s: %s is no whole number", called, s.Replicas)
		}
		if ok {
			w.Replicas = bounded(n)
		}
	}
	w.Status = Status{Observed: true, Desired: w.Replicas}
	return w, nil
}

// selectorAt reads a selector, nil where there is none.
func selectorAt(u *unstructured.Unstructured, path string) (*metav1.LabelSelector, error) {
	at, ok, err := unstructured.NestedMap(u.Object, strings.Split(path, ".")...)
	if err != nil {
		return nil, fmt.Errorf("%s is no label selector", path)
	}
	if !ok {
		return nil, nil
	}
	var selector metav1.LabelSelector
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(at, &selector); err != nil {
		return nil, fmt.Errorf("%s is no label selector: %w", path, err)
	}
	return &selector, nil
}
