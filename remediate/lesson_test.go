package remediate_test

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/test/cluster"
)

// written is a fault that the simulated nodes do not know: the pod's status is left to the test.
const written cluster.Fault = "written-by-the-test"

// never is longer than any test: only events and the sweep at the start make the Watcher look.
const never = time.Hour

// crash writes the status of a container that crash-loops, as a kubelet would.
func (h *house) crash(pod *corev1.Pod) {
	ended := &corev1.ContainerStateTerminated{ExitCode: 3, Reason: "Error", FinishedAt: metav1.Now(), Message: "panic: " + planted}
	h.status(pod, corev1.ContainerStatus{Name: "app", RestartCount: 4,
		State:                corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
		LastTerminationState: corev1.ContainerState{Terminated: ended}}, corev1.ConditionFalse)
}

// heal writes the status of a container that crashed and runs again, since a minute ago.
func (h *house) heal(pod *corev1.Pod) {
	ended := &corev1.ContainerStateTerminated{ExitCode: 3, Reason: "Error", FinishedAt: metav1.Now()}
	h.status(pod, corev1.ContainerStatus{Name: "app", RestartCount: 4, Ready: true,
		State:                corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(time.Now().Add(-time.Minute))}},
		LastTerminationState: corev1.ContainerState{Terminated: ended}}, corev1.ConditionTrue)
}

func (h *house) status(pod *corev1.Pod, s corev1.ContainerStatus, ready corev1.ConditionStatus) {
	h.t.Helper()
	h.eventually("a status of "+pod.Name, func() error {
		if err := h.admin.Get(h.t.Context(), client.ObjectKeyFromObject(pod), pod); err != nil {
			return err
		}
		pod.Status.Phase = corev1.PodRunning
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{s}
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}
		return h.admin.Status().Update(h.t.Context(), pod)
	})
}

func every(*corev1.Pod) bool { return true }

func backOff(pod *corev1.Pod, name string, at time.Time) *corev1.Event {
	return &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: name}, Type: corev1.EventTypeWarning, Reason: "BackOff",
		Message: "Back-off restarting failed container", Count: 7, FirstTimestamp: metav1.NewTime(at), LastTimestamp: metav1.NewTime(at),
		InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID}}
}

// TestL10AColdListOfOldEventsIsNothing shows that what events say of the past is not believed, and that a hundred pods
// with one cause are one Case.
func TestL10AColdListOfOldEventsIsNothing(t *testing.T) {
	h := newHouse(t)
	h.deployment("well", 3, "")
	for _, pod := range h.pods("well", 3, ready) {
		h.create(backOff(&pod, pod.Name+".old", time.Now().Add(-30*time.Minute)))
		h.create(backOff(&pod, pod.Name+".new", time.Now()))
	}
	h.watch(time.Second)
	h.overTwoSweeps()
	if all := h.cases(); len(all) != 1 || all[0].Spec.Subject.Name != "marker" {
		t.Errorf("there are %d Cases", len(all))
	}
}

func TestL10AHundredPodsAreOneCase(t *testing.T) {
	h := newHouse(t)
	h.watch(time.Second)
	h.deployment("many", 100, written)
	for _, pod := range h.pods("many", 100, every) {
		h.crash(&pod)
		h.create(backOff(&pod, pod.Name+".back-off", time.Now()))
	}
	h.overTwoSweeps()
	if n := len(h.cases()); n != 2 {
		t.Errorf("there are %d Cases, want one for the hundred and one for the marker", n)
	}
}

// TestL22AnEventWithoutCountAndTimesIsSeen shows that an event of the new API, as the scheduler writes it, makes somebody
// look: no sweep does.
func TestL22AnEventWithoutCountAndTimesIsSeen(t *testing.T) {
	h := newHouse(t)
	pod := &h.written("web")[0]
	h.started()
	h.crash(pod)
	h.create(&eventsv1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: "web.l22"}, EventTime: metav1.NowMicro(),
		Type: corev1.EventTypeWarning, Reason: "BackOff", Action: "Restarting", Note: "Back-off", ReportingController: "kubelet", ReportingInstance: "node",
		Regarding: corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: h.namespace, Name: pod.Name, UID: pod.UID}})
	if c := h.judged("web", anyVerdict); c.Status.Cause != "application-error" {
		t.Errorf("the cause is %q", c.Status.Cause)
	}
}

// TestL23AnUpdateOfAnOldEventIsSeen shows that an event that only counts on, or only gets a series, makes somebody look.
func TestL23AnUpdateOfAnOldEventIsSeen(t *testing.T) {
	for name, update := range map[string]func(*corev1.Event){
		"count":  func(e *corev1.Event) { e.Count++ },
		"series": func(e *corev1.Event) { e.Series = &corev1.EventSeries{Count: 2, LastObservedTime: metav1.NowMicro()} },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			pod := &h.written("web")[0]
			event := backOff(pod, "web.l23", time.Now().Add(-30*time.Minute))
			if name == "series" {
				event.Count, event.FirstTimestamp, event.LastTimestamp = 0, metav1.Time{}, metav1.Time{}
				event.EventTime = metav1.NewMicroTime(time.Now().Add(-30 * time.Minute))
				event.ReportingController, event.ReportingInstance, event.Action = "kubelet", "node", "Restarting"
			}
			h.create(event)
			h.started()
			h.crash(pod)
			update(event)
			if err := h.admin.Update(t.Context(), event); err != nil {
				t.Fatal(err)
			}
			h.judged("web", anyVerdict)
		})
	}
}

// TestThePodsOwnRecoveryIsSaid is a workload that comes back with the same revision, and crashes again: one Case throughout.
func TestThePodsOwnRecoveryIsSaid(t *testing.T) {
	h := newHouse(t)
	h.watch(time.Second)
	pods := h.written("web")
	h.crash(&pods[0])
	h.judged("web", recovered(metav1.ConditionFalse, "CrashLoop"))
	h.heal(&pods[0])
	h.judged("web", recovered(metav1.ConditionTrue, "Ready"))
	h.crash(&pods[0])
	h.judged("web", recovered(metav1.ConditionFalse, "CrashLoop"))
	if n := len(h.cases()); n != 1 {
		t.Errorf("there are %d Cases", n)
	}
}

// written creates a Deployment of one pod whose status the test writes, well at first.
func (h *house) written(name string) []corev1.Pod {
	h.t.Helper()
	h.deployment(name, 1, written)
	pods := h.pods(name, 1, every)
	h.heal(&pods[0])
	return pods
}

// started starts a Watcher that never sweeps again, and waits until it follows events. The first workload may still be
// found by the sweep at the start; once it is judged that sweep is over, and the second is found by its events alone.
func (h *house) started() {
	h.t.Helper()
	pods := append(h.written("hello"), h.written("again")...)
	h.watch(never)
	for i := range pods {
		h.crash(&pods[i])
		n := 0
		h.eventually("the Watcher to follow events", func() error {
			n++
			h.create(backOff(&pods[i], fmt.Sprintf("%s.%d", pods[i].Name, n), time.Now()))
			time.Sleep(200 * time.Millisecond)
			if len(h.cases()) <= i {
				return fmt.Errorf("it does not after %d events", n)
			}
			return nil
		})
	}
}
