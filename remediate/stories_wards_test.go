package remediate_test

import (
	"context"
	"errors"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/remediate"
	"moorgate.dev/test/cluster"
)

func (h *house) named(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: h.namespace, Name: name}
}

var errNotYet = errors.New("not yet")

func (h *house) quota(pods string) *corev1.ResourceQuota {
	h.t.Helper()
	q := &corev1.ResourceQuota{ObjectMeta: h.named("cap"), Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse(pods)}}}
	h.create(q)
	h.eventually("the quota to count", func() error {
		if err := h.admin.Get(h.t.Context(), client.ObjectKeyFromObject(q), q); err != nil || len(q.Status.Hard) > 0 {
			return err
		}
		return errNotYet
	})
	return q
}

func (h *house) patch(o client.Object, merge string) {
	h.t.Helper()
	if err := h.admin.Patch(h.t.Context(), o, client.RawPatch(types.MergePatchType, []byte(merge))); err != nil {
		h.t.Fatal(err)
	}
}

// TestStoriesOfRefusedPods are workloads whose pods may not be created, and some that look like them.
func TestStoriesOfRefusedPods(t *testing.T) {
	const symptom = "PodsRefused"
	stories(t, map[string]scene{
		"a quota without room": func(h *house) {
			q := h.quota("1")
			h.deployment("web", 3, "")
			h.names("web", symptom, "quota-exceeded", "quota cap allows 1 pods, 1 is used, a pod takes 1")
			h.patch(q, `{"spec":{"hard":{"pods":"5"}}}`)
			h.ends("web", symptom, "Ready")
		},
		"a quota without room for a StatefulSet": func(h *house) {
			h.quota("1")
			h.create(&appsv1.StatefulSet{ObjectMeta: h.named("db"), Spec: appsv1.StatefulSetSpec{Replicas: new(int32(3)), Selector: selector("db"), Template: template("db")}})
			h.names("db", symptom, "quota-exceeded", "quota cap")
		},
		"a quota that wants to be told": func(h *house) {
			h.create(&corev1.ResourceQuota{ObjectMeta: h.named("cap"), Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourceRequestsCPU: resource.MustParse("5")}}})
			h.deployment("web", 1, "")
			h.names("web", symptom, "quota-needs-requests", "quota cap")
		},
		"an account that is not there": func(h *house) {
			h.deployment("web", 1, "", spec(func(s *corev1.PodSpec, _ *metav1.LabelSelector) { s.ServiceAccountName = "robot" }))
			h.create(&batchv1.Job{ObjectMeta: h.named("once"), Spec: batchv1.JobSpec{Template: once(func(s *corev1.PodSpec) { s.ServiceAccountName = "robot" })}})
			h.names("web", symptom, "account-missing", "ServiceAccount robot is not there")
			h.names("once", symptom, "account-missing", "ServiceAccount robot is not there")
			h.create(&corev1.ServiceAccount{ObjectMeta: h.named("robot")})
			h.ends("web", symptom, "Ready")
		},
		"outside of a LimitRange": func(h *house) {
			h.create(&corev1.LimitRange{ObjectMeta: h.named("range"), Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{
				{Type: corev1.LimitTypeContainer, Max: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}}}}})
			h.deployment("web", 1, "", asks("2", "1Gi"), spec(func(s *corev1.PodSpec, _ *metav1.LabelSelector) {
				s.Containers[0].Resources.Limits = s.Containers[0].Resources.Requests
			}))
			h.names("web", symptom, "limit-range", "LimitRange")
		},
		"a level of Pod Security": func(h *house) {
			ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: h.namespace}}
			h.patch(ns, `{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"baseline"}}}`)
			h.deployment("web", 1, "", spec(func(s *corev1.PodSpec, _ *metav1.LabelSelector) { s.HostNetwork = true }))
			h.names("web", symptom, "pod-security", "level baseline")
		},
		"pods that come, and a Job that waits": func(h *house) {
			h.quota("5")
			h.deployment("web", 2, "")
			h.create(&batchv1.Job{ObjectMeta: h.named("later"), Spec: batchv1.JobSpec{Suspend: new(true), Template: once(func(*corev1.PodSpec) {})}})
			h.pods("web", 2, ready)
			h.quiet()
		},
	})
}

func selector(app string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}
}

func template(app string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": app}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "registry.example/app:1"}}}}
}

// once is the template of a Job.
func once(change func(*corev1.PodSpec)) corev1.PodTemplateSpec {
	t := template("once")
	t.Spec.RestartPolicy = corev1.RestartPolicyNever
	change(&t.Spec)
	return t
}

// TestStoriesOfJobs are Jobs that give up, and one that does not.
func TestStoriesOfJobs(t *testing.T) {
	const symptom = "JobFailed"
	crashing := once(func(*corev1.PodSpec) {})
	crashing.Labels[cluster.FaultLabel] = string(cluster.CrashLoop)
	stories(t, map[string]scene{
		"out of attempts": func(h *house) {
			h.create(&batchv1.Job{ObjectMeta: h.named("once"), Spec: batchv1.JobSpec{BackoffLimit: new(int32(0)), Template: crashing}})
			h.names("once", symptom, "job-out-of-attempts", "backoffLimit")
		},
		"out of time": func(h *house) {
			waiting := once(func(s *corev1.PodSpec) {})
			waiting.Labels[cluster.FaultLabel] = string(byHand)
			h.create(&batchv1.Job{ObjectMeta: h.named("once"), Spec: batchv1.JobSpec{ActiveDeadlineSeconds: new(int64(1)), Template: waiting}})
			h.names("once", symptom, "job-out-of-time", "activeDeadlineSeconds")
		},
		"a failure that ends it": func(h *house) {
			h.create(&batchv1.Job{ObjectMeta: h.named("once"), Spec: batchv1.JobSpec{BackoffLimit: new(int32(6)), Template: crashing, PodFailurePolicy: &batchv1.PodFailurePolicy{
				Rules: []batchv1.PodFailurePolicyRule{{Action: batchv1.PodFailurePolicyActionFailJob, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{
					Operator: batchv1.PodFailurePolicyOnExitCodesOpNotIn, Values: []int32{0}}}}}}})
			h.names("once", symptom, "job-failure-policy", "podFailurePolicy")
		},
		"a CronJob whose next run succeeds": func(h *house) {
			cron := &batchv1.CronJob{ObjectMeta: h.named("nightly"), Spec: batchv1.CronJobSpec{Schedule: "0 3 1 1 *",
				JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: once(func(*corev1.PodSpec) {})}}}}
			h.create(cron)
			run := func(name string, t corev1.PodTemplateSpec) {
				j := &batchv1.Job{ObjectMeta: h.named(name), Spec: batchv1.JobSpec{BackoffLimit: new(int32(0)), Template: t}}
				j.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(cron, batchv1.SchemeGroupVersion.WithKind("CronJob"))}
				h.create(j)
			}
			run("nightly-1", crashing)
			h.names("nightly", symptom, "job-out-of-attempts", "CronJob/nightly")
			run("nightly-2", cron.Spec.JobTemplate.Spec.Template)
			h.ends("nightly", symptom, "Ready")
		},
		"a Job that succeeds": func(h *house) {
			h.create(&batchv1.Job{ObjectMeta: h.named("once"), Spec: batchv1.JobSpec{Template: once(func(*corev1.PodSpec) {})}})
			h.quiet()
		},
	})
}

func (h *house) claim(name string, class *string, size string) *corev1.PersistentVolumeClaim {
	h.t.Helper()
	c := &corev1.PersistentVolumeClaim{ObjectMeta: h.named(name), Spec: corev1.PersistentVolumeClaimSpec{StorageClassName: class, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}}}}
	h.create(c)
	return c
}

// class makes a StorageClass for one story.
func (h *house) class(provisioner string, mode storagev1.VolumeBindingMode) *string {
	h.t.Helper()
	s := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: h.namespace + "-class"}, Provisioner: provisioner, VolumeBindingMode: &mode}
	h.create(s)
	h.t.Cleanup(func() { _ = h.admin.Delete(context.Background(), s) })
	return &s.Name
}

// TestStoriesOfClaims are claims that get no volume, and one that waits for a pod, which is no fault.
func TestStoriesOfClaims(t *testing.T) {
	const symptom = "ClaimPending"
	stories(t, map[string]scene{
		"no such class": func(h *house) {
			h.claim("disk", new("nowhere"), "1Gi")
			h.names("disk", symptom, "storage-class-missing", "StorageClass nowhere")
		},
		"no volume fits": func(h *house) {
			class := h.class("kubernetes.io/no-provisioner", storagev1.VolumeBindingImmediate)
			v := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: h.namespace + "-small"}, Spec: corev1.PersistentVolumeSpec{StorageClassName: *class,
				AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, Capacity: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
				PersistentVolumeSource: corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/nowhere"}}}}
			h.create(v)
			h.t.Cleanup(func() { _ = h.admin.Delete(context.Background(), v) })
			h.claim("disk", class, "5Gi")
			h.names("disk", symptom, "volume-unmatched", "of 1 volume that are free none fits: the largest holds 1Gi")
			v2 := v.DeepCopy()
			v2.ObjectMeta = metav1.ObjectMeta{Name: h.namespace + "-large"}
			v2.Spec.Capacity[corev1.ResourceStorage] = resource.MustParse("5Gi")
			h.create(v2)
			h.t.Cleanup(func() { _ = h.admin.Delete(context.Background(), v2) })
			h.ends("disk", symptom, "Ready")
		},
		"a provisioner that is not there": func(h *house) {
			h.claim("disk", h.class("nobody.example", storagev1.VolumeBindingImmediate), "1Gi")
			h.names("disk", symptom, "provisioner-failing", "provisioner nobody.example")
		},
		"a claim that waits for its first pod": func(h *house) {
			h.claim("disk", h.class("nobody.example", storagev1.VolumeBindingWaitForFirstConsumer), "1Gi")
			h.quiet()
		},
	})
}

func (h *house) service(name, app string, port intstr.IntOrString, change ...func(*corev1.ServiceSpec)) {
	h.t.Helper()
	s := &corev1.Service{ObjectMeta: h.named(name), Spec: corev1.ServiceSpec{Selector: map[string]string{"app": app}, Ports: []corev1.ServicePort{{Port: 80, TargetPort: port}}}}
	for _, f := range change {
		f(&s.Spec)
	}
	h.create(s)
}

// TestStoriesOfServices are Services that have nobody to send to, and those that are not meant to.
func TestStoriesOfServices(t *testing.T) {
	const symptom = "NoEndpoints"
	stories(t, map[string]scene{
		"picks nothing": func(h *house) {
			h.deployment("web", 1, "")
			h.service("front", "wbe", intstr.FromInt32(80))
			h.names("front", symptom, "selector-matches-nothing", "app=wbe")
			h.deployment("wbe", 1, "")
			h.ends("front", symptom, "Ready")
		},
		"a port that no pod has": func(h *house) {
			h.deployment("web", 1, "")
			h.service("front", "web", intstr.FromString("htpt"))
			h.names("front", symptom, "target-port-missing", "port htpt")
		},
		"those that are no fault": func(h *house) {
			h.deployment("web", 1, "")
			h.deployment("asleep", 0, "")
			h.service("good", "web", intstr.FromInt32(80))
			h.service("off", "asleep", intstr.FromInt32(80))
			h.service("headless", "nobody", intstr.FromInt32(80), func(s *corev1.ServiceSpec) { s.ClusterIP = corev1.ClusterIPNone })
			h.service("elsewhere", "", intstr.FromInt32(80), func(s *corev1.ServiceSpec) { s.Selector = nil })
			h.service("alias", "", intstr.FromInt32(80), func(s *corev1.ServiceSpec) {
				s.Selector, s.Type, s.ExternalName = nil, corev1.ServiceTypeExternalName, "db.example"
			})
			h.quiet()
		},
		"whose pods crash, which is told of the pods": func(h *house) {
			h.deployment("web", 1, cluster.CrashLoop)
			h.service("front", "web", intstr.FromInt32(80))
			h.names("web", "CrashLoop", "application-error", "")
			h.quiet("web")
		},
	})
}

func (h *house) budget(app string, change func(*policyv1.PodDisruptionBudgetSpec)) {
	h.t.Helper()
	b := &policyv1.PodDisruptionBudget{ObjectMeta: h.named(app), Spec: policyv1.PodDisruptionBudgetSpec{Selector: selector(app)}}
	change(&b.Spec)
	h.create(b)
}

// TestStoriesOfBudgets are disruption budgets that can never allow a disruption, and those that only do not now.
func TestStoriesOfBudgets(t *testing.T) {
	const symptom = "DisruptionStuck"
	stories(t, map[string]scene{
		"allows none": func(h *house) {
			h.deployment("web", 2, "")
			h.budget("web", func(s *policyv1.PodDisruptionBudgetSpec) { s.MaxUnavailable = new(intstr.FromInt32(0)) })
			h.names("web", symptom, "budget-allows-none", "maxUnavailable 0")
		},
		"asks for all": func(h *house) {
			d := h.deployment("web", 1, "")
			h.budget("web", func(s *policyv1.PodDisruptionBudgetSpec) { s.MinAvailable = new(intstr.FromInt32(1)) })
			h.names("web", symptom, "budget-asks-for-all", "1 healthy of 1 pod (minAvailable 1)")
			h.rollOut(d, func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(2)) })
			h.ends("web", symptom, "Ready")
		},
		"allows none for now": func(h *house) {
			h.deployment("web", 2, byHand)
			h.budget("web", func(s *policyv1.PodDisruptionBudgetSpec) { s.MinAvailable = new(intstr.FromInt32(1)) })
			h.names("web", "NotStarting", "other", "")
			h.quiet("web")
			h.without(symptom)
		},
	})
}

// TestStoriesOfRollouts are rollouts that make no progress, and one of which its pods tell.
func TestStoriesOfRollouts(t *testing.T) {
	const symptom = "RolloutStuck"
	hasty := func(d *appsv1.Deployment) { d.Spec.ProgressDeadlineSeconds = new(int32(6)) }
	stories(t, map[string]scene{
		"old pods that do not go": func(h *house) {
			t := template("db")
			t.Finalizers, t.Spec.TerminationGracePeriodSeconds = []string{"example.com/hold"}, new(int64(1))
			db := &appsv1.StatefulSet{ObjectMeta: h.named("db"), Spec: appsv1.StatefulSetSpec{Selector: selector("db"), Template: t}}
			h.create(db)
			pods := h.pods("db", 1, ready)
			let := func(ctx context.Context) error {
				return h.admin.Patch(ctx, &pods[0], client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))
			}
			h.t.Cleanup(func() { _ = let(context.Background()) })
			h.patch(db, `{"spec":{"template":{"metadata":{"finalizers":null,"annotations":{"v":"2"}}}}}`)
			h.names("db", symptom, "old-pods-linger", "1 pod past the time to end")
			if err := let(h.t.Context()); err != nil {
				h.t.Fatal(err)
			}
			h.ends("db", symptom, "Ready")
		},
		"pods that tell of it themselves": func(h *house) {
			d := h.deployment("web", 2, "", hasty, probed(intstr.FromString("http")))
			h.pods("web", 2, ready)
			h.rollOut(d, func(d *appsv1.Deployment) { d.Spec.Template.Labels[cluster.FaultLabel] = string(cluster.NotReady) })
			h.names("web", "NotReady", "readiness-probe-fails", "")
			h.eventually("the deadline to pass", func() error {
				if err := h.admin.Get(h.t.Context(), client.ObjectKeyFromObject(d), d); err != nil {
					return err
				}
				for _, c := range d.Status.Conditions {
					if c.Reason == "ProgressDeadlineExceeded" {
						return nil
					}
				}
				return errNotYet
			})
			h.quiet("web")
			h.without(symptom)
		},
	})
}

// TestABadRevision shows a rollout whose new pods are given more time than the rollout is, so that they show nothing by themselves yet.
func TestABadRevision(t *testing.T) {
	h := newHouse(t)
	h.watchWith(func(w *remediate.Watcher) { w.Settle = 10 * time.Minute })
	d := h.deployment("web", 2, "", func(d *appsv1.Deployment) { d.Spec.ProgressDeadlineSeconds = new(int32(5)) })
	h.pods("web", 2, ready)
	h.rollOut(d, func(d *appsv1.Deployment) { d.Spec.Template.Labels[cluster.FaultLabel] = string(byHand) })
	h.names("web", "RolloutStuck", "bad-revision", "none of 1 pod of the new revision is ready; 2 of the one before are")
	h.rollOut(d, func(d *appsv1.Deployment) { delete(d.Spec.Template.Labels, cluster.FaultLabel) })
	h.ends("web", "RolloutStuck", "Ready")
	h.without("NotStarting")
}
