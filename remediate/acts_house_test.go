package remediate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	ours "moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate"
	"moorgate.dev/test/cluster"
)

// ahead is a clock that is so much later that the first half minute of every happening is over, and nothing is too old yet.
func ahead() time.Time { return time.Now().Add(40 * time.Second) }

func number(n int32) *int32 { return &n }

// guardrail lets pods of the namespace be evicted without asking; change makes it more careful.
func (h *house) guardrail(change ...func(*v1alpha1.GuardrailSpec)) *v1alpha1.Guardrail {
	h.t.Helper()
	g := &v1alpha1.Guardrail{ObjectMeta: metav1.ObjectMeta{Name: h.namespace}, Spec: v1alpha1.GuardrailSpec{
		NamespaceSelector: v1alpha1.Selector{MatchLabels: map[string]v1alpha1.LabelValue{corev1.LabelMetadataName: v1alpha1.LabelValue(h.namespace)}},
		Mode:              "Automatic", Thresholds: v1alpha1.Thresholds{WarnBelow: number(60), DenyBelow: number(40)},
		Actions: []v1alpha1.AllowedAction{{Verb: "evict", Kinds: []string{"Pod"}}}, Restraint: v1alpha1.Restraint{StormCases: number(1000)}}}
	for _, f := range change {
		f(&g.Spec)
	}
	h.create(g)
	h.t.Cleanup(func() { _ = h.admin.Delete(context.Background(), g) })
	return g
}

// trusted begins the ledger anew, with a history of evictions that helped.
func (h *house) trusted() {
	h.t.Helper()
	content, err := json.Marshal(map[string]any{"entries": []gate.Spent{}, "tallies": []gate.Tally{
		{Cause: "application-error", Verb: "evict", Tried: 100, Healed: 100}, {Cause: "application-error", Verb: "roll-back", Tried: 100, Healed: 100}}})
	if err != nil {
		h.t.Fatal(err)
	}
	h.eventually("a new ledger", func() error {
		var m corev1.ConfigMap
		if err := h.admin.Get(h.t.Context(), client.ObjectKey{Namespace: ours.LedgerNamespace, Name: ours.LedgerName}, &m); err != nil {
			return err
		}
		m.Data = map[string]string{"ledger": string(content)}
		return h.admin.Update(h.t.Context(), &m)
	})
}

func (h *house) ledger() *ours.Ledger {
	h.t.Helper()
	ledger, err := ours.NewLedger(cluster.Shared(h.t).Config(), time.Now)
	if err != nil {
		h.t.Fatal(err)
	}
	return ledger
}

// circumstances are everything that a verdict on acting rests on, read.
func (h *house) circumstances() ours.Circumstances {
	return ours.Circumstances{Reader: h.judge, Ledger: h.ledger().Read,
		Approvals: func(context.Context, string, string) gate.Fact[[]gate.Approval] {
			return gate.Known[[]gate.Approval](nil)
		},
		Paused: func(context.Context) gate.Fact[[]string] { return gate.Known[[]string](nil) }}
}

// spent is the ledger's entries of this namespace.
func (h *house) spent() []gate.Spent {
	h.t.Helper()
	l, _, err := h.ledger().Read(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return slices.DeleteFunc(l.Entries, func(s gate.Spent) bool { return s.Namespace != h.namespace })
}

// ill makes a Deployment of which one pod crash-loops. A pod in its place is well, or crash-loops too.
func (h *house) ill(name string, replicas int32, change ...func(*appsv1.Deployment)) corev1.Pod {
	h.t.Helper()
	h.deployment(name, replicas, "", change...)
	pod := h.pods(name, int(replicas), ready)[0]
	h.sicken(&pod)
	return pod
}

// sicken makes a running pod crash-loop.
func (h *house) sicken(pod *corev1.Pod) {
	h.t.Helper()
	h.eventually("a label on "+pod.Name, func() error {
		if err := h.admin.Get(h.t.Context(), client.ObjectKeyFromObject(pod), pod); err != nil {
			return err
		}
		pod.Labels[cluster.FaultLabel] = string(written)
		return h.admin.Update(h.t.Context(), pod)
	})
	h.crash(pod)
}

// judge runs the Watcher, which makes the Cases, until the test ends.
func (h *house) judging() {
	h.t.Helper()
	h.watchWith(func(w *remediate.Watcher) {
		w.Circumstances = ours.Circumstances{Reader: h.judge}
		w.Settle = time.Second
	})
}

// actor is moorgate-act's own identity, with the rights that the chart gives it, the fences around it, and the rights to act in
// the namespace.
func (h *house) actor() *rest.Config {
	h.t.Helper()
	h.mayAct()
	config, err := cluster.Shared(h.t).ServiceAccount(h.t.Context(), "moorgate-system", "moorgate-act")
	if err != nil {
		h.t.Fatal(err)
	}
	return config
}

func (h *house) mayAct() {
	h.t.Helper()
	for _, role := range []string{"moorgate-act-evict", "moorgate-act-roll-back"} {
		err := h.admin.Create(h.t.Context(), &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: role},
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: "moorgate-system", Name: "moorgate-act"}}})
		if client.IgnoreAlreadyExists(err) != nil {
			h.t.Fatal(err)
		}
	}
}

// acting runs a process that acts, with a log of its own in the returned folder, until it is stopped or the test ends.
func (h *house) acting(change ...func(*assembly)) (dir string, stop func()) {
	h.t.Helper()
	a := assembly{config: h.actor(), namespace: h.namespace, dir: filepath.Join(h.t.TempDir(), "audit"), clock: ahead, at: func(string) {},
		logger: slog.New(slog.NewTextHandler(h.t.Output(), nil))}
	for _, f := range change {
		f(&a)
	}
	c, err := a.make()
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(h.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			h.t.Errorf("the actor ended with %v", err)
		}
	}
	h.t.Cleanup(stop)
	return a.dir, stop
}

// acted waits until acting on the Case of a workload has come to a phase.
func (h *house) acted(workload string, phases ...string) v1alpha1.Acting {
	h.t.Helper()
	var found v1alpha1.Acting
	h.eventually(fmt.Sprintf("%s to be %v", workload, phases), func() error {
		for _, c := range h.cases() {
			if c.Spec.Subject.Name == workload && c.Status.Acting != nil {
				found = *c.Status.Acting
			}
		}
		if !slices.Contains(phases, found.Phase) {
			return fmt.Errorf("it is %+v", found)
		}
		return nil
	})
	return found
}

func rulesOf(a v1alpha1.Acting) []string {
	var ids []string
	for _, r := range a.Reasons {
		ids = append(ids, r.Rule)
	}
	return ids
}

// stands is whether a pod is still there and not on its way out.
func (h *house) stands(pod corev1.Pod) bool {
	h.t.Helper()
	var now corev1.Pod
	err := h.admin.Get(h.t.Context(), client.ObjectKeyFromObject(&pod), &now)
	if client.IgnoreNotFound(err) != nil {
		h.t.Fatal(err)
	}
	return err == nil && now.UID == pod.UID && now.DeletionTimestamp == nil
}

func kindsOf(records []gate.Record) []gate.RecordKind {
	var kinds []gate.RecordKind
	for _, r := range records {
		if r.Kind != gate.RecordNote {
			kinds = append(kinds, r.Kind)
		}
	}
	return kinds
}
