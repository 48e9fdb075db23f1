package remediate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate"
	"moorgate.dev/test/cluster"
)

// byHand is a fault that nobody simulates: the story writes what a kubelet would.
const byHand = cluster.Fault("by-hand")

// state is what a kubelet says of a container.
type state struct {
	now, last corev1.ContainerState
	restarts  int32
	init      bool          // the container is an init container
	ready     time.Duration // it has been ready since; 0 for not at all
}

func waits(reason, message string) state {
	return state{now: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}
}

// crashed waits to be started again after it ran for so long.
func crashed(ran time.Duration, code int32, reason, message string) state {
	s := waits("CrashLoopBackOff", "back-off 10s restarting failed container")
	finished := time.Now().Add(-time.Second)
	s.last.Terminated = &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message, StartedAt: metav1.NewTime(finished.Add(-ran)), FinishedAt: metav1.NewTime(finished)}
	s.restarts = 3
	return s
}

func runsFor(ran, ready time.Duration) state {
	return state{now: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(time.Now().Add(-ran))}}, ready: ready}
}

func (s state) asInit() state { s.init = true; return s }

// status is the pod's, with its only container in a state.
func (s state) status() corev1.PodStatus {
	ago := func(d time.Duration) metav1.Time { return metav1.NewTime(time.Now().Add(-d)) }
	c := corev1.ContainerStatus{Name: "app", Image: "registry.example/app:1", State: s.now, LastTerminationState: s.last, RestartCount: s.restarts, Ready: s.ready > 0}
	p := corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: ago(time.Hour)},
		{Type: corev1.PodReadyToStartContainers, Status: corev1.ConditionTrue, LastTransitionTime: ago(time.Hour)}}}
	if s.ready > 0 {
		p.Phase = corev1.PodRunning
		p.Conditions = append(p.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: ago(s.ready)})
	}
	if s.init {
		p.InitContainerStatuses = []corev1.ContainerStatus{c}
		c = corev1.ContainerStatus{Name: "main", Image: "registry.example/app:1", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "PodInitializing"}}}
	}
	p.ContainerStatuses = []corev1.ContainerStatus{c}
	return p
}

// kubelet writes a pod's status as a kubelet would.
func (h *house) kubelet(pod *corev1.Pod, status corev1.PodStatus) {
	h.t.Helper()
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		h.t.Fatal(err)
	}
	h.eventually("a status of "+pod.Name, func() error {
		return h.admin.Status().Patch(h.t.Context(), pod, client.RawPatch(types.MergePatchType, patch))
	})
}

func scheduled(p *corev1.Pod) bool { return p.Spec.NodeName != "" }

// story is a workload, what its pods show, and what is to be found.
type story struct {
	change      func(*appsv1.Deployment)
	states      []state // of one pod each
	cause, says string
	unread      bool // something could not be read
}

func changed(f func(*corev1.PodSpec, *corev1.Container)) func(*appsv1.Deployment) {
	return func(d *appsv1.Deployment) { f(&d.Spec.Template.Spec, &d.Spec.Template.Spec.Containers[0]) }
}

// inInit makes the container app an init container, beside one that waits for it.
func inInit(p *corev1.PodSpec, c *corev1.Container) {
	first := *c
	c.Name, c.Env, c.Args = "main", nil, nil
	p.InitContainers = []corev1.Container{first}
}

// asks finds out whether a Secret exists with the judge's own rights, as the judge does.
func (h *house) asks(ctx context.Context, namespace, name string) gate.Fact[bool] {
	err := h.judge.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}, client.DryRunAll)
	switch {
	case err == nil:
		return gate.Known(false)
	case apierrors.IsAlreadyExists(err):
		return gate.Known(true)
	}
	return gate.Unknown[bool]("it may not be asked")
}

// tell plays stories: each workload shows what it shows, and gets its Case with the cause named; then each is well, and the Case says
// so. Nothing is written but Cases.
func (h *house) tell(stories map[string]story) {
	h.t.Helper()
	for name, s := range stories {
		h.deployment(name, int32(len(s.states)), byHand, func(d *appsv1.Deployment) {
			if s.change != nil {
				s.change(d)
			}
		})
	}
	for name, s := range stories {
		for i, pod := range h.pods(name, len(s.states), scheduled) {
			h.kubelet(&pod, s.states[i].status())
		}
	}
	h.watchWith(func(w *remediate.Watcher) { w.Secrets, w.Settle = h.asks, time.Second })
	for name, s := range stories {
		c := h.judged(name, func(c v1alpha1.Case) error {
			if c.Status.Cause != s.cause || !strings.Contains(c.Status.Summary, s.says) || s.unread != (len(c.Status.Unread) > 0) {
				return fmt.Errorf("the cause is %q, want %q; unread %v: %s", c.Status.Cause, s.cause, c.Status.Unread, c.Status.Summary)
			}
			return nil
		})
		if strings.Contains(fmt.Sprintf("%+v", c), planted) {
			h.t.Errorf("a secret left with the Case of %s", name)
		}
	}
	ofServices := func(c v1alpha1.Case) bool { return c.Spec.Subject.Kind == "Service" } // of those that nobody stands behind
	if n := len(slices.DeleteFunc(h.cases(), ofServices)); n != len(stories) {
		h.t.Errorf("there are %d Cases of %d workloads", n, len(stories))
	}
	for name, s := range stories {
		for _, pod := range h.pods(name, len(s.states), every) {
			status := runsFor(time.Hour, time.Hour).status()
			if s.states[0].init {
				status.ContainerStatuses[0].Name = "main"
				status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "app", Image: "registry.example/app:1", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed"}}, Ready: true}}
			}
			h.kubelet(&pod, status)
		}
	}
	for name := range stories {
		h.judged(name, recovered(metav1.ConditionTrue, "Ready"))
	}
	h.untouched()
}

func TestStoriesOfImages(t *testing.T) {
	h := newHouse(t)
	h.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: "there"}, StringData: map[string]string{"password": planted}})
	const denied = `failed to pull and unpack image "registry.example/app:1": pull access denied, repository does not exist or may require authorization: server message: ` + planted
	pulls := func(name string) func(*appsv1.Deployment) {
		return changed(func(p *corev1.PodSpec, _ *corev1.Container) {
			p.ImagePullSecrets = []corev1.LocalObjectReference{{Name: name}}
		})
	}
	never := changed(func(_ *corev1.PodSpec, c *corev1.Container) { c.ImagePullPolicy = corev1.PullNever })
	h.tell(map[string]story{
		"not-found":      {states: []state{waits("ImagePullBackOff", `Back-off pulling image "registry.example/app:1": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "registry.example/app:1": failed to resolve reference "registry.example/app:1": registry.example/app:1: not found`), waits("ErrImagePull", `manifest unknown`)}, cause: "image-not-found", says: "in 2 of 2 pods"},
		"unsaid":         {states: []state{waits("ImagePullBackOff", `Back-off pulling image "registry.example/app:1"`)}, cause: "other"},
		"no-secret":      {change: pulls("nowhere"), states: []state{waits("ErrImagePull", denied)}, cause: "image-unauthorized", says: "no such imagePullSecrets as nowhere"},
		"with-secret":    {change: pulls("there"), states: []state{waits("ErrImagePull", denied)}, cause: "image-unauthorized", says: "with the imagePullSecrets there"},
		"rate-limited":   {states: []state{waits("ErrImagePull", `toomanyrequests: You have reached your pull rate limit. `+planted)}, cause: "image-rate-limited"},
		"full-disk":      {states: []state{waits("ErrImagePull", `failed to copy: write /var/x: no space left on device`)}, cause: "other"},
		"unreachable":    {states: []state{waits("ErrImagePull", `failed to do request: Head "https://registry.example/v2/": dial tcp: lookup registry.example on 10.96.0.10:53: no such host`)}, cause: "registry-unreachable"},
		"platform":       {states: []state{waits("ErrImagePull", `failed to pull and unpack image "registry.example/app:1": no match for platform in manifest: not found`)}, cause: "wrong-architecture"},
		"invalid-name":   {states: []state{waits("InvalidImageName", `Failed to apply default image tag "X": couldn't parse image name`)}, cause: "image-name-invalid"},
		"never-pulled":   {change: never, states: []state{waits("ErrImageNeverPull", "x")}, cause: "image-never-pulled"},
		"unsigned":       {states: []state{waits("ImagePullBackOff", `Back-off pulling image "registry.example/app:1": SignatureValidationFailed: image pull failed for registry.example/app:1 because the signature validation failed: x`)}, cause: "image-signature-refused"},
		"init-not-found": {change: changed(inInit), states: []state{waits("ErrImagePull", `manifest unknown`).asInit()}, cause: "image-not-found", says: "init container app"},
		"two-answers":    {states: []state{waits("ErrImagePull", `manifest unknown`), waits("ErrImagePull", `toomanyrequests: x`)}, cause: "other"},
	})
}

func TestStoriesOfStarts(t *testing.T) {
	h := newHouse(t)
	h.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: "urls"}, Data: map[string]string{"url": planted}})
	h.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: "there"}, StringData: map[string]string{"password": planted}})
	env := func(source *corev1.EnvVarSource) func(*appsv1.Deployment) {
		return changed(func(_ *corev1.PodSpec, c *corev1.Container) {
			c.Env = []corev1.EnvVar{{Name: "A", ValueFrom: source}, {Name: "TOKEN", Value: planted}}
		})
	}
	name := func(s string) corev1.LocalObjectReference { return corev1.LocalObjectReference{Name: s} }
	fromMap := func(m, key string) func(*appsv1.Deployment) {
		return env(&corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: name(m), Key: key}})
	}
	fromSecret := func(s, key string) func(*appsv1.Deployment) {
		return env(&corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: name(s), Key: key}})
	}
	config := func(message string) []state { return []state{waits("CreateContainerConfigError", message)} }
	yes := true
	nonRoot := changed(func(p *corev1.PodSpec, _ *corev1.Container) {
		p.SecurityContext = &corev1.PodSecurityContext{RunAsNonRoot: &yes}
	})
	const root = `container has runAsNonRoot and image will run as root (pod: "x", container: app)`
	const oci = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: `
	h.tell(map[string]story{
		"no-map":        {change: fromMap("nowhere", "url"), states: config(`configmap "nowhere" not found`), cause: "missing-config-map", says: "there is no ConfigMap nowhere"},
		"map-came":      {change: fromMap("urls", "url"), states: config(`configmap "urls" not found`), cause: "other"},
		"no-key":        {change: fromMap("urls", "uri"), states: config(`couldn't find key uri in ConfigMap x/urls`), cause: "missing-key", says: "there is no key uri of ConfigMap urls"},
		"key-came":      {change: fromMap("urls", "url"), states: config(`couldn't find key url in ConfigMap x/urls`), cause: "other"},
		"no-secret":     {change: fromSecret("nowhere", "password"), states: config(`secret "nowhere" not found`), cause: "missing-secret", says: "there is no Secret nowhere"},
		"secret-came":   {change: fromSecret("there", "password"), states: config(`secret "there" not found`), cause: "other"},
		"no-secret-key": {change: fromSecret("there", "user"), states: config(`couldn't find key user in Secret x/there`), cause: "missing-key", says: "the kubelet finds no key user of Secret there", unread: true},
		"root":          {change: nonRoot, states: config(root), cause: "run-as-non-root"},
		"root-allowed":  {states: config(root), cause: "other"},
		"late-cache":    {change: fromMap("urls", "url"), states: config("failed to sync configmap cache: timed out waiting for the condition"), cause: "other"},
		"name-taken":    {states: []state{waits("CreateContainerError", `failed to reserve container name "x": name "x" is reserved for "0a"`)}, cause: "container-name-conflict"},
		"slow-runtime":  {states: []state{waits("CreateContainerError", `context deadline exceeded`)}, cause: "other"},
		"no-device":     {states: []state{waits("CreateContainerError", `failed to generate spec: error gathering device information while adding custom device "/dev/fuse": no such file or directory`)}, cause: "device-missing"},
		"bad-mount":     {states: []state{waits("RunContainerError", oci+`error during container init: error mounting "/x" to rootfs at "/y": mount /x:/y: not a directory: unknown`)}, cause: "bad-mount-path"},
		"no-command":    {states: []state{waits("CreateContainerError", `container create failed: unable to start container process: exec: "serve": executable file not found in $PATH`)}, cause: "bad-command"},
		"start-error":   {states: []state{crashed(0, 128, "StartError", oci+`exec: "serve": executable file not found in $PATH: unknown`)}, cause: "bad-command", says: "not in the image"},
		"exec-format":   {states: []state{crashed(0, 128, "StartError", oci+`exec: "/app": exec format error: unknown`)}, cause: "wrong-architecture"},
		"shell-127":     {states: []state{crashed(time.Second, 127, "Error", "")}, cause: "bad-command", says: "exit code 127"},
		"late-127":      {states: []state{crashed(time.Minute, 127, "Error", oci+`exec: "serve": executable file not found in $PATH: unknown`)}, cause: "application-error", says: "exit code 127"},
		"init-crashes":  {change: changed(inInit), states: []state{crashed(time.Second, 1, "Error", "").asInit()}, cause: "application-error", says: "init container app ends with exit code 1"},
		"unknown-error": {states: []state{crashed(0, 128, "StartError", "no idea")}, cause: "other"},
	})
}

// TestAnAttemptToStartIsNoSecondCase shows a container that the runtime cannot start: it is said to crash-loop and not to start in
// turn.
func TestAnAttemptToStartIsNoSecondCase(t *testing.T) {
	h := newHouse(t)
	h.deployment("web", 1, byHand)
	pod := h.pods("web", 1, scheduled)[0]
	const message = `exec: "serve": executable file not found in $PATH: unknown`
	between := crashed(0, 128, "StartError", message)
	attempt := between
	attempt.now = waits("RunContainerError", message).now
	h.kubelet(&pod, attempt.status())
	h.watch(time.Second)
	first := h.judged("web", anyVerdict)
	h.kubelet(&pod, between.status())
	h.overTwoSweeps()
	h.kubelet(&pod, attempt.status())
	h.eventually("another look", func() error {
		all := h.cases()
		for _, c := range all {
			if c.Spec.Subject.Name == "web" && c.UID != first.UID {
				h.t.Fatalf("there is a second Case, of %s beside %s", c.Spec.Signal.Reason, first.Spec.Signal.Reason)
			}
		}
		if len(all) != 2 || !meta.IsStatusConditionTrue(all[0].Status.Conditions, v1alpha1.CaseJudged) {
			return fmt.Errorf("there are %d Cases", len(all))
		}
		return nil
	})
	if first.Status.Cause != "bad-command" || first.Spec.Signal.Reason != "CrashLoop" {
		t.Errorf("the cause of %s is %s", first.Spec.Signal.Reason, first.Status.Cause)
	}
}
