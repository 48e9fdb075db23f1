package witness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"moorgate.dev/internal/redact"
	"moorgate.dev/webhook"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// place is a Book with a clock of its own, the Handler before it, and what it tells.
type place struct {
	t       testing.TB
	now     time.Time
	book    *Book
	handler *Handler
	told    []webhook.Opening
	log     bytes.Buffer
	full    bool // nothing is taken that it tells
}

func newPlace(t testing.TB) *place {
	t.Helper()
	door, err := redact.New(redact.Options{Key: bytes.Repeat([]byte{7}, redact.KeyBytes)})
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, now: noon}
	logger := slog.New(slog.NewTextHandler(&p.log, nil))
	p.book = &Book{Now: func() time.Time { return p.now }, Door: door, Logger: logger, Tracked: func(string) bool { return true },
		Offer: func(o webhook.Opening) bool {
			if !p.full {
				p.told = append(p.told, o)
			}
			return !p.full
		}}
	p.handler = &Handler{Book: p.book, Now: p.book.Now, Logger: logger, Delivery: []string{"ci"}}
	p.book.look(false)
	return p
}

// pass lets time pass, and has the Book look then.
func (p *place) pass(d time.Duration) {
	p.now = p.now.Add(d)
	p.book.look(false)
}

// only is the one thing that was told.
func (p *place) only() webhook.Opening {
	p.t.Helper()
	if len(p.told) != 1 {
		p.t.Fatalf("told %d times: %s", len(p.told), p.said())
	}
	return p.told[0]
}

// said is all that left, as bytes: what was told, and what was logged.
func (p *place) said() string {
	b, err := json.Marshal(p.told)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b) + p.log.String()
}

// web is a Deployment at a version, as a field manager left it.
func web(version int, image, manager string, at time.Time) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "uid-web", ResourceVersion: fmt.Sprint(version), ManagedFields: managed(manager, at)},
		Spec: appsv1.DeploymentSpec{Replicas: new(int32(2)), Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "app", Image: image}, {Name: "side", Image: "side:1"}}}}}}
}

func managed(manager string, at time.Time) []metav1.ManagedFieldsEntry {
	return []metav1.ManagedFieldsEntry{{Manager: manager, Operation: "Update", Time: &metav1.Time{Time: at}}}
}

// ask has the API server ask about a write.
func (p *place) ask(user string, op admissionv1.Operation, was, is client.Object, change func(*admission.Request)) admission.Response {
	p.t.Helper()
	req := request(p.t, user, op, was, is)
	if change != nil {
		change(&req)
	}
	return p.handler.Handle(p.t.Context(), req)
}

func request(t testing.TB, user string, op admissionv1.Operation, was, is client.Object) admission.Request {
	t.Helper()
	about := is
	if about == nil {
		about = was
	}
	resource := metav1.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	if _, config := about.(*corev1.ConfigMap); config {
		resource = metav1.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	}
	req := admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{UID: "1", Operation: op, Resource: resource, Namespace: about.GetNamespace(), Name: about.GetName(),
		UserInfo: authenticationv1.UserInfo{Username: user}}}
	for raw, o := range map[*runtime.RawExtension]client.Object{&req.OldObject: was, &req.Object: is} {
		if o == nil {
			continue
		}
		b, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		raw.Raw = b
	}
	return req
}

// stored is an object as the API server stored it, and the watch shows it.
func stored[T client.Object](o T, version int) T {
	c, _ := o.DeepCopyObject().(T)
	c.SetResourceVersion(fmt.Sprint(version))
	return c
}

func (p *place) see(o client.Object) { p.book.seen(p.kind(o), o, false) }

func (p *place) gone(o client.Object) { p.book.seen(p.kind(o), o, true) }

func (p *place) kind(o client.Object) *kind {
	if _, config := o.(*corev1.ConfigMap); config {
		return kindOf("", "configmaps")
	}
	return kindOf("apps", "deployments")
}

// changes has a person change the image of web, and the API server store it.
func (p *place) changes(user string) (was, is *appsv1.Deployment) {
	p.t.Helper()
	was, is = web(1, "web:1", "kustomize-controller", noon.Add(-time.Hour)), web(1, "web:2", "kubectl-edit", p.now)
	if resp := p.ask(user, admissionv1.Update, was, is, nil); !resp.Allowed {
		p.t.Fatalf("refused: %+v", resp)
	}
	p.see(stored(is, 2))
	return was, is
}

const image = "spec.template.spec.containers[name=app].image"

func (p *place) tells(path string) {
	p.t.Helper()
	if o := p.only(); !slices.Contains(o.Witness.Paths, path) {
		p.t.Errorf("told of %q, want %s", o.Witness.Paths, path)
	}
}

func configMap(version int, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "settings", UID: types.UID("uid-settings"), ResourceVersion: fmt.Sprint(version),
		ManagedFields: managed("kubectl-edit", noon)}, Data: data}
}
