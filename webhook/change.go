package webhook

import (
	"bytes"
	"cmp"
	"fmt"

	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"moorgate.dev/webhook/checks"
)

// Change is one change to one workload.
type Change struct {
	// Operation is CREATE or UPDATE, or SLIPPED for one that nobody was asked about.
	Operation string
	Old       *checks.Workload
	New       checks.Workload
	was, is   runtime.Object // the objects that they were read from; was is nil on create
	User      string
	DryRun    bool
	// Steered is a change that a controller makes on behalf of somebody else: a cluster component, or any author of an
	// object that a controller owns. Making those wait would starve the controller's other work.
	Steered bool
	// Afterwards: the workload is judged as it stands, after it was let in or slipped through.
	Afterwards bool
	// GlassBroken: it came in under the field manager by which people ask not to be judged.
	GlassBroken bool
}

// decode reads the change out of an admission request. ok is false for an update that changes nothing that the checks look
// at; finding that out costs microseconds, because GitOps tools dry-run every object at every reconcile.
func (k Kinds) decode(req *admission.Request) (c Change, ok bool, err error) {
	if req.Operation == admissionv1.Update && sameSpec(req.Object.Raw, req.OldObject.Raw) {
		return Change{}, false, nil
	}
	c = Change{Operation: string(req.Operation), User: req.UserInfo.Username, DryRun: req.DryRun != nil && *req.DryRun}
	obj, err := k.read(req.Kind, req.Object.Raw)
	if err != nil || partOfAnother(req.Kind.Group, obj) {
		return Change{}, false, err
	}
	if obj.GetName() == "" {
		obj.SetName(cmp.Or(req.Name, obj.GetGenerateName()))
	}
	obj.SetNamespace(req.Namespace)
	c.Steered = metav1.GetControllerOf(obj) != nil || isComponent(req.UserInfo.Username)
	if req.Operation != admissionv1.Update {
		obj.SetUID("") // what a create says of its own UID is not true of anything yet
	}
	c.is = obj
	if c.New, err = checks.FromObject(obj); err != nil {
		return Change{}, false, err
	}
	if req.Operation != admissionv1.Update {
		return c, true, nil
	}
	old, err := k.read(req.Kind, req.OldObject.Raw)
	if err != nil {
		return Change{}, false, fmt.Errorf("old object: %w", err)
	}
	before, err := checks.FromObject(old)
	if err != nil {
		return Change{}, false, fmt.Errorf("old object: %w", err)
	}
	c.Old, c.was = &before, old
	return c, !checks.NoOp(c.Old, c.New), nil
}

// sameSpec compares two objects' specs as the API server wrote them: it writes both the same way, so equal bytes are equal
// specs. Different bytes may still be equal; they are looked at closer afterwards.
func sameSpec(a, b []byte) bool {
	x, y := specIn(a), specIn(b)
	return len(x) > 0 && bytes.Equal(x, y)
}

// read reads an object of one of the kinds.
func (k Kinds) read(kind metav1.GroupVersionKind, raw []byte) (client.Object, error) {
	obj := k.New(schema.GroupVersionKind(kind))
	if obj == nil {
		return nil, fmt.Errorf("%s/%s %s is not a kind that is scored", kind.Group, kind.Version, kind.Kind)
	}
	if len(raw) == 0 {
		return nil, fmt.Errorf("read %s: the request holds no object", kind.Kind)
	}
	var into any = obj
	u := content(obj)
	if u != nil {
		into = &u.Object
	}
	if err := kjson.Unmarshal(raw, into); err != nil {
		return nil, fmt.Errorf("read %s: %w", kind.Kind, err)
	}
	if u != nil {
		if u.Object == nil {
			return nil, fmt.Errorf("read %s: the request holds no object", kind.Kind)
		}
		u.SetGroupVersionKind(schema.GroupVersionKind(kind))
	}
	return obj, nil
}

// content is what an object of a kind without a Go type holds, nil for any other.
func content(obj client.Object) *unstructured.Unstructured {
	switch o := obj.(type) {
	case *unstructured.Unstructured:
		return o
	case *checks.Shaped:
		return o.Unstructured
	}
	return nil
}

// workload is a new object of one of the kinds that are scored, nil for any other.
func workload(kind string) client.Object {
	switch kind {
	case "Deployment":
		return &appsv1.Deployment{}
	case "StatefulSet":
		return &appsv1.StatefulSet{}
	case "DaemonSet":
		return &appsv1.DaemonSet{}
	}
	return nil
}

// workloads is a new list of one of the kinds that are scored.
func workloads(kind string) client.ObjectList {
	switch kind {
	case "Deployment":
		return &appsv1.DeploymentList{}
	case "StatefulSet":
		return &appsv1.StatefulSetList{}
	}
	return &appsv1.DaemonSetList{}
}
