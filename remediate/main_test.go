package remediate_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/charts"
	ours "moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate"
	"moorgate.dev/test/cluster"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	playActor()
	os.Exit(cluster.Main(m))
}

// judgeAgent is the field manager under which everything is written that the Watcher writes.
const judgeAgent = "moorgate-judge"

// house is one namespace of the shared cluster, with an administrator and the judge's own identity, which has the rights
// that the chart gives it and the fences around it.
type house struct {
	t         *testing.T
	admin     client.WithWatch
	judge     client.WithWatch
	config    *rest.Config // the judge's
	namespace string
}

var installed struct {
	sync.Once
	err error
}

func newHouse(t *testing.T) *house {
	t.Helper()
	c := cluster.Shared(t)
	installed.Do(func() {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		installed.err = ours.Install(ctx, c.Config(), charts.Files, ours.InstallOptions{})
	})
	if installed.err != nil {
		t.Fatal(installed.err)
	}
	config, err := c.ServiceAccount(t.Context(), "moorgate-system", "moorgate-judge")
	if err != nil {
		t.Fatal(err)
	}
	config.UserAgent = judgeAgent
	return &house{t: t, admin: newClient(t, c.Config()), judge: newClient(t, config), config: config, namespace: c.Namespace(t, nil)}
}

func newClient(t *testing.T, config *rest.Config) client.WithWatch {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// records is a log in memory.
type records struct {
	sync.Mutex
	all []gate.Record
}

func (l *records) Append(_ context.Context, r gate.Record) (gate.Position, error) {
	l.Lock()
	defer l.Unlock()
	l.all = append(l.all, r)
	return gate.Position{Log: "test", Sequence: uint64(len(l.all))}, nil
}

// of returns the records of one kind that tell of a namespace.
func (l *records) of(kind gate.RecordKind, namespace string) []gate.Record {
	l.Lock()
	defer l.Unlock()
	var some []gate.Record
	for _, r := range l.all {
		if r.Kind == kind && r.Signal != nil && r.Signal.Subject.Namespace == namespace {
			some = append(some, r)
		}
	}
	return some
}

// watch runs a Watcher with the judge's identity until the returned function is called or the test ends.
func (h *house) watch(sweep time.Duration) (*records, func()) { return h.watchThrough(h.judge, sweep) }

// watchThrough is watch with another reader.
func (h *house) watchThrough(reader client.Reader, sweep time.Duration) (*records, func()) {
	return h.watchWith(func(w *remediate.Watcher) { w.Reader, w.Owners, w.Sweep = reader, reader, sweep })
}

// watchWith is watch with a sweep each second and whatever else is changed.
func (h *house) watchWith(change ...func(*remediate.Watcher)) (*records, func()) {
	h.t.Helper()
	log := &records{}
	w := remediate.Watcher{Reader: h.judge, Owners: h.judge, Events: h.judge, Log: log, Cases: ours.Cases{Client: h.judge},
		Guardrails: ours.Guardrails{Reader: h.judge, Now: time.Now}, Now: time.Now, Logger: slog.New(slog.NewTextHandler(h.t.Output(), nil)),
		Wait: 200 * time.Millisecond, Sweep: time.Second, Settle: 4 * time.Second}
	for _, f := range change {
		f(&w)
	}
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	var once sync.Once
	stop := func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				h.t.Errorf("the Watcher ended with %v", err)
			}
		})
	}
	h.t.Cleanup(stop)
	return log, stop
}

// deployment creates a Deployment whose pods fail in the given way; no fault means that they are well.
func (h *house) deployment(name string, replicas int32, fault cluster.Fault, change ...func(*appsv1.Deployment)) *appsv1.Deployment {
	h.t.Helper()
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: name}, Spec: appsv1.DeploymentSpec{
		Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}},
		Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": name}, Annotations: map[string]string{cluster.RunForAnnotation: "200ms"}},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "registry.example/app:1"}}}},
	}}
	if fault != "" {
		d.Spec.Template.Labels[cluster.FaultLabel] = string(fault)
	}
	for _, f := range change {
		f(d)
	}
	h.create(d)
	return d
}

func (h *house) create(o client.Object) {
	h.t.Helper()
	if err := h.admin.Create(h.t.Context(), o); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) cases() []v1alpha1.Case {
	h.t.Helper()
	var list v1alpha1.CaseList
	if err := h.admin.List(h.t.Context(), &list, client.InNamespace(h.namespace)); err != nil {
		h.t.Fatal(err)
	}
	return list.Items
}

// judged waits for the Case of a workload to have a verdict that is right.
func (h *house) judged(workload string, right func(v1alpha1.Case) error) v1alpha1.Case {
	h.t.Helper()
	var found v1alpha1.Case
	h.eventually("a verdict on "+workload, func() error {
		why := errors.New("there is no Case with a verdict")
		for _, c := range h.cases() {
			if c.Spec.Subject.Name == workload && meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.CaseJudged) {
				if found, why = c, right(c); why == nil {
					return nil
				}
			}
		}
		return why
	})
	return found
}

func anyVerdict(v1alpha1.Case) error { return nil }

func recovered(status metav1.ConditionStatus, reason string) func(v1alpha1.Case) error {
	return func(c v1alpha1.Case) error {
		if r := meta.FindStatusCondition(c.Status.Conditions, remediate.ConditionRecovered); r == nil || r.Status != status || r.Reason != reason {
			return fmt.Errorf("the condition is %+v", r)
		}
		return nil
	}
}

// pods waits until n pods of an app are as they should be, and returns them.
func (h *house) pods(app string, n int, right func(*corev1.Pod) bool) []corev1.Pod {
	h.t.Helper()
	var list corev1.PodList
	h.eventually(fmt.Sprintf("%d pods of %s", n, app), func() error {
		if err := h.admin.List(h.t.Context(), &list, client.InNamespace(h.namespace), client.MatchingLabels{"app": app}); err != nil {
			return err
		}
		as := 0
		for i := range list.Items {
			if right(&list.Items[i]) {
				as++
			}
		}
		if as != n {
			return fmt.Errorf("%d of %d are as they should be", as, len(list.Items))
		}
		return nil
	})
	return list.Items
}

func ready(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func (h *house) eventually(what string, check func() error) {
	h.t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("waited for %s: %v", what, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
