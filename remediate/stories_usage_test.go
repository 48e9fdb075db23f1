package remediate_test

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"moorgate.dev/test/cluster"
)

func TestStoriesOfProbes(t *testing.T) {
	h := newHouse(t)
	// Three times in 10 s each, after 5 s: 25 s at the earliest.
	probed := func(port int32) func(*appsv1.Deployment) {
		return changed(func(_ *corev1.PodSpec, c *corev1.Container) {
			c.Ports = []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}
			c.LivenessProbe = &corev1.Probe{InitialDelaySeconds: 5, PeriodSeconds: 10, FailureThreshold: 3,
				ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromInt32(port), Path: "/?token=" + planted}}}
		})
	}
	killed := func(ran time.Duration) []state { return []state{crashed(ran, 143, "Error", "")} }
	h.tell(map[string]story{
		"never-answers":   {change: probed(8080), states: killed(27 * time.Second), cause: "liveness-probe-fails", says: "is never answered"},
		"hangs":           {change: probed(8080), states: append(killed(3*time.Hour), runsFor(time.Hour, time.Hour)), cause: "liveness-probe-fails", says: "is answered no more kills container app in 1 of 2 pods"},
		"wrong-port":      {change: probed(9090), states: killed(27 * time.Second), cause: "liveness-probe-wrong-port", says: `asks port "9090"`},
		"killed-too-soon": {change: probed(8080), states: killed(3 * time.Second), cause: "other", says: "it was killed"},
		"no-probe":        {states: killed(27 * time.Second), cause: "other", says: "it was killed"},
		"out-of-memory":   {change: probed(8080), states: []state{crashed(27*time.Second, 137, "OOMKilled", "")}, cause: "out-of-memory"},
		"exits":           {change: probed(8080), states: []state{crashed(27*time.Second, 3, "Error", "")}, cause: "application-error"},
	})
}

// TestAProbeThatIsTooEarly shows a revision whose probe has less patience than the revision before it needed to start.
func TestAProbeThatIsTooEarly(t *testing.T) {
	h := newHouse(t)
	probe := func(failures int32) *corev1.Probe {
		return &corev1.Probe{PeriodSeconds: 10, FailureThreshold: failures, ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(8080)}}}
	}
	for name, took := range map[string]time.Duration{"slow": time.Minute, "quick": time.Second} {
		d := h.deployment(name, 1, byHand, changed(func(_ *corev1.PodSpec, c *corev1.Container) { c.LivenessProbe = probe(30) }))
		old := h.pods(name, 1, scheduled)[0]
		h.kubelet(&old, runsFor(time.Hour, time.Hour-took).status())
		h.rollOut(d, func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].LivenessProbe = probe(3) })
		for _, pod := range h.pods(name, 2, scheduled) {
			if pod.UID != old.UID {
				h.kubelet(&pod, crashed(27*time.Second, 143, "Error", "").status())
			}
		}
	}
	h.watch(time.Second)
	for name, cause := range map[string]string{"slow": "liveness-probe-too-early", "quick": "liveness-probe-fails"} {
		if c := h.judged(name, anyVerdict); c.Status.Cause != cause {
			t.Errorf("the cause of %s is %s: %s", name, c.Status.Cause, c.Status.Summary)
		}
	}
}

// uses says what a container of a pod uses.
func (h *house) uses(pod *corev1.Pod, memory string) {
	h.t.Helper()
	if err := cluster.Shared(h.t).Usage(h.t.Context(), pod.Namespace, pod.Name, "app", "10m", memory); err != nil {
		h.t.Fatal(err)
	}
}

func TestStoriesOfMemory(t *testing.T) {
	h := newHouse(t)
	limited := changed(func(_ *corev1.PodSpec, c *corev1.Container) {
		c.Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("100Mi")}
	})
	stories := map[string]struct {
		use   []string // of those that run, from the youngest to the oldest
		ended string
		cause string
	}{
		"leaks":       {[]string{"20Mi", "50Mi", "90Mi"}, "OOMKilled", "memory-leak"},
		"needs":       {[]string{"90Mi", "88Mi", "91Mi"}, "OOMKilled", "memory-limit-too-low"},
		"alone":       {[]string{"20Mi", "20Mi", "21Mi"}, "OOMKilled", "out-of-memory"},
		"unmeasured":  {nil, "OOMKilled", "out-of-memory"},
		"another-end": {[]string{"90Mi", "88Mi", "91Mi"}, "Error", "other"},
	}
	for name, s := range stories {
		h.deployment(name, 4, byHand, limited)
		pods := h.pods(name, 4, scheduled)
		for i := range pods[1:] {
			if i < len(s.use) {
				h.uses(&pods[i+1], s.use[i])
			}
			age := []time.Duration{10 * time.Minute, time.Hour, 2 * time.Hour}[i]
			h.kubelet(&pods[i+1], runsFor(age, age).status())
		}
		h.kubelet(&pods[0], crashed(3*time.Hour, 137, s.ended, "").status())
	}
	h.watch(time.Second)
	for name, s := range stories {
		if c := h.judged(name, anyVerdict); c.Status.Cause != s.cause || len(c.Status.Unread) > 0 {
			t.Errorf("the cause of %s is %s, unread %v: %s", name, c.Status.Cause, c.Status.Unread, c.Status.Summary)
		}
	}
	h.untouched()
}

func TestStoriesOfInitContainers(t *testing.T) {
	h := newHouse(t)
	service := func(name string, ready bool, selector map[string]string) {
		h.create(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: name}, Spec: corev1.ServiceSpec{Selector: selector, Ports: []corev1.ServicePort{{Port: 80}}}})
		if ready {
			h.create(&discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: name + "-by-hand", Labels: map[string]string{discoveryv1.LabelServiceName: name}},
				AddressType: discoveryv1.AddressTypeIPv4, Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"192.0.2.7"}}}})
		}
	}
	service("db", false, map[string]string{"app": "nobody"})
	service("cache", true, map[string]string{"app": "nobody"})
	service("outside", false, nil)
	service("own", false, map[string]string{"app": "names-its-own"})
	names := func(args ...string) func(*appsv1.Deployment) {
		return changed(func(p *corev1.PodSpec, c *corev1.Container) {
			c.Args = args
			c.Env = []corev1.EnvVar{{Name: "TOKEN", Value: planted}}
			inInit(p, c)
		})
	}
	stuck := []state{runsFor(time.Hour, 0).asInit()}
	h.tell(map[string]story{
		"names-db":         {change: names("until nc -z db 5432; do sleep 1; done"), states: stuck, cause: "waits-for-service", says: "names Service db"},
		"names-db-in-full": {change: names("--url=postgres://db." + h.namespace + ".svc.cluster.local:5432/shop"), states: stuck, cause: "waits-for-service", says: "names Service db"},
		"names-cache":      {change: names("wait-for", "cache:6379"), states: stuck, cause: "other"},
		"names-elsewhere":  {change: names("wait-for", "db.elsewhere.svc:5432"), states: stuck, cause: "other"},
		"names-no-service": {change: names("wait-for", "nowhere"), states: stuck, cause: "other"},
		"names-outside":    {change: names("wait-for", "outside"), states: stuck, cause: "other"},
		"names-its-own":    {change: names("wait-for", "own"), states: stuck, cause: "other"},
		"names-a-part":     {change: names("wait-for", "mydb", "db-1", fmt.Sprintf("db.%sx.svc", h.namespace)), states: stuck, cause: "other"},
	})
}
