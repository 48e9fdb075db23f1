package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"reflect"
	"sync"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func testScheme(t testing.TB) *runtime.Scheme {
	t.Helper()
	s := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(s), v1alpha1.AddToScheme(s)); err != nil {
		t.Fatal(err)
	}
	return s
}

// shelf is a warm cache: what it holds it gives from memory, copied unless the caller asks not to, as an informer cache does.
type shelf struct {
	scheme  *runtime.Scheme
	objects []client.Object
}

func (s *shelf) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	gvk, err := apiutil.GVKForObject(into, s.scheme)
	if err != nil {
		return err
	}
	for _, o := range s.objects {
		if client.ObjectKeyFromObject(o) != key || s.kind(o) != gvk {
			continue
		}
		if partial, ok := into.(*metav1.PartialObjectMetadata); ok {
			partial.SetName(o.GetName())
			partial.SetNamespace(o.GetNamespace())
			return nil
		}
		reflect.ValueOf(into).Elem().Set(reflect.ValueOf(o.DeepCopyObject()).Elem())
		return nil
	}
	return apierrors.NewNotFound(schema.GroupResource{Group: gvk.Group, Resource: gvk.Kind}, key.Name)
}

func (s *shelf) List(_ context.Context, into client.ObjectList, opts ...client.ListOption) error {
	var o client.ListOptions
	o.ApplyOptions(opts)
	gvk, err := apiutil.GVKForObject(into, s.scheme)
	if err != nil {
		return err
	}
	gvk.Kind = gvk.Kind[:len(gvk.Kind)-len("List")]
	var found []runtime.Object
	for _, obj := range s.objects {
		if s.kind(obj) != gvk || (o.Namespace != "" && o.Namespace != obj.GetNamespace()) ||
			(o.LabelSelector != nil && !o.LabelSelector.Matches(labels.Set(obj.GetLabels()))) {
			continue
		}
		found = append(found, obj)
	}
	return meta.SetList(into, found)
}

func (s *shelf) kind(o client.Object) schema.GroupVersionKind {
	gvk, _ := apiutil.GVKForObject(o, s.scheme)
	return gvk
}

// ledger is an audit log in memory.
type ledger struct {
	mu      sync.Mutex
	fails   error
	records []gate.Record
}

func (l *ledger) Append(_ context.Context, r gate.Record) (gate.Position, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails != nil {
		return gate.Position{}, l.fails
	}
	l.records = append(l.records, r)
	return gate.Position{Log: "test", Sequence: uint64(len(l.records))}, nil
}

// deployment is one that no check finds fault with.
func deployment(namespace, name string) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels},
		Spec: appsv1.DeploymentSpec{Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &appsv1.RollingUpdateDeployment{
				MaxSurge: new(intstr.FromInt32(1)), MaxUnavailable: new(intstr.FromInt32(0))}},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{
				Name: "app", Image: "registry.example/app:1.2.3", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
				ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/", Port: intstr.FromString("http")}}},
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m"),
					corev1.ResourceMemory: resource.MustParse("16Mi")}, Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("16Mi")}}}}}}}}
}

// poor is one that checks find a lot of fault with: it is denied under the usual thresholds.
func poor(namespace, name string) *appsv1.Deployment {
	d := deployment(namespace, name)
	c := &d.Spec.Template.Spec.Containers[0]
	c.Image, c.Resources = "app", corev1.ResourceRequirements{}
	c.ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/", Port: intstr.FromString("nowhere")}}}
	return d
}

// alike are a StatefulSet and a DaemonSet with the same name and template.
func alike(d *appsv1.Deployment) []client.Object {
	set := &appsv1.StatefulSet{ObjectMeta: d.ObjectMeta, Spec: appsv1.StatefulSetSpec{Selector: d.Spec.Selector, Template: d.Spec.Template}}
	daemons := &appsv1.DaemonSet{ObjectMeta: d.ObjectMeta, Spec: appsv1.DaemonSetSpec{Selector: d.Spec.Selector, Template: d.Spec.Template}}
	return []client.Object{set, daemons}
}

func withSecret(d *appsv1.Deployment, name string) *appsv1.Deployment {
	d.Spec.Template.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}}}
	return d
}

func request(t testing.TB, op admissionv1.Operation, old, obj client.Object) admission.Request {
	t.Helper()
	raw := func(o client.Object) runtime.RawExtension {
		if o == nil || reflect.ValueOf(o).IsNil() {
			return runtime.RawExtension{}
		}
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return runtime.RawExtension{Raw: b}
	}
	return admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{UID: "request", Operation: op,
		Kind: metav1.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, Namespace: obj.GetNamespace(), Name: obj.GetName(),
		Object: raw(obj), OldObject: raw(old), UserInfo: authenticationv1.UserInfo{Username: "alice"}}}
}

func rail(mode gate.Admission) gate.Policy {
	return gate.Policy{Rails: []gate.Rail{{Name: "production", Mode: gate.Automatic, Admission: mode, WarnBelow: gate.Known(80),
		DenyBelow: gate.Known(50), ConfidenceBelow: gate.Known(10)}}}
}

// bench is a Handler over a shelf, with what it left behind.
type bench struct {
	*Handler
	log   *ledger
	shelf *shelf
}

func newBench(t testing.TB, p gate.Policy) bench {
	t.Helper()
	s := &shelf{scheme: testScheme(t), objects: []client.Object{&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}}}
	log := &ledger{}
	w := World{Reader: s, Now: at(noon)}
	h := &Handler{Sight: Sight{Now: at(noon), Look: w.Look, Policy: func(context.Context, string) (gate.Policy, error) { return p, nil }},
		Log: log, Queue: NewQueue(cluster.Cases{}, 8, quiet()), Waits: &Waits{Now: at(noon)}, Own: []string{"system:serviceaccount:moorgate-system:moorgate-judge"}, Logger: quiet()}
	return bench{Handler: h, log: log, shelf: s}
}

// queued takes what was queued so far.
func (b bench) queued() []Opening {
	var all []Opening
	for {
		select {
		case o := <-b.Queue.opened:
			all = append(all, o)
		default:
			return all
		}
	}
}
