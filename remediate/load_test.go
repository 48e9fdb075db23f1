package remediate_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate"
	"moorgate.dev/test/cluster"
)

// counted counts the objects of a namespace that are read one at a time.
type counted struct {
	client.Reader
	namespace string
	gets      *atomic.Int64
}

func (c counted) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if key.Namespace == c.namespace {
		c.gets.Add(1)
	}
	return c.Reader.Get(ctx, key, o, opts...)
}

// strangers creates pods each of which names another controller: a real one, so that nobody collects them.
func (h *house) strangers(n int) {
	h.t.Helper()
	yes := true
	for i := range n {
		owner := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: fmt.Sprintf("stranger-%03d", i)}}
		h.create(owner)
		h.create(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: owner.Name, Labels: map[string]string{cluster.FaultLabel: string(written)},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID, Controller: &yes}}},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "registry.example/app:1"}}}})
	}
}

// TestStrangersCostNothing shows a namespace full of pods of other owners: looking at one workload reads none of these, and
// it is known all the same that none of its pods is missing.
func TestStrangersCostNothing(t *testing.T) {
	h := newHouse(t)
	h.strangers(60)
	pod := &h.written("web")[0]
	h.crash(pod)
	var gets atomic.Int64
	h.watchWith(func(w *remediate.Watcher) { w.Owners = counted{h.judge, h.namespace, &gets} })
	h.judged("web", recovered(metav1.ConditionFalse, "CrashLoop"))
	h.heal(pod)
	h.judged("web", recovered(metav1.ConditionTrue, "Ready"))
	if n := gets.Load(); n > 60 {
		t.Errorf("%d objects were read to look at one workload a few times", n)
	}
}

// TestAnOwnerOfDeploymentsHasTheirPods shows a workload that owns Deployments, as operators make them: all pods are found,
// through two Deployments, and what was learnt of the strangers is not asked again.
func TestAnOwnerOfDeploymentsHasTheirPods(t *testing.T) {
	h := newHouse(t)
	h.strangers(30)
	stack := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: "stack"}}
	h.create(stack)
	yes := true
	owned := func(d *appsv1.Deployment) {
		d.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: stack.Name, UID: stack.UID, Controller: &yes}}
	}
	var pods []corev1.Pod
	for _, name := range []string{"front", "back"} {
		h.deployment(name, 1, written, owned)
		pods = append(pods, h.pods(name, 1, every)...)
	}
	h.crash(&pods[0])
	h.heal(&pods[1])
	var gets atomic.Int64
	h.watchWith(func(w *remediate.Watcher) { w.Owners = counted{h.judge, h.namespace, &gets} })
	h.judged("stack", recovered(metav1.ConditionFalse, "CrashLoop"))
	h.heal(&pods[0])
	h.judged("stack", recovered(metav1.ConditionTrue, "Ready"))
	if n := gets.Load(); n > 200 {
		t.Errorf("%d objects were read", n)
	}
}

// TestWithACache shows the Watcher as it is wired: pods and ReplicaSets come from informers, in no order and shared with
// everybody, so that nothing of them may be changed.
func TestWithACache(t *testing.T) {
	h := newHouse(t)
	pods := append(h.written("web"), h.written("well")...)
	h.crash(&pods[0])
	informers, err := cache.New(h.config, cache.Options{Scheme: h.judge.Scheme(), DefaultTransform: cache.TransformStripManagedFields(),
		DefaultNamespaces: map[string]cache.Config{h.namespace: {}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- informers.Start(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	log, _ := h.watchWith(func(w *remediate.Watcher) { w.Reader, w.Owners = informers, nil })
	h.judged("web", recovered(metav1.ConditionFalse, "CrashLoop"))
	h.heal(&pods[0])
	h.judged("web", recovered(metav1.ConditionTrue, "Ready"))
	if n := len(log.of(gate.RecordVerdict, h.namespace)); n == 0 || len(h.cases()) != 1 {
		t.Errorf("there are %d verdicts and %d Cases", n, len(h.cases()))
	}
}

// TestASweepCopiesNoPods shows that the lists which are only read are not copied for it: of the whole cluster's pods, that
// would be the most that this face does.
func TestASweepCopiesNoPods(t *testing.T) {
	h := newHouse(t)
	h.crash(&h.written("web")[0])
	copied := &copies{Reader: h.judge}
	h.watchWith(func(w *remediate.Watcher) { w.Reader = copied })
	h.judged("web", anyVerdict)
	time.Sleep(2 * time.Second)
	if n := copied.lists.Load(); n > 0 {
		t.Errorf("%d lists of pods and ReplicaSets would have been copied", n)
	}
}

// copies counts the lists of pods and ReplicaSets that a cache would copy.
type copies struct {
	client.Reader
	lists atomic.Int64
}

func (c *copies) List(ctx context.Context, o client.ObjectList, opts ...client.ListOption) error {
	asked := (&client.ListOptions{}).ApplyOptions(opts)
	switch o.(type) {
	case *corev1.PodList, *appsv1.ReplicaSetList:
		if asked.UnsafeDisableDeepCopy == nil || !*asked.UnsafeDisableDeepCopy {
			c.lists.Add(1)
		}
	}
	return c.Reader.List(ctx, o, opts...)
}
