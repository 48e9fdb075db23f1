package remediate_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	ours "moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate"
	"moorgate.dev/test/cluster"
)

const (
	unreachable = `failed to pull and unpack image "x": failed to resolve reference "x": failed to do request: Head "https://x/v2/app/manifests/1": dial tcp: lookup x: no such host`
	notFound    = `rpc error: code = NotFound desc = failed to pull and unpack image "x": failed to resolve reference "x/app:1": x/app:1: not found`
)

// registry is a registry of this house alone: whoever watches sees the whole cluster.
func (h *house) registry() string { return h.namespace + ".example" }

// starved creates a Deployment whose image does not come.
func (h *house) starved(name string, replicas int32, message string) []corev1.Pod {
	h.t.Helper()
	h.deployment(name, replicas, written, func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = h.registry() + "/app:1" })
	pods := h.pods(name, int(replicas), every)
	for i := range pods {
		h.status(&pods[i], corev1.ContainerStatus{Name: "app", Image: h.registry() + "/app:1",
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "Back-off pulling image \"x\": ErrImagePull: " + message}}}, corev1.ConditionFalse)
	}
	return pods
}

// shared waits for the Case of what many share, in a namespace, to be right.
func (h *house) shared(namespace, name string, right func(v1alpha1.Case) error) v1alpha1.Case {
	h.t.Helper()
	var found v1alpha1.Case
	h.eventually("the Case of what is shared", func() error {
		var list v1alpha1.CaseList
		if err := h.admin.List(h.t.Context(), &list, client.InNamespace(namespace)); err != nil {
			return err
		}
		for _, c := range list.Items {
			if c.Spec.Subject.Name == name && (c.Spec.Signal.Reason == "SharedCause" || c.Spec.Signal.Reason == "TooManyCases") {
				found = c
				return right(c)
			}
		}
		return fmt.Errorf("there is none among %d", len(list.Items))
	})
	return found
}

func affects(n int) func(v1alpha1.Case) error {
	return func(c v1alpha1.Case) error {
		if len(c.Status.Affects) != n {
			return fmt.Errorf("it affects %v", c.Status.Affects)
		}
		return nil
	}
}

// told are the Cases of a house but the marker's, as one line each.
func (h *house) told() (all []string) {
	for _, c := range h.cases() {
		if c.Spec.Subject.Name != "marker" {
			all = append(all, c.Spec.Signal.Reason+" of "+c.Spec.Subject.Kind+"/"+c.Spec.Subject.Name)
		}
	}
	slices.Sort(all)
	return all
}

// TestL10OneRegistryIsOneCase shows a hundred pods of ten workloads that wait for one registry: one Case, that names them and on whose menu
// is nothing that touches any. One that comes later is a part of it, and one that fares badly for another reason is not.
func TestL10OneRegistryIsOneCase(t *testing.T) {
	h := newHouse(t)
	var pods []corev1.Pod
	for i := range 10 {
		pods = append(pods, h.starved(fmt.Sprint("owner-", i), 10, unreachable)...)
	}
	log, _ := h.watch(time.Second)
	c := h.shared(h.namespace, h.registry(), affects(10))
	if c.Status.Cause != "registry-unreachable" || menuOf(c) != "escalate nothing" || c.Status.Decision != "Hold" || !strings.Contains(c.Status.Summary, "10 workloads") {
		t.Errorf("the Case is %+v", c.Status)
	}
	pods = append(pods, h.starved("late", 1, unreachable)...)
	h.shared(h.namespace, h.registry(), affects(11))
	h.starved("typo", 1, notFound)
	h.because("typo", "image-not-found")
	h.overTwoSweeps()
	want := []string{"ImagePull of Deployment/typo", "SharedCause of Registry/" + h.registry()}
	if got := h.told(); !slices.Equal(got, want) {
		t.Errorf("there are Cases of %v, want %v", got, want)
	}
	if n := len(log.of(gate.RecordVerdict, h.namespace)); n > 8 {
		t.Errorf("there are %d verdicts", n)
	}
	h.untouched()
	for i := range pods {
		h.heal(&pods[i])
	}
	h.shared(h.namespace, h.registry(), recovered(metav1.ConditionTrue, "Ready"))
}

// TestWhatIsSharedAcrossNamespaces shows two workloads that fare badly each for itself, until others in another namespace show that it is
// one thing: they keep their Cases, with the name of its own and nothing to be done; and are told for themselves again once they are few.
func TestWhatIsSharedAcrossNamespaces(t *testing.T) {
	h := newHouse(t)
	h.watch(time.Second)
	first, second := h.starved("first", 1, unreachable), h.starved("second", 1, unreachable)
	for _, name := range []string{"first", "second"} {
		if c := h.because(name, "registry-unreachable"); c.Status.InhibitedBy != "" || len(c.Status.Chosen) == 0 {
			t.Errorf("the Case is %+v", c.Status)
		}
	}
	beside := &house{t: t, admin: h.admin, judge: h.judge, config: h.config, namespace: cluster.Shared(t).Namespace(t, nil)}
	beside.deployment("third", 1, written, func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = h.registry() + "/app:1" })
	third := beside.pods("third", 1, every)
	waiting := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "Back-off pulling image \"x\": ErrImagePull: " + unreachable}}
	beside.status(&third[0], corev1.ContainerStatus{Name: "app", State: waiting}, corev1.ConditionFalse)
	parent := h.shared(ours.OwnNamespace, h.registry(), affects(3))
	for _, name := range []string{"first", "second"} {
		h.judged(name, func(c v1alpha1.Case) error {
			if c.Status.InhibitedBy != parent.Namespace+"/"+parent.Name || len(c.Status.Chosen) > 0 || len(c.Status.Menu) > 0 || rules(c) != remediate.RuleParent {
				return fmt.Errorf("the Case is %+v", c.Status)
			}
			return nil
		})
	}
	h.heal(&first[0])
	h.judged("first", recovered(metav1.ConditionTrue, "Ready"))
	beside.heal(&third[0])
	h.shared(ours.OwnNamespace, h.registry(), affects(1))
	h.heal(&second[0])
	h.shared(ours.OwnNamespace, h.registry(), recovered(metav1.ConditionTrue, "Ready"))
	if got := beside.told(); len(got) > 0 {
		t.Errorf("a part has Cases of its own: %v", got)
	}
}

// TestAnUnwellNodeCarriesWhatFailsOnIt shows a workload that crash-loops on a node whose disk is full: the node's Case names it.
func TestAnUnwellNodeCarriesWhatFailsOnIt(t *testing.T) {
	h := newHouse(t)
	c := cluster.Shared(t)
	nodes := h.nodes(cluster.NodeOptions{Count: 1, NamePrefix: "carrier", Labels: map[string]string{"carrier": h.namespace},
		Taints: []corev1.Taint{{Key: "carrier", Effect: corev1.TaintEffectNoSchedule}}})
	h.deployment("carried", 1, written, func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.NodeSelector = map[string]string{"carrier": h.namespace}
		d.Spec.Template.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	})
	pods := h.pods("carried", 1, func(p *corev1.Pod) bool { return p.Spec.NodeName != "" })
	h.heal(&pods[0])
	if err := c.SetNodeCondition(t.Context(), nodes[0], corev1.NodeCondition{Type: corev1.NodeDiskPressure, Status: corev1.ConditionTrue, Reason: "KubeletHasDiskPressure"}); err != nil {
		t.Fatal(err)
	}
	h.watch(time.Second)
	of := func(right func(v1alpha1.Case) error) {
		t.Helper()
		h.eventually("the Case of the node", func() error {
			var list v1alpha1.CaseList
			if err := h.admin.List(t.Context(), &list, client.InNamespace(ours.OwnNamespace)); err != nil {
				return err
			}
			for _, c := range list.Items {
				if c.Spec.Subject.Name == nodes[0] {
					return right(c)
				}
			}
			return errors.New("there is none")
		})
	}
	of(affects(0))
	h.crash(&pods[0])
	of(affects(1))
	h.overTwoSweeps()
	if got := h.told(); len(got) > 0 {
		t.Errorf("what fails on the node has Cases of its own: %v", got)
	}
	if err := c.HealNode(t.Context(), nodes[0]); err != nil {
		t.Fatal(err)
	}
	of(recovered(metav1.ConditionTrue, "Ready"))
	h.because("carried", "application-error")
}

// TestTooManyCasesAreOneMore shows a namespace in which more fares badly than Cases are opened.
func TestTooManyCasesAreOneMore(t *testing.T) {
	h := newHouse(t)
	const most, more = 50, 5
	var pods []*corev1.Pod
	for i := range most + more {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: fmt.Sprint("alone-", i), Labels: map[string]string{cluster.FaultLabel: string(written)}},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "registry.example/app:1"}}}}
		h.create(pod)
		h.crash(pod)
		pods = append(pods, pod)
	}
	log, _ := h.watch(time.Second)
	h.shared(h.namespace, h.namespace, affects(more))
	h.eventually("a note", func() error {
		log.Lock()
		defer log.Unlock()
		if !slices.ContainsFunc(log.all, func(r gate.Record) bool {
			return strings.Contains(r.Text, "namespace "+h.namespace+" has 50 open Cases or more")
		}) {
			return errors.New("nothing was said of it")
		}
		return nil
	})
	if n := len(h.cases()); n != most+1 {
		t.Errorf("there are %d Cases", n)
	}
	for _, pod := range pods[:2*more] {
		if err := h.admin.Delete(t.Context(), pod, client.GracePeriodSeconds(0)); err != nil {
			t.Fatal(err)
		}
	}
	h.shared(h.namespace, h.namespace, recovered(metav1.ConditionTrue, "Ready"))
}

// TestAStormOfTwentyCausesIsTwentyCases shows ten thousand Warning events about twenty workloads, each of which fails for itself.
func TestAStormOfTwentyCausesIsTwentyCases(t *testing.T) {
	h := newHouse(t)
	const workloads, each = 20, 500
	var pods []corev1.Pod
	for i := range workloads {
		pods = append(pods, h.written(fmt.Sprint("w-", i))...)
	}
	log, _ := h.watch(time.Second)
	for i := range pods {
		h.crash(&pods[i])
	}
	var writing sync.WaitGroup
	for i := range pods {
		writing.Go(func() {
			for n := range each {
				if err := h.admin.Create(t.Context(), backOff(&pods[i], fmt.Sprintf("%s.%d", pods[i].Name, n), time.Now())); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writing.Wait()
	h.overTwoSweeps()
	if got := h.told(); len(got) != workloads {
		t.Errorf("there are %d Cases: %v", len(got), got)
	}
	if n := len(log.of(gate.RecordVerdict, h.namespace)); n > 2*workloads+4 {
		t.Errorf("there are %d verdicts", n)
	}
}
