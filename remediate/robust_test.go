package remediate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"moorgate.dev/api/v1alpha1"
	ours "moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate"
	"moorgate.dev/test/cluster"
)

// trap panics when one object is read.
type trap struct {
	client.Reader
	name   string
	sprung *atomic.Int64
}

func (r trap) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if strings.HasPrefix(key.Name, r.name) {
		r.sprung.Add(1)
		panic("planted " + key.Name)
	}
	return r.Reader.Get(ctx, key, o, opts...)
}

// TestAPanicCostsOneLook shows that a defect which one workload wakes does not end the process, nor the watch over others:
// on the way from a pod, and on the way from a Case.
func TestAPanicCostsOneLook(t *testing.T) {
	for _, trapped := range []string{"pod", "case"} {
		t.Run(trapped, func(t *testing.T) {
			h := newHouse(t)
			h.deployment("evil", 1, cluster.CrashLoop)
			if trapped == "case" {
				_, stop := h.watchWith()
				h.judged("evil", anyVerdict)
				stop()
			}
			var sprung atomic.Int64
			h.watchWith(func(w *remediate.Watcher) {
				if trapped == "pod" {
					w.Reader = trap{h.judge, "evil", &sprung}
				} else {
					w.Owners = trap{h.judge, "evil", &sprung}
				}
			})
			h.eventually("the trap to be sprung again by the next sweep", func() error {
				if sprung.Load() < 2 {
					return fmt.Errorf("it was sprung %d times", sprung.Load())
				}
				return nil
			})
			h.overTwoSweeps()
		})
	}
}

// TestAnOwnerThatCannotExistDoesNotHideARecovery shows a pod whose controller is of a kind that nobody knows, with a UID
// that the API server accepts and never gives.
func TestAnOwnerThatCannotExistDoesNotHideARecovery(t *testing.T) {
	yes := true
	for name, uid := range map[string]types.UID{"slash": "a/b", "long": types.UID(strings.Repeat("x", 600)), "bidi": "a\u202eb"} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: "web", Labels: map[string]string{cluster.FaultLabel: string(written)},
				OwnerReferences: []metav1.OwnerReference{{APIVersion: "no.such/v1", Kind: "No\u202eSuch", Name: "no\u202esuch", UID: uid, Controller: &yes}}},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "registry.example/app:1"}}}}
			h.create(pod)
			h.crash(pod)
			log, _ := h.watchWith()
			has := func(status metav1.ConditionStatus) func() error {
				return func() error {
					all := h.cases()
					if len(all) != 1 || !meta.IsStatusConditionPresentAndEqual(all[0].Status.Conditions, remediate.ConditionRecovered, status) {
						return fmt.Errorf("there are %d Cases: %+v", len(all), all)
					}
					return nil
				}
			}
			h.eventually("a Case", has(metav1.ConditionFalse))
			h.heal(pod)
			h.eventually("the recovery to be said", has(metav1.ConditionTrue))
			if said := fmt.Sprintf("%+v %+v", h.cases(), log.all); strings.Contains(said, "\u202e") {
				t.Errorf("text that turns around is shown: %q", said)
			}
		})
	}
}

// stubborn refuses the first writes of a recovery as an API server does where somebody else wrote at the same time.
func (h *house) stubborn(refusals int64) client.Client {
	var refused atomic.Int64
	return interceptor.NewClient(h.judge, interceptor.Funcs{SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
		if k, ok := o.(*v1alpha1.Case); ok && meta.IsStatusConditionTrue(k.Status.Conditions, remediate.ConditionRecovered) && refused.Add(1) <= refusals {
			return apierrors.NewConflict(schema.GroupResource{Resource: "cases"}, k.Name, errors.New("planted"))
		}
		return c.Status().Patch(ctx, o, p, opts...)
	}})
}

// behind lists Cases as they were when it listed the first.
type behind struct {
	client.Reader
	namespace string
	lock      *sync.Mutex
	old       *v1alpha1.CaseList
}

func (b behind) List(ctx context.Context, o client.ObjectList, opts ...client.ListOption) error {
	cases, ok := o.(*v1alpha1.CaseList)
	if !ok {
		return b.Reader.List(ctx, o, opts...)
	}
	b.lock.Lock()
	defer b.lock.Unlock()
	if !slices.ContainsFunc(b.old.Items, func(c v1alpha1.Case) bool { return c.Namespace == b.namespace }) {
		if err := b.Reader.List(ctx, b.old, opts...); err != nil {
			return err
		}
	}
	b.old.DeepCopyInto(cases)
	return nil
}

// TestARecoveryIsRecordedOnce shows that neither writes that meet another's nor a cache that lags behind repeat the record.
func TestARecoveryIsRecordedOnce(t *testing.T) {
	for name, change := range map[string]func(*house, *remediate.Watcher){
		"a few conflicts": func(h *house, w *remediate.Watcher) { w.Cases = ours.Cases{Client: h.stubborn(3)} },
		"many conflicts":  func(h *house, w *remediate.Watcher) { w.Cases = ours.Cases{Client: h.stubborn(16)} },
		"a cache that lags": func(h *house, w *remediate.Watcher) {
			w.Reader = behind{h.judge, h.namespace, &sync.Mutex{}, &v1alpha1.CaseList{}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			pod := &h.written("web")[0]
			h.crash(pod)
			log, _ := h.watchWith(func(w *remediate.Watcher) { change(h, w) })
			h.judged("web", recovered(metav1.ConditionFalse, "CrashLoop"))
			h.heal(pod)
			h.judged("web", recovered(metav1.ConditionTrue, "Ready"))
			h.overTwoSweeps()
			if n := log.notes(h.namespace + "/"); n != 1 {
				t.Errorf("the recovery is recorded %d times", n)
			}
		})
	}
}

func (l *records) notes(correlation string) int {
	l.Lock()
	defer l.Unlock()
	n := 0
	for _, r := range l.all {
		if r.Kind == gate.RecordNote && strings.HasPrefix(r.Correlation, correlation) {
			n++
		}
	}
	return n
}
