package causes

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"moorgate.dev/internal/gate"
)

// given is a workload of which some pods show a symptom, as the API server would show them.
type given struct {
	symptom Symptom
	pods    []*corev1.Pod
	others  []*corev1.Pod
	world   func(*World)
}

func (g given) assess() gate.Assessment {
	w := world(nil)
	w.Symptom = g.symptom
	sign := Sign{g.symptom, "app"}
	for _, p := range g.pods {
		w.Pods = append(w.Pods, PodOf(p, sign, noon, settle))
	}
	for _, p := range g.others {
		w.Others = append(w.Others, PodOf(p, sign, noon, settle))
	}
	if g.world != nil {
		g.world(&w)
	}
	return Assess(w, nil)
}

// twin is given with a change to every pod that may make another cause of it.
func (g given) twin(change ...func(*corev1.Pod)) given {
	g.pods = slices.Clone(g.pods)
	for i := range g.pods {
		g.pods[i] = g.pods[i].DeepCopy()
		for _, f := range change {
			f(g.pods[i])
		}
	}
	return g
}

func (g given) with(change func(*World)) given { g.world = change; return g }

// pod is one whose container app is in a state, with what else is changed.
func pod(name string, state, last corev1.ContainerState, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop", CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour))},
		Spec: corev1.PodSpec{NodeName: "node-1", Containers: []corev1.Container{{Name: "app", Image: "registry.example/shop/web:1.4"}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(noon.Add(-time.Hour))}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "app", State: state, LastTerminationState: last, RestartCount: 3}}}}
	for _, f := range change {
		f(p)
	}
	return p
}

func says(reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

func after(ran time.Duration, code int32, reason string) corev1.ContainerState {
	s := ended(code, reason)
	s.Terminated.StartedAt = metav1.NewTime(noon.Add(-ran))
	return s
}

func startError(message string) corev1.ContainerState {
	s := ended(128, "StartError")
	s.Terminated.Message, s.Terminated.StartedAt = message, metav1.Unix(0, 0)
	return s
}

var backingOff = says("CrashLoopBackOff", "back-off 10s restarting failed container=app pod=web")

// well is a pod that became ready so long after it began, and has run since.
func well(name string, ran, took time.Duration, change ...func(*corev1.Pod)) *corev1.Pod {
	p := pod(name, runs(ran), corev1.ContainerState{}, change...)
	p.Status.ContainerStatuses[0].Ready, p.Status.ContainerStatuses[0].RestartCount = true, 0
	p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(noon.Add(took - ran))})
	return p
}

func app(p *corev1.Pod) *corev1.Container { return &p.Spec.Containers[0] }

func limited(p *corev1.Pod) {
	app(p).Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("100Mi")}
}

// asInit makes the container app an init container.
func asInit(p *corev1.Pod) {
	p.Spec.InitContainers, p.Spec.Containers = p.Spec.Containers, nil
	p.Status.InitContainerStatuses, p.Status.ContainerStatuses = p.Status.ContainerStatuses, nil
}

// liveness gives a probe that fails 3 times in 10 s each, after 5 s: 25 s at the earliest, with 30 s to end.
func liveness(p *corev1.Pod) {
	app(p).LivenessProbe = &corev1.Probe{InitialDelaySeconds: 5, PeriodSeconds: 10, FailureThreshold: 3, TimeoutSeconds: 1,
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromInt32(8080)}}}
}

func declares(port int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) { app(p).Ports = []corev1.ContainerPort{{Name: "http", ContainerPort: port}} }
}

type expectation struct {
	given
	cause, says string
}

func check(t *testing.T, all map[string]expectation) {
	t.Helper()
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			a := c.assess()
			if a.Silent != "" || a.Cause != c.cause || !strings.Contains(a.Findings[0].Text, c.says) {
				t.Errorf("the cause is %q, want %q (%s): %+v", a.Cause, c.cause, a.Silent, a.Findings)
			}
		})
	}
}

func TestCommandsThatCannotStart(t *testing.T) {
	const noSuch = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "serve": executable file not found in $PATH: unknown`
	shell := given{symptom: CrashLoop, pods: []*corev1.Pod{pod("a", backingOff, after(time.Second, 127, "Error"))}}
	runtime := given{symptom: CrashLoop, pods: []*corev1.Pod{pod("a", backingOff, startError(noSuch))}}
	check(t, map[string]expectation{
		"the runtime finds no command":                           {runtime, "bad-command", "container app cannot start in 1 of 1 pod of Deployment/web: the command is not in the image"},
		"the same at the moment of an attempt":                   {given{symptom: CrashLoop, pods: []*corev1.Pod{pod("a", says("RunContainerError", noSuch), startError(noSuch))}}, "bad-command", "not in the image"},
		"the same before anything ended":                         {given{symptom: CannotStart, pods: []*corev1.Pod{pod("a", says("RunContainerError", noSuch), corev1.ContainerState{})}}, "bad-command", "not in the image"},
		"an init container":                                      {runtime.twin(asInit), "bad-command", "init container app cannot start"},
		"a shell finds no command":                               {shell, "bad-command", "exit code 127"},
		"a shell may not execute it":                             {given{symptom: CrashLoop, pods: []*corev1.Pod{pod("a", backingOff, after(time.Second, 126, "Error"))}}, "bad-command", "exit code 126"},
		"look-alike: it ran for a while before that":             {given{symptom: CrashLoop, pods: []*corev1.Pod{pod("a", backingOff, after(time.Minute, 127, "Error"))}}, "application-error", "127"},
		"look-alike: nobody knows how long it ran":               {given{symptom: CrashLoop, pods: []*corev1.Pod{pod("a", backingOff, ended(127, "Error"))}}, "application-error", "127"},
		"look-alike: a runtime that could not, and says nothing": {given{symptom: CrashLoop, pods: []*corev1.Pod{pod("a", backingOff, after(time.Second, 127, "ContainerCannotRun"))}}, "other", "ContainerCannotRun"},
		"look-alike: another exit code":                          {given{symptom: CrashLoop, pods: []*corev1.Pod{pod("a", backingOff, after(time.Second, 128, "Error"))}}, "application-error", "128"},
		"look-alike: the program says it of itself": {shell.twin(func(p *corev1.Pod) {
			*p = *pod("a", backingOff, after(time.Second, 1, "Error"))
			p.Status.ContainerStatuses[0].LastTerminationState.Terminated.Message = noSuch
		}), "application-error", "exit code 1"},
		"look-alike: a start that fails in words unknown":  {given{symptom: CrashLoop, pods: []*corev1.Pod{pod("a", backingOff, startError("no idea"))}}, "other", "StartError"},
		"look-alike: the wrong architecture":               {given{symptom: CrashLoop, pods: []*corev1.Pod{pod("a", backingOff, startError(`exec: "/app": exec format error: unknown`))}}, "wrong-architecture", "on node node-1"},
		"look-alike: a path that a volume does not fit in": {given{symptom: CrashLoop, pods: []*corev1.Pod{pod("a", backingOff, startError(`error mounting "/x" to rootfs at "/y": not a directory: unknown`))}}, "bad-mount-path", "mounted"},
	})
}

// Attempts to start and waits between them follow each other in turn. It is one happening.
func TestAStartThatFailsIsACrashLoop(t *testing.T) {
	last := startError("no idea")
	for name, c := range map[string]struct {
		pod  *corev1.Pod
		want []Sign
	}{
		"an attempt fails again":               {pod("a", says("RunContainerError", ""), last), []Sign{{CrashLoop, "app"}}},
		"between two attempts":                 {pod("a", backingOff, last), []Sign{{CrashLoop, "app"}}},
		"the first attempt":                    {pod("a", says("RunContainerError", ""), last, func(p *corev1.Pod) { p.Status.ContainerStatuses[0].RestartCount = 0 }), nil},
		"nothing was ever created":             {pod("a", says("RunContainerError", ""), corev1.ContainerState{}), []Sign{{CannotStart, "app"}}},
		"it ran before and cannot start now":   {pod("a", says("RunContainerError", ""), ended(1, "Error")), []Sign{{CannotStart, "app"}}},
		"a pull that failed just now":          {pod("a", says("RegistryUnavailable", ""), corev1.ContainerState{}), []Sign{{ImagePull, "app"}}},
		"it runs":                              {pod("a", runs(time.Hour), last, func(p *corev1.Pod) { p.Status.ContainerStatuses[0].Ready = true }), nil},
		"it ended well and is restarted":       {pod("a", backingOff, ended(0, "Completed")), nil},
		"it waits for the first time, quietly": {pod("a", says("ContainerCreating", ""), corev1.ContainerState{}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Signs(c.pod, noon, settle); !slices.Equal(got, c.want) {
				t.Errorf("it shows %v, want %v", got, c.want)
			}
		})
	}
}

func TestKillsByProbes(t *testing.T) {
	killed := func(ran time.Duration, code int32) given {
		return given{symptom: CrashLoop, pods: []*corev1.Pod{pod("a", backingOff, after(ran, code, "Error"), liveness)}}
	}
	before := func(took time.Duration) []*corev1.Pod { return []*corev1.Pod{well("old", time.Hour, took)} }
	slow := killed(27*time.Second, 143)
	slow.others = before(50 * time.Second)
	quick := killed(27*time.Second, 143)
	quick.others = append(before(3*time.Second), before(50*time.Second)...)
	hung := killed(3*time.Hour, 143)
	hung.others = before(50 * time.Second)
	restarted := killed(27*time.Second, 143)
	restarted.others = before(50 * time.Second)
	restarted.others[0].Status.ContainerStatuses[0].RestartCount = 1
	lost := killed(27*time.Second, 137)
	lost.pods[0].Status.ContainerStatuses[0].LastTerminationState.Terminated.Reason = "ContainerStatusUnknown"
	timeless := killed(27*time.Second, 143)
	timeless.pods[0].Status.ContainerStatuses[0].LastTerminationState.Terminated.StartedAt = metav1.Unix(0, 0)
	startup := func(p *corev1.Pod) {
		app(p).StartupProbe = &corev1.Probe{PeriodSeconds: 10, FailureThreshold: 12, ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString("http")}}}
	}
	check(t, map[string]expectation{
		"it never answered":                                 {killed(27*time.Second, 143), "liveness-probe-fails", "a liveness probe that is never answered kills container app in 1 of 1 pod of Deployment/web: after 27s, with exit code 143"},
		"it did not go by itself":                           {killed(57*time.Second, 137), "liveness-probe-fails", "exit code 137"},
		"it answered for a while":                           {killed(3*time.Hour, 143), "liveness-probe-fails", "a liveness probe that is answered no more kills container app in 1 of 1 pod of Deployment/web: after 3h0m0s"},
		"a startup probe":                                   {killed(2*time.Minute, 143).twin(startup), "liveness-probe-fails", "a startup probe that is never answered kills container app"},
		"the port is none that it declares":                 {killed(27*time.Second, 143).twin(declares(9090)), "liveness-probe-wrong-port", `port "8080"`},
		"a name of a port that it does not declare":         {killed(2*time.Minute, 143).twin(startup, func(p *corev1.Pod) { app(p).Ports = []corev1.ContainerPort{{ContainerPort: 8080}} }), "liveness-probe-wrong-port", `port "http"`},
		"a start takes longer than the probe waits":         {slow, "liveness-probe-too-early", "waits for 35s and kills it in 1 of 1 pod of Deployment/web; the revision before needed 50s at least"},
		"look-alike: a start is quick at best":              {quick, "liveness-probe-fails", "is never answered"},
		"look-alike: one that was restarted says nothing":   {restarted, "liveness-probe-fails", "is never answered"},
		"look-alike: the node lost sight of it":             {lost, "other", ""},
		"look-alike: it began in 1970":                      {timeless, "other", ""},
		"look-alike: a port by its name":                    {killed(2*time.Minute, 143).twin(startup, declares(8080)), "liveness-probe-fails", "a startup probe"},
		"look-alike: slow, but it did start":                {hung, "liveness-probe-fails", "is answered no more"},
		"look-alike: the port is one that it declares":      {killed(27*time.Second, 143).twin(declares(8080)), "liveness-probe-fails", ""},
		"look-alike: it answered at the wrong port":         {killed(3*time.Hour, 143).twin(declares(9090)), "liveness-probe-fails", "is answered no more"},
		"look-alike: killed sooner than a probe can":        {killed(12*time.Second, 143), "other", "by nobody knows whom"},
		"look-alike: killed while the startup probe waits":  {killed(60*time.Second, 143).twin(startup, func(p *corev1.Pod) { app(p).StartupProbe.InitialDelaySeconds = 100 }), "other", "by nobody knows whom"},
		"look-alike: no probe kills it":                     {killed(27*time.Second, 143).twin(func(p *corev1.Pod) { app(p).LivenessProbe = nil }), "other", "by nobody knows whom"},
		"look-alike: a readiness probe kills nobody":        {killed(27*time.Second, 143).twin(func(p *corev1.Pod) { app(p).ReadinessProbe, app(p).LivenessProbe = app(p).LivenessProbe, nil }), "other", ""},
		"look-alike: a hook may have failed":                {killed(27*time.Second, 143).twin(func(p *corev1.Pod) { app(p).Lifecycle = &corev1.Lifecycle{PostStart: &corev1.LifecycleHandler{}} }), "other", ""},
		"look-alike: killed for its memory":                 {given{symptom: CrashLoop, pods: []*corev1.Pod{pod("a", backingOff, after(27*time.Second, 137, "OOMKilled"), liveness)}}, "out-of-memory", ""},
		"look-alike: it ended by itself":                    {killed(27*time.Second, 1), "application-error", ""},
		"look-alike: nobody knows how long it ran":          {given{symptom: CrashLoop, pods: []*corev1.Pod{pod("a", backingOff, ended(143, "Error"), liveness)}}, "other", ""},
		"an init container that ends with an error is told": {given{symptom: CrashLoop, pods: []*corev1.Pod{pod("a", backingOff, after(time.Second, 1, "Error"), asInit)}}, "application-error", "init container app ends with exit code 1"},
	})
}

func TestMemory(t *testing.T) {
	uses := func(mebibytes ...int64) func(*World) {
		return func(w *World) {
			w.Evidence = append(w.Evidence, gate.Evidence{ID: EvidenceUsage})
			for i, m := range mebibytes {
				w.Pods[i+1].Uses = gate.Known(m << 20)
			}
		}
	}
	three := func(ran time.Duration) given {
		return given{symptom: CrashLoop, pods: []*corev1.Pod{pod("a", backingOff, after(ran, 137, "OOMKilled"), limited), well("b", 10*time.Minute, 0, limited), well("c", time.Hour, 0, limited), well("d", 2*time.Hour, 0, limited)}}
	}
	unlimited := three(time.Hour).with(uses(90, 90, 91)).twin(func(p *corev1.Pod) { app(p).Resources.Limits = nil })
	check(t, map[string]expectation{
		"use grows with age":                                  {three(3 * time.Hour).with(uses(20, 50, 90)), "memory-leak", "killed for its memory (limit 100Mi) after 3h0m0s in 1 of 4 pods of Deployment/web; of those that run it uses 20 MiB after 10m0s and 90 MiB after 2h0m0s"},
		"all use nearly the limit":                            {three(time.Minute).with(uses(90, 88, 91)), "memory-limit-too-low", "those that run use 88 MiB of it or more"},
		"look-alike: it grows, and ends in another way":       {given{symptom: CrashLoop, pods: append([]*corev1.Pod{pod("a", backingOff, after(3*time.Hour, 1, "Error"), limited)}, three(0).pods[1:]...)}.with(uses(20, 50, 90)), "application-error", ""},
		"look-alike: use grows a little":                      {three(3 * time.Hour).with(uses(50, 52, 55)), "out-of-memory", ""},
		"look-alike: the oldest uses less than another":       {three(3 * time.Hour).with(uses(20, 90, 50)), "out-of-memory", ""},
		"look-alike: killed within moments":                   {three(time.Second).with(uses(20, 50, 90)), "out-of-memory", ""},
		"look-alike: two that run show no growth":             {three(3 * time.Hour).with(uses(20, 50)), "out-of-memory", ""},
		"look-alike: one needs all of it, the others do not":  {three(time.Minute).with(uses(20, 20, 91)), "out-of-memory", ""},
		"look-alike: they have no limit":                      {unlimited, "out-of-memory", "no limit of its own"},
		"look-alike: another end, though use is near":         {given{symptom: CrashLoop, pods: append([]*corev1.Pod{pod("a", backingOff, after(time.Minute, 1, "Error"), limited)}, three(0).pods[1:]...)}.with(uses(90, 90, 90)), "application-error", ""},
		"nobody measured: plainly out of memory, as it looks": {three(3 * time.Hour), "out-of-memory", "limit 100Mi"},
	})
}
