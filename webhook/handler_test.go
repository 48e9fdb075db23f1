package webhook

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

func TestHandlerAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		policy   gate.Policy
		change   func(*admission.Request)
		denied   bool
		warnings bool
		said     string // of the Case; empty means no Case
		records  int
	}{
		"a poor rollout is refused under Enforce":        {policy: rail(gate.AdmissionEnforce), denied: true, said: Denied, records: 1},
		"a poor rollout is warned about under Warn":      {policy: rail(gate.AdmissionWarn), warnings: true, said: Warned, records: 1},
		"nothing is said in Observe, and a Case is left": {policy: rail(gate.AdmissionObserve), said: Admitted, records: 1},
		"a dry run is never denied and leaves nothing": {policy: rail(gate.AdmissionEnforce), warnings: true,
			change: func(r *admission.Request) { r.DryRun = new(true) }},
		"Moorgate's own writes pass": {policy: rail(gate.AdmissionEnforce),
			change: func(r *admission.Request) {
				r.UserInfo.Username = "system:serviceaccount:moorgate-system:moorgate-judge"
			}},
		"a subresource passes": {policy: rail(gate.AdmissionEnforce), change: func(r *admission.Request) { r.SubResource = "status" }},
		"a delete passes":      {policy: rail(gate.AdmissionEnforce), change: func(r *admission.Request) { r.Operation = admissionv1.Delete }},
		"broken JSON is let in with a warning": {policy: rail(gate.AdmissionEnforce), warnings: true,
			change: func(r *admission.Request) { r.Object.Raw = []byte(`{"spec":{"replicas":`) }},
		"an object of the wrong shape is let in with a warning": {policy: rail(gate.AdmissionEnforce), warnings: true,
			change: func(r *admission.Request) { r.Object.Raw = []byte(`{"spec":[1,2,3]}`) }},
		"no object at all is let in with a warning": {policy: rail(gate.AdmissionEnforce), warnings: true,
			change: func(r *admission.Request) { r.Object = runtime.RawExtension{} }},
		"an unknown kind is let in with a warning": {policy: rail(gate.AdmissionEnforce), warnings: true,
			change: func(r *admission.Request) {
				r.Kind = metav1.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Schedule"}
			}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, tt.policy)
			req := request(t, admissionv1.Create, nil, poor("shop", "web"))
			if tt.change != nil {
				tt.change(&req)
			}
			resp := b.Handle(t.Context(), req)
			if resp.Allowed == tt.denied {
				t.Errorf("allowed is %v: %+v", resp.Allowed, resp.Result)
			}
			if tt.denied && (resp.Result.Code != http.StatusForbidden || resp.Result.Reason != metav1.StatusReasonForbidden) {
				t.Errorf("denied with %d %s", resp.Result.Code, resp.Result.Reason)
			}
			if (len(resp.Warnings) > 0) != tt.warnings {
				t.Errorf("warnings: %q", resp.Warnings)
			}
			said := ""
			for _, o := range b.queued() {
				said += o.Answer.Said
				if o.Labels[v1alpha1.LabelTemplate] != checks.Hash(poor("shop", "web").Spec.Template) {
					t.Errorf("labels %v", o.Labels)
				}
			}
			if said != tt.said {
				t.Errorf("Cases say %q, want %q", said, tt.said)
			}
			if len(b.log.records) != tt.records {
				t.Errorf("%d records, want %d", len(b.log.records), tt.records)
			}
		})
	}
}

func TestNoOpUpdatesAreNotLookedAt(t *testing.T) {
	for name, change := range map[string]func(bench) (old, new client.Object){
		"nothing at all": func(bench) (client.Object, client.Object) { return poor("shop", "web"), poor("shop", "web") },
		"annotations and labels": func(bench) (client.Object, client.Object) {
			d := poor("shop", "web")
			d.Annotations, d.Labels = map[string]string{"a": "b"}, nil
			return poor("shop", "web"), d
		},
		"a field that starts no pods": func(bench) (client.Object, client.Object) {
			d := poor("shop", "web")
			d.Spec.MinReadySeconds = 5
			return poor("shop", "web"), d
		},
		"status": func(bench) (client.Object, client.Object) {
			d := poor("shop", "web")
			d.Status.ReadyReplicas = 2
			return poor("shop", "web"), d
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, rail(gate.AdmissionEnforce))
			b.Look = func(context.Context, runtime.Object, runtime.Object) (checks.Rollout, []gate.Evidence, []string, error) {
				t.Error("looked")
				return checks.Rollout{}, nil, nil, errors.New("looked")
			}
			old, obj := change(b)
			if resp := b.Handle(t.Context(), request(t, admissionv1.Update, old, obj)); !resp.Allowed || len(resp.Warnings) > 0 {
				t.Errorf("%+v", resp)
			}
		})
	}
}

func TestFailuresOfOurOwnNeverDeny(t *testing.T) {
	for name, tt := range map[string]struct {
		break_ func(bench)
		warns  string
	}{
		"a panic": {func(b bench) {
			b.Look = func(context.Context, runtime.Object, runtime.Object) (checks.Rollout, []gate.Evidence, []string, error) {
				panic("boom")
			}
		}, "internal error"},
		"nothing can be looked at": {func(b bench) {
			b.Look = func(context.Context, runtime.Object, runtime.Object) (checks.Rollout, []gate.Evidence, []string, error) {
				return checks.Rollout{}, nil, nil, errors.New("no cache")
			}
		}, "no cache"},
		"the audit log cannot be written": {func(b bench) { b.log.fails = errors.New("disk full") }, "unrecorded"},
		"the Guardrails cannot be read": {func(b bench) {
			b.Policy = func(context.Context, string) (gate.Policy, error) {
				return gate.Policy{}, errors.New("no Guardrails today")
			}
		}, "no Guardrails today"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, rail(gate.AdmissionEnforce))
			tt.break_(b)
			resp := b.Handle(t.Context(), request(t, admissionv1.Create, nil, poor("shop", "web")))
			if !resp.Allowed || !strings.Contains(strings.Join(resp.Warnings, "\n"), tt.warns) {
				t.Errorf("allowed %v, warnings %q", resp.Allowed, resp.Warnings)
			}
		})
	}
}

func TestAFullQueueIsSaidAndNeverBlocks(t *testing.T) {
	b := newBench(t, rail(gate.AdmissionWarn))
	for i := range 9 {
		resp := b.Handle(t.Context(), request(t, admissionv1.Create, nil, poor("shop", "web")))
		full := strings.Contains(strings.Join(resp.Warnings, "\n"), "no Case will be opened")
		if full != (i == 8) {
			t.Errorf("answer %d: %q", i, resp.Warnings)
		}
	}
}
