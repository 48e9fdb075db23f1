package webhook

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"pgregory.net/rapid"
	ctrlcache "sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster/fit"
)

func TestNodesAreUnknownUntilEverythingWasSeen(t *testing.T) {
	n := NewNodes()
	if _, known := n.All().Get(); known {
		t.Error("known though nobody watches")
	}
	seen := false
	n.synced = append(n.synced, func() bool { return seen })
	if _, known := n.All().Get(); known {
		t.Error("known before the informers have synced")
	}
	seen = true
	if _, known := n.All().Get(); !known {
		t.Error("unknown though all was seen")
	}
}

func TestAnEndedPodHoldsNothing(t *testing.T) {
	n := NewNodes()
	n.setNode(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}})
	pod := boundPod(inShop("job"), "n1", "1")
	n.setPod(pod)
	pod = pod.DeepCopy()
	pod.Status.Phase = corev1.PodSucceeded
	n.setPod(pod)
	if got := n.snapshot()[0]; got.Pods != 0 || len(got.Requested) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestInformersThatMissedADeleteAreUnderstood(t *testing.T) {
	n := NewNodes()
	h := feedOf(n.setPod, n.dropPod)
	h.OnAdd(boundPod(inShop("a"), "n1", "1"), true)
	h.OnDelete(cache.DeletedFinalStateUnknown{Obj: boundPod(inShop("a"), "n1", "1")})
	h.OnAdd("no pod", false)
	if len(n.loads)+len(n.placed) != 0 {
		t.Errorf("loads %v of pods %v are left", n.loads, n.placed)
	}
}

// Whatever happens to pods and in whatever order, the sums are those that a fresh count of what is left gives.
func TestSumsNeverDrift(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, left := NewNodes(), map[string]*corev1.Pod{}
		for i := range 3 {
			n.setNode(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("n%d", i)}})
		}
		for range rapid.IntRange(0, 40).Draw(t, "events") {
			name := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "pod")
			if rapid.Bool().Draw(t, "deleted") {
				if p, ok := left[name]; ok {
					n.dropPod(p)
					delete(left, name)
				}
				continue
			}
			p := boundPod(inShop(name), rapid.SampledFrom([]string{"", "n0", "n1", "n2"}).Draw(t, "node"),
				rapid.SampledFrom([]string{"100m", "1", "2500m"}).Draw(t, "cpu"))
			p.Status.Phase = rapid.SampledFrom([]corev1.PodPhase{corev1.PodRunning, corev1.PodSucceeded}).Draw(t, "phase")
			n.setPod(p)
			left[name] = p
		}
		for _, got := range n.snapshot() {
			pods, want := 0, corev1.ResourceList{}
			for _, p := range left {
				if p.Spec.NodeName == got.Object.Name && p.Status.Phase == corev1.PodRunning {
					pods++
					fit.Add(want, fit.Requests(p))
				}
			}
			if got.Pods != pods || got.Requested.Cpu().Cmp(*want.Cpu()) != 0 {
				t.Fatalf("%s carries %d pods with %v, want %d with %v", got.Object.Name, got.Pods, got.Requested, pods, want)
			}
		}
	})
}

// BenchmarkNodes is what one review takes from the aggregate of 500 nodes and 5,000 pods.
func BenchmarkNodes(b *testing.B) {
	n := NewNodes()
	for i := range 500 {
		n.setNode(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("n%d", i)}})
	}
	for i := range 5000 {
		n.setPod(boundPod(inShop(fmt.Sprintf("p%d", i)), fmt.Sprintf("n%d", i%500), "100m"))
	}
	n.synced = append(n.synced, func() bool { return true })
	b.ReportAllocs()
	for b.Loop() {
		n.All()
	}
}

// localInformers are informers over what a client would list, without any API server.
type localInformers struct {
	ctrlcache.Informers
	byType map[string]cache.SharedIndexInformer
}

func (l localInformers) GetInformer(_ context.Context, o client.Object, _ ...ctrlcache.InformerGetOption) (ctrlcache.Informer, error) {
	if i, ok := l.byType[fmt.Sprintf("%T", o)]; ok {
		return i, nil
	}
	return nil, errors.New("not allowed")
}

// plainList lists and then watches: it cannot stream its list.
type plainList struct{ *cache.ListWatch }

func (plainList) IsWatchListSemanticsUnSupported() bool { return true }

func TestInformersFeedTheNodes(t *testing.T) {
	l := localInformers{byType: map[string]cache.SharedIndexInformer{}}
	n := NewNodes()
	if err := n.Watch(t.Context(), l); err == nil {
		t.Fatal("watched without informers")
	}
	for _, feed := range []struct {
		kind client.Object
		list runtime.Object
	}{
		{&corev1.Node{}, &corev1.NodeList{Items: []corev1.Node{{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}}}},
		{&corev1.Pod{}, &corev1.PodList{Items: []corev1.Pod{*boundPod(inShop("a"), "n1", "2")}}},
	} {
		i := cache.NewSharedIndexInformer(plainList{&cache.ListWatch{
			ListWithContextFunc:  func(context.Context, metav1.ListOptions) (runtime.Object, error) { return feed.list, nil },
			WatchFuncWithContext: func(context.Context, metav1.ListOptions) (watch.Interface, error) { return watch.NewFake(), nil },
		}}, feed.kind, 0, nil)
		l.byType[fmt.Sprintf("%T", feed.kind)] = i
	}
	if err := n.Watch(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if _, known := n.All().Get(); known {
		t.Error("known before the informers run")
	}
	for _, i := range l.byType {
		go i.Run(t.Context().Done())
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var synced []cache.InformerSynced
	for _, s := range n.synced {
		synced = append(synced, s)
	}
	cache.WaitForCacheSync(ctx.Done(), synced...)
	nodes, known := n.All().Get()
	if !known || len(nodes) != 1 || nodes[0].Pods != 1 || nodes[0].Requested.Cpu().String() != "2" {
		t.Errorf("nodes %+v known %v", nodes, known)
	}
}
