package webhook

import (
	"net/http"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"

	"moorgate.dev/internal/gate"
)

// FuzzHandler: whatever is sent, there is an answer, and only what could be read and judged is ever denied.
func FuzzHandler(f *testing.F) {
	good := request(f, admissionv1.Update, deployment("shop", "web"), poor("shop", "web"))
	f.Add(good.Object.Raw, good.OldObject.Raw, "Deployment", true)
	f.Add(good.Object.Raw, []byte(nil), "StatefulSet", false)
	f.Add([]byte(`{"spec":{"template":null,"selector":{"matchExpressions":[{}]}}}`), []byte(`{"spec":null}`), "DaemonSet", true)
	f.Add([]byte(`{"metadata":{"ownerReferences":[{}]},"spec":{"replicas":-1,"strategy":{"rollingUpdate":{"maxSurge":"x%"}}}}`), []byte(`{}`), "Deployment", false)
	f.Add([]byte(`[`), []byte(`{`), "Rocket", true)
	b := newBench(f, rail(gate.AdmissionEnforce))
	f.Fuzz(func(t *testing.T, obj, old []byte, kind string, update bool) {
		req := request(t, admissionv1.Create, nil, deployment("shop", "web"))
		req.Object.Raw, req.OldObject.Raw, req.Kind.Kind = obj, old, kind
		if update {
			req.Operation = admissionv1.Update
		}
		resp := b.Handle(t.Context(), req)
		b.queued()
		if !resp.Allowed && resp.Result.Code != http.StatusForbidden {
			t.Errorf("denied with %d", resp.Result.Code)
		}
		for _, w := range resp.Warnings {
			if len(w) > warningMax {
				t.Errorf("%d bytes: %q", len(w), w)
			}
		}
	})
}
