package drift_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/charts"
	"moorgate.dev/drift"
	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/forge"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
	"moorgate.dev/test/github"
)

// harbour is a stage whose repository is at a GitHub, and what opens pull requests there as moorgate-act, with only the rights and behind
// the fence of that identity, and with the real ledger, log and Approvals.
type harbour struct {
	*stage
	github *github.Server
	repo   *github.Repo
	face   *drift.Proposals
	acts   *acting.Acts
	passed time.Duration // that it was turned on
}

// newHarbour delivers files that a GitSource names, and lets pull requests be opened in their namespace.
func newHarbour(t *testing.T, files map[string]string, change ...func(*v1alpha1.GuardrailSpec)) *harbour {
	t.Helper()
	h := harbourOf(newStage(t), files, change...)
	h.source(func(g *v1alpha1.GitSource) { g.Spec.URL = h.repo.Clone() })
	for _, content := range files {
		h.kubectl(content, "apply", "-f", "-")
	}
	h.round()
	return h
}

// harbourOf adds a GitHub with files to a stage, and what opens pull requests there.
func harbourOf(s *stage, files map[string]string, change ...func(*v1alpha1.GuardrailSpec)) *harbour {
	s.t.Helper()
	h := &harbour{stage: s, github: github.Start(s.t.TempDir(), github.Options{Token: "s3cret", Verified: true})}
	s.t.Cleanup(h.github.Close)
	var err error
	h.repo, err = h.github.Add("acme", "shop")
	h.ok(err)
	h.repo.Push("main", files)
	g := &v1alpha1.Guardrail{ObjectMeta: metav1.ObjectMeta{Name: h.ns}, Spec: v1alpha1.GuardrailSpec{Mode: "Propose",
		NamespaceSelector: v1alpha1.Selector{MatchLabels: map[string]v1alpha1.LabelValue{"kubernetes.io/metadata.name": v1alpha1.LabelValue(h.ns)}}}}
	for _, f := range change {
		f(&g.Spec)
	}
	h.ok(h.admin.Create(s.t.Context(), g))
	s.t.Cleanup(func() { _ = h.admin.Delete(context.Background(), g) })
	h.acts, h.face = h.crew(s.t)
	return h
}

// crew is one process that acts.
func (h *harbour) crew(t *testing.T) (*acting.Acts, *drift.Proposals) {
	t.Helper()
	as, err := h.cluster.ServiceAccount(t.Context(), "moorgate-system", "moorgate-act")
	h.ok(err)
	guarded := cluster.Guarded(as, cluster.OwnOfAct())
	scheme := runtime.NewScheme()
	h.ok(errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)))
	live, err := client.New(guarded, client.Options{Scheme: scheme})
	h.ok(err)
	ledger, err := cluster.NewLedger(guarded, time.Now)
	h.ok(err)
	fences, err := cluster.VouchingFences(charts.Files)
	h.ok(err)
	approvals := cluster.Approvals{Reader: live, Writer: live, Fences: fences, Now: time.Now}
	log, err := audit.Open(filepath.Join(t.TempDir(), "audit"), audit.Options{Now: time.Now, Name: "act"})
	h.ok(err)
	t.Cleanup(func() { _ = log.Close() })
	door, err := redact.New(redact.Options{Key: []byte(strings.Repeat("k", redact.KeyBytes))})
	h.ok(err)
	hub, err := forge.NewHub(forge.HubOptions{Base: h.github.URL, Local: true, Token: func() (string, error) { return "s3cret", nil }, Door: door, Now: time.Now,
		Pause: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
	h.ok(err)
	eyes := h.detectorAs(as)
	eyes.Door, eyes.Log, eyes.Now = door, nil, h.now
	eyes.Circumstances = cluster.Circumstances{Reader: live, Ledger: ledger.Read, Approvals: approvals.For,
		Paused: func(context.Context) gate.Fact[[]string] { return gate.Known[[]string](nil) }}
	face := &drift.Proposals{Detector: eyes, Hub: hub, Cluster: "this-cluster", Log: log, Follow: time.Minute}
	h.ok(face.Complete())
	acts := &acting.Acts{Face: face, Client: live, Log: log, Cases: cluster.Cases{Client: live, Now: h.now}, Guardrails: cluster.Guardrails{Reader: live, Now: time.Now},
		Actor: face, Reserve: ledger.Reserve, Settle: ledger.Settle, Ledger: ledger.Read, Use: approvals.Use, Now: h.now, Logger: slog.New(slog.DiscardHandler)}
	h.ok(acts.Complete())
	return acts, face
}

// now is the time, as far as it was turned on.
func (h *harbour) now() time.Time { return time.Now().Add(h.passed) }

// act has what acts look at a Case.
func (h *harbour) act(k v1alpha1.Case) v1alpha1.Acting {
	h.t.Helper()
	return h.actBy(h.acts, k)
}

func (h *harbour) actBy(a *acting.Acts, k v1alpha1.Case) v1alpha1.Acting {
	h.t.Helper()
	_, err := a.Reconcile(h.t.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Namespace: k.Namespace, Name: k.Name}})
	h.ok(err)
	h.ok(h.admin.Get(h.t.Context(), client.ObjectKeyFromObject(&k), &k))
	if k.Status.Acting == nil {
		return v1alpha1.Acting{}
	}
	return *k.Status.Acting
}

// standing is the Case whose drift stands.
func (h *harbour) standing() v1alpha1.Case {
	h.t.Helper()
	var found []v1alpha1.Case
	for _, k := range h.cases() {
		if condition(k.Status.Conditions, "Drifted").Status == metav1.ConditionTrue {
			found = append(found, k)
		}
	}
	if len(found) != 1 {
		h.t.Fatalf("%d Cases stand, want 1: %s", len(found), asJSON(h.cases()))
	}
	return found[0]
}

// pulls are the pull requests, in the order in which they were opened.
func (h *harbour) pulls() []github.Issue {
	h.t.Helper()
	if wrong := h.github.Wrong(); len(wrong) > 0 {
		h.t.Fatalf("GitHub would not know this: %s", strings.Join(wrong, "\n"))
	}
	return h.repo.Pulls()
}

// anew begins the ledger anew, as if what was spent were long ago.
func (h *harbour) anew() {
	h.t.Helper()
	var m corev1.ConfigMap
	h.ok(h.admin.Get(h.t.Context(), client.ObjectKey{Namespace: cluster.LedgerNamespace, Name: cluster.LedgerName}, &m))
	m.Data = map[string]string{"ledger": "{}"}
	h.ok(h.admin.Update(h.t.Context(), &m))
}

// asked is how often GitHub was asked something by such a method.
func (h *harbour) asked(method string) int {
	n := 0
	for _, r := range h.github.Requests() {
		if r.Method == method {
			n++
		}
	}
	return n
}
