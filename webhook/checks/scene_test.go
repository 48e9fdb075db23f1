package checks

import (
	"fmt"
	"math/rand"
	"slices"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"moorgate.dev/certs"
	"moorgate.dev/internal/gate"
)

// naming gives each thing of a scene its name.
type naming func(string) string

func plainly(s string) string { return s }

// scene makes a rollout out of chance, with something for every check to look at, and all that it looks at called by n. The same
// chance under another naming gives the same rollout under other names.
type scene struct {
	rng *rand.Rand
	n   naming
}

// rolloutOf is the rollout of a seed.
func rolloutOf(seed int64, n naming) Rollout {
	s := scene{rand.New(rand.NewSource(seed)), n}
	r := s.soundly()
	s.workload(&r)
	s.traffic(&r)
	s.limits(&r)
	s.scalers(&r)
	s.nodes(&r)
	s.past(&r)
	if s.odds(2) {
		s.before(&r)
	}
	s.dependencies(&r)
	s.references(&r)
	s.delivery(&r)
	for range 2 * s.rng.Intn(2) {
		s.forget(&r)
	}
	return r
}

// delivery has a tool apply the workload, or not, and somebody ask.
func (s scene) delivery(r *Rollout) {
	r.By = one(s, "alice", "system:serviceaccount:flux-system:kustomize-controller", "system:serviceaccount:"+s.n("shop")+":"+s.n("ci"))
	r.World.Delivery = gate.Known(Delivery{Here: !s.odds(4), Suspended: s.odds(3), Undoes: s.odds(2), Trouble: one(s, "", "", "BuildFailed"),
		Sources: []Upstream{{Kind: "GitRepository", Namespace: s.n("flux"), Name: s.n("repo"), State: gate.Known(Readiness{Suspended: s.odds(4), Trouble: one(s, "", "GitOperationFailed")})}}})
	if s.odds(2) {
		r.New.Origin = Origin{Kind: one(s, OriginKustomization, OriginHelmRelease, OriginApplication), Namespace: s.n("flux"), Name: s.n("apps"), Guess: s.odds(3)}
	}
}

func (s scene) odds(n int) bool { return s.rng.Intn(n) == 0 }

func one[T any](s scene, all ...T) T { return all[s.rng.Intn(len(all))] }

// soundly is sound under the scene's names.
func (s scene) soundly() Rollout {
	r := sound()
	labels := map[string]string{"app": s.n("web")}
	r.New.Ref.Namespace, r.New.Ref.Name = s.n("shop"), s.n("web")
	r.New.Selector, r.New.Template.Labels = &metav1.LabelSelector{MatchLabels: labels}, labels
	app(&r).Name = s.n("app")
	return r
}

func (s scene) workload(r *Rollout) {
	w := &r.New
	w.Ref.Kind = one(s, "Deployment", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Rollout")
	w.Later = w.Ref.Kind == "CronJob"
	w.Once = w.Later || w.Ref.Kind == "Job"
	w.Replicas, w.MaxSurge = int32(s.rng.Intn(6)), int32(s.rng.Intn(3))
	w.MaxUnavailable = min(w.Replicas, int32(s.rng.Intn(3)))
	w.Recreate, w.Paused = s.odds(8), s.odds(10)
	if w.Ref.Kind == "StatefulSet" {
		w.ServiceName = one(s, "", s.n("svc-a"), s.n("svc-none"))
	}
	spec := &w.Template.Spec
	spec.Containers = append(spec.Containers, s.container("side"))
	if s.odds(2) {
		spec.InitContainers = append(spec.InitContainers, s.container("init"))
	}
	s.furnish(app(r))
	spec.HostNetwork = s.odds(8)
	if s.odds(4) {
		spec.NodeSelector = one(s, map[string]string{s.n("disk"): s.n("ssd")}, map[string]string{"beta.kubernetes.io/os": "linux"})
	}
	if s.odds(6) {
		spec.Tolerations = []corev1.Toleration{{Key: masterLabel, Operator: corev1.TolerationOpExists}}
	}
	w.Template.Annotations = one(s, nil, map[string]string{"scheduler.alpha.kubernetes.io/critical-pod": ""}, map[string]string{s.n("note"): "x"})
	spec.Volumes = []corev1.Volume{{Name: s.n("vol-a"), VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: s.n("tls-a")}}}}
	if s.odds(4) {
		spec.Volumes = append(spec.Volumes, corev1.Volume{Name: s.n("vol-b"), VolumeSource: one(s, corev1.VolumeSource{GitRepo: &corev1.GitRepoVolumeSource{}},
			corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: s.n("map-a")}}},
			corev1.VolumeSource{FlexVolume: &corev1.FlexVolumeSource{}})})
	}
}

func (s scene) container(called string) corev1.Container {
	c := corev1.Container{Name: s.n(called), Image: s.image(), Command: one(s, nil, []string{"serve"})}
	if s.odds(2) {
		c.Resources.Requests = list("cpu", one(s, "100m", "1"), "memory", one(s, "64Mi", "1Gi"))
	}
	s.furnish(&c)
	return c
}

func (s scene) image() string {
	return "registry.example.com:5000/" + s.n("shop") + "/" + s.n("img") + one(s, "", ":1.4", ":1.5", ":2.0", ":latest", "@sha256:00")
}

// furnish gives a container ports, probes, variables and mounts.
func (s scene) furnish(c *corev1.Container) {
	if s.odds(3) {
		c.Ports = append(c.Ports, corev1.ContainerPort{Name: s.n("adm"), ContainerPort: 9090})
	}
	if s.odds(4) {
		c.LivenessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{
			Port: one(s, intstr.FromInt32(9090), intstr.FromString(s.n("adm")), intstr.FromString(s.n("none")))}}}
	}
	for _, e := range []corev1.EnvVar{{Name: "A_HOST", Value: s.n("svc-a")}, {Name: "B_URL", Value: "http://" + s.n("svc-b") + "." + s.n("shop") + ".svc:80/"},
		{Name: "C_ADDR", Value: s.n("svc-none") + ":80"}, {Name: "MODE", Value: "fast"},
		{Name: "TOKEN", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: s.n("secret-a")}}}},
		{Name: "SET", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: s.n("map-a")}}}}} {
		if s.odds(3) {
			c.Env = append(c.Env, e)
		}
	}
	if s.odds(3) {
		c.VolumeMounts = []corev1.VolumeMount{{Name: s.n("vol-a"), MountPath: "/a"}}
	}
	if s.odds(6) {
		c.SecurityContext = &corev1.SecurityContext{Privileged: new(true)}
	}
}

// traffic is what leads to the pods, and to others.
func (s scene) traffic(r *Rollout) {
	mine, others := map[string]string{"app": s.n("web")}, map[string]string{"app": s.n("other")}
	var services []corev1.Service
	for _, called := range []string{"svc-a", "svc-b", "svc-c"} {
		services = append(services, corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: s.n("shop"), Name: s.n(called)}, Spec: corev1.ServiceSpec{
			Selector: one(s, mine, mine, others, nil), ClusterIP: one(s, "", "", corev1.ClusterIPNone),
			Ports: []corev1.ServicePort{{Name: s.n("p"), Port: 80, TargetPort: one(s, intstr.FromString("http"), intstr.FromInt32(8080), intstr.FromInt32(1), intstr.FromString(s.n("adm")))}}}})
	}
	r.World.Services = gate.Known(services)
	r.World.Neighbours = gate.Known(Neighbours{others})
	backend := func() networkingv1.IngressBackend {
		return networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: s.n(one(s, "svc-a", "svc-b", "svc-none")),
			Port: one(s, networkingv1.ServiceBackendPort{Number: 80}, networkingv1.ServiceBackendPort{Number: 81}, networkingv1.ServiceBackendPort{Name: s.n("p")})}}
	}
	var ingresses []networkingv1.Ingress
	var routes []Route
	for _, called := range []string{"in-a", "in-b"} {
		b := backend()
		ingresses = append(ingresses, networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: s.n("shop"), Name: s.n(called)}, Spec: networkingv1.IngressSpec{
			DefaultBackend: &b, TLS: []networkingv1.IngressTLS{{SecretName: s.n(one(s, "tls-a", "tls-b"))}}}})
		routes = append(routes, Route{Kind: "HTTPRoute", Name: s.n("r" + called), Backends: []Backend{{Service: s.n(one(s, "svc-a", "svc-c")), Port: one[int32](s, 80, 81)}}})
	}
	r.World.Ingresses, r.World.HTTPRoutes = gate.Known(ingresses), gate.Known(routes)
	var issued []certs.IssuedCertificate
	for _, secret := range []string{"tls-a", "tls-b", "tls-c"} {
		issued = append(issued, certs.IssuedCertificate{Name: s.n("cert-" + secret), Secret: s.n(secret), NotReady: s.odds(4), Reason: "Failed",
			NotAfter: noon.Add(one(s, -time.Hour, 48*time.Hour, 2000*time.Hour))})
	}
	r.World.Certificates = gate.Known(issued)
}

func (s scene) limits(r *Rollout) {
	var ranges []corev1.LimitRange
	if s.odds(3) {
		ranges = append(ranges, corev1.LimitRange{ObjectMeta: metav1.ObjectMeta{Name: s.n("range-a")}, Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{
			{Type: one(s, corev1.LimitTypeContainer, corev1.LimitTypePod), Max: list("cpu", one(s, "500m", "8"))}}}})
	}
	r.World.LimitRanges = gate.Known(ranges)
	var quotas []corev1.ResourceQuota
	for _, called := range []string{"quota-a", "quota-b"} {
		if s.odds(3) {
			quotas = append(quotas, corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: s.n(called)}, Status: corev1.ResourceQuotaStatus{
				Hard: list("requests.cpu", one(s, "2", "50"), "pods", "9"), Used: list("requests.cpu", "1", "pods", one(s, "1", "8"))}})
		}
	}
	r.World.Quotas = gate.Known(quotas)
	r.World.Failures = gate.Known(Failures{Pods: 9, Failing: s.rng.Intn(9), Reasons: map[string]int{"CrashLoopBackOff": 1}})
}

func (s scene) scalers(r *Rollout) {
	var budgets []policyv1.PodDisruptionBudget
	for _, called := range []string{"pdb-a", "pdb-b"} {
		if s.odds(3) {
			budgets = append(budgets, policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: s.n(called)}, Spec: policyv1.PodDisruptionBudgetSpec{
				Selector: r.New.Selector, MinAvailable: new(one(s, intstr.FromInt32(1), intstr.FromInt32(2), intstr.FromString("90%")))}})
		}
	}
	r.World.Budgets = gate.Known(budgets)
	var horizontal []autoscalingv2.HorizontalPodAutoscaler
	var vertical []VerticalAutoscaler
	for _, called := range []string{"hpa-a", "hpa-b"} {
		if s.odds(2) {
			horizontal = append(horizontal, autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: s.n(called)}, Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
				MinReplicas: new(int32(1 + s.rng.Intn(3))), MaxReplicas: 9,
				ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: r.New.Ref.Kind, Name: s.n(one(s, "web", "web", "other"))}}})
		}
		if s.odds(4) {
			vertical = append(vertical, VerticalAutoscaler{Name: s.n("v" + called), APIVersion: "apps/v1", Kind: r.New.Ref.Kind, Workload: s.n("web"),
				Containers: []VerticalPolicy{{Container: s.n("app"), Off: s.odds(3), Least: list("cpu", one(s, "100m", "2"))}, {Container: "*"}}})
		}
	}
	r.World.Autoscalers, r.World.VerticalAutoscalers = gate.Known(horizontal), gate.Known(vertical)
}

func (s scene) nodes(r *Rollout) {
	var all []Node
	for i := range 4 {
		n := node(s.n(fmt.Sprint("node-", i)), one(s, "1", "4", "16"))
		n.Object.Labels = map[string]string{corev1.LabelHostname: n.Object.Name, s.n("disk"): s.n(one(s, "ssd", "hdd"))}
		n.Object.Spec.Unschedulable = s.odds(6)
		if s.odds(6) {
			n.Object.Status.Conditions = []corev1.NodeCondition{{Type: one(s, corev1.NodeMemoryPressure, corev1.NodeDiskPressure), Status: corev1.ConditionTrue}}
		}
		if s.odds(2) {
			n.Class = ClassOf(n.Object)
		}
		all = append(all, n)
	}
	r.World.Nodes = gate.Known(all)
}

// past is what ran and what failed before.
func (s scene) past(r *Rollout) {
	var failed []PastFailure
	for _, image := range []string{"", r.New.Template.Spec.Containers[0].Image} {
		if s.odds(4) {
			failed = append(failed, PastFailure{At: noon.Add(-time.Hour), Image: image, How: "Crashed", Where: "Deployment/" + s.n("other"), Own: s.odds(2), Through: s.odds(2)})
		}
	}
	r.World.FailedBefore = gate.Known(failed)
	if s.odds(4) {
		r.World.Revisions = gate.Known([]Revision{{Name: s.n("rev-b"), Number: 2, Hash: "x"}, {Name: s.n("rev-a"), Number: 1, Hash: Hash(r.New.Template)}})
	}
}

// before makes an update of it: the workload as it was, with its pods.
func (s scene) before(r *Rollout) {
	update(r)
	old := r.Old
	old.Paused, old.Replicas = s.odds(6), int32(s.rng.Intn(6))
	old.Status = Status{Observed: !s.odds(6), Desired: old.Replicas, Updated: old.Replicas, Outdated: int32(s.rng.Intn(2))}
	if s.odds(6) {
		old.Status.Stuck = "ProgressDeadlineExceeded: " + s.n("rev-b") + " has timed out"
	}
	spec := &old.Template.Spec
	switch s.rng.Intn(6) {
	case 0:
		spec.Containers[0].Env = append(spec.Containers[0].Env, corev1.EnvVar{Name: "GONE", Value: "x"})
	case 1:
		spec.Containers[0].Image = r.New.Template.Spec.Containers[0].Image
	case 2:
		spec.Containers = slices.Delete(spec.Containers, 1, 2)
	case 3:
		old.Template.Labels = map[string]string{"app": s.n("web"), "track": s.n("old")}
	case 4:
		spec.Containers[0].Resources.Requests = list("cpu", "20", "memory", "20Gi")
	case 5:
		old.Template = *r.New.Template.DeepCopy()
	}
	pods, _ := r.World.Pods.Get()
	for i := range pods {
		pods[i].Name, pods[i].Spec.NodeName = s.n(pods[i].Name), s.n(fmt.Sprint("node-", i))
		if s.odds(6) {
			pods[i].Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}}}
		}
	}
}

func (s scene) dependencies(r *Rollout) {
	r.New.DependsOn = one(s, "", "service/"+s.n("svc-b"), "external/db,statefulset/"+s.n("state")+",service/"+s.n("svc-none"))
	r.World.Dependencies = map[Dependency]gate.Fact[Health]{}
	for _, d := range []Dependency{{DependService, s.n("shop"), s.n("svc-a")}, {DependService, s.n("shop"), s.n("svc-b")}, {DependService, s.n("shop"), s.n("svc-none")},
		{DependStatefulSet, s.n("shop"), s.n("state")}, {DependExternal, "", "db"}} {
		health := one(s, Health{}, Health{}, Health{Down: "has no ready endpoint", At: noon}, Health{Missing: true})
		if !s.odds(8) {
			r.World.Dependencies[d] = gate.Known(health)
		}
	}
}

func (s scene) references(r *Rollout) {
	there := func(all ...string) map[string]gate.Fact[bool] {
		facts := map[string]gate.Fact[bool]{}
		for _, called := range all {
			facts[s.n(called)] = one(s, gate.Known(true), gate.Known(true), gate.Known(false), gate.Unknown[bool]("not read"))
		}
		return facts
	}
	r.World.Secrets, r.World.ConfigMaps = there("secret-a", "tls-a"), there("map-a")
}

// forget makes one of the facts unknown.
func (s scene) forget(r *Rollout) {
	w := &r.World
	switch s.rng.Intn(9) {
	case 0:
		w.Services = gate.Unknown[[]corev1.Service]("not read")
	case 1:
		w.Ingresses = gate.Unknown[[]networkingv1.Ingress]("not read")
	case 2:
		w.Nodes = gate.Unknown[[]Node]("not read")
	case 3:
		w.LimitRanges = gate.Unknown[[]corev1.LimitRange]("not read")
	case 4:
		w.Autoscalers = gate.Unknown[[]autoscalingv2.HorizontalPodAutoscaler]("not read")
	case 5:
		w.Budgets = gate.Unknown[[]policyv1.PodDisruptionBudget]("not read")
	case 6:
		w.Pods = gate.Unknown[[]corev1.Pod]("not read")
	case 7:
		w.Certificates = gate.Unknown[[]certs.IssuedCertificate]("not read")
	case 8:
		w.Revisions = gate.Unknown[[]Revision]("not read")
	}
}
