package webhook

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestHostileBodiesGetAClearAnswer(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, guardrail("Enforce"))
	web := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // the test's own server
	review := func(kind string, object string) string {
		return `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"1","operation":"CREATE","namespace":"gone","name":"x",` +
			`"kind":{"group":"apps","version":"v1","kind":"` + kind + `"},"resource":{"group":"apps","version":"v1","resource":"x"},"object":` + object + `}}`
	}
	sound, err := json.Marshal(deployment("gone", "x"))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		body    string
		allowed bool
		says    string
	}{
		"8 MB":                       {body: review("Deployment", `{"x":"`+strings.Repeat("a", 8<<20)+`"}`), says: "too large"},
		"just under 7 MB":            {body: review("Deployment", `{"metadata":{"annotations":{"x":"`+strings.Repeat("a", 6900<<10)+`"}}}`), allowed: true},
		"broken JSON":                {body: `{"apiVersion":`, says: ""},
		"no request":                 {body: `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}`, allowed: true},
		"an unknown kind":            {body: review("Rocket", `{}`), allowed: true, says: "not a kind"},
		"an object of another shape": {body: review("Deployment", `{"spec":{"template":7}}`), allowed: true, says: "not scored"},
		"deep nesting":               {body: review("Deployment", strings.Repeat(`{"a":`, 20000)+"1"+strings.Repeat("}", 20000))},
		"a namespace that is gone":   {body: review("Deployment", string(sound)), allowed: true},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := web.Post("https://"+g.address+Path, "application/json", strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			b, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			var answer admissionv1.AdmissionReview
			if err := json.Unmarshal(b, &answer); err != nil || answer.Response == nil {
				t.Fatalf("%v: %s", err, b)
			}
			if answer.Response.Allowed != tt.allowed || !bytes.Contains(b, []byte(tt.says)) {
				t.Errorf("%s", b)
			}
		})
	}
	t.Run("a manifest of 2 MB through the API server", func(t *testing.T) {
		d := poor(ns, "big")
		d.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "BIG", Value: strings.Repeat("a", 2<<20)}}
		if err := g.admin.Create(t.Context(), d); !apierrors.IsForbidden(err) || len(err.Error()) > 4096 {
			t.Error("not refused, or at length")
		}
	})
	t.Run("a namespace that is being deleted", func(t *testing.T) {
		doomed := g.place(t, guardrail("Warn"))
		d := deployment(doomed, "web")
		d.Finalizers = []string{"moorgate.dev/test-hold"}
		if err := g.admin.Create(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if err := g.admin.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: doomed}}); err != nil {
			t.Fatal(err)
		}
		patch := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"replicas":1,"template":{"metadata":{"labels":{"changed":"yes"}}}}}`))
		if err := g.admin.Patch(t.Context(), d, patch); err != nil {
			t.Errorf("an update in it: %v", err)
		}
		release := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
		if err := g.admin.Patch(t.Context(), d, release); client.IgnoreNotFound(err) != nil {
			t.Error(err)
		}
	})
}
