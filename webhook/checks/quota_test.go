package checks

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

// quota adds a quota with what is hard and what is used.
func quota(hard, used corev1.ResourceList, change ...func(*corev1.ResourceQuota)) func(*Rollout) {
	return func(r *Rollout) {
		q := corev1.ResourceQuota{Spec: corev1.ResourceQuotaSpec{Hard: hard}, Status: corev1.ResourceQuotaStatus{Hard: hard, Used: used}}
		q.Name = "compute"
		for _, c := range change {
			c(&q)
		}
		all, _ := r.World.Quotas.Get()
		r.World.Quotas = gate.Known(append(all, q))
	}
}

func scoped(scopes ...corev1.ResourceQuotaScope) func(*corev1.ResourceQuota) {
	return func(q *corev1.ResourceQuota) { q.Spec.Scopes = scopes }
}

func kind(k string) func(*Rollout) { return func(r *Rollout) { r.New.Ref.Kind = k } }

func TestQuota(t *testing.T) {
	surgeless := func(r *Rollout) { r.New.MaxSurge, r.New.MaxUnavailable = 0, 1 }
	grow := func(n int32) func(*Rollout) { return func(r *Rollout) { r.New.Replicas = n } }
	ask := func(cpu string) func(*Rollout) {
		return func(r *Rollout) { app(r).Resources.Requests = list("cpu", cpu, "memory", "1Gi") }
	}
	priority := func(op corev1.ScopeSelectorOperator, values ...string) func(*corev1.ResourceQuota) {
		return func(q *corev1.ResourceQuota) {
			q.Spec.ScopeSelector = &corev1.ScopeSelector{MatchExpressions: []corev1.ScopedResourceSelectorRequirement{
				{ScopeName: corev1.ResourceQuotaScopePriorityClass, Operator: op, Values: values}}}
		}
	}
	claims := func(class string) func(*Rollout) {
		return func(r *Rollout) {
			c := corev1.PersistentVolumeClaim{}
			c.Spec.StorageClassName, c.Spec.Resources.Requests = &class, list("storage", "10Gi")
			r.New.VolumeClaims = []corev1.PersistentVolumeClaim{c}
		}
	}
	sets := func(hard, used string) func(*Rollout) {
		return quota(list("count/replicasets.apps", hard), list("count/replicasets.apps", used))
	}
	defaulted := func(cpu string) func(*Rollout) {
		return func(r *Rollout) {
			r.World.LimitRanges = gate.Known([]corev1.LimitRange{{Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{
				{Type: corev1.LimitTypeContainer, DefaultRequest: list("cpu", cpu)}}}}})
		}
	}
	unknownQuotas := func(r *Rollout) { r.World.Quotas = gate.Unknown[[]corev1.ResourceQuota]("forbidden") }
	cpu := func(hard, used string) func(*Rollout) {
		return quota(list("requests.cpu", hard), list("requests.cpu", used))
	}
	tight := quota(list("requests.cpu", "2"), list("requests.cpu", "0"))
	quotaCheck.tell(t, []tale{
		{name: "there is no quota"},
		{name: "a create that fits", change: cpu("3", "0")},
		{name: "a create that does not", change: cpu("4", "2"), points: 35, nature: gate.Recent,
			text: "quota compute: requests.cpu needs 3 more, 2 of 4 left"},
		{name: "an update needs room for the surge alone", change: steps(update, cpu("4", "3"))},
		{name: "an update without room for the surge", change: steps(update, cpu("3", "3")), points: 35, nature: gate.Recent,
			text: "needs 1 more, 0 of 3 left"},
		{name: "without room for the surge, but with pods to spare, it goes slowly", points: 25, nature: gate.Recent, text: "pod by pod",
			change: steps(update, func(r *Rollout) { r.New.MaxUnavailable = 1 }, cpu("3", "3"))},
		{name: "an update without surge needs nothing more", change: steps(update, surgeless, cpu("3", "3"))},
		{name: "a change that makes no new pods needs nothing more", change: steps(update, func(r *Rollout) { r.New.Template = r.Old.Template }, cpu("3", "3"))},
		{name: "growth counts beside the surge", change: steps(update, grow(5), cpu("5", "3")), points: 35, nature: gate.Recent, text: "needs 3 more, 2 of 5"},
		{name: "bigger pods count at their new size", change: steps(update, ask("2"), cpu("6", "3")), points: 35, nature: gate.Recent, text: "needs 4 more, 3 of 6"},
		{name: "smaller pods still need their surge", change: steps(update, ask("500m"), cpu("3", "3")), points: 35, nature: gate.Recent, text: "needs 500m more"},
		{name: "a StatefulSet replaces without surge", change: steps(kind("StatefulSet"), surgeless, update, cpu("3", "3"))},
		{name: "a growing StatefulSet needs its growth", points: 35, nature: gate.Recent, text: "needs 1 more",
			change: steps(kind("StatefulSet"), surgeless, update, grow(4), cpu("3", "3"))},
		{name: "Recreate needs no surge", change: steps(update, func(r *Rollout) { r.New.Recreate, r.New.MaxUnavailable = true, 3 }, cpu("3", "3"))},
		{name: "pods are counted", change: steps(update, quota(list("pods", "3"), list("pods", "3"))), points: 35, nature: gate.Recent, text: "pods needs 1 more"},
		{name: "pods are counted as objects too", change: quota(list("count/pods", "2"), list("count/pods", "0")), points: 35, nature: gate.Recent, text: "count/pods"},
		{name: "pods that were never made hold nothing", points: 35, nature: gate.Recent, text: "needs 4 more",
			change: steps(update, func(r *Rollout) { r.World.Pods = gate.Known([]corev1.Pod{}) }, cpu("3", "0"))},
		{name: "no replicas need no quota", change: steps(grow(0), tight)},
		{name: "a paused create makes no pods", change: steps(func(r *Rollout) { r.New.Paused = true }, tight)},
		{name: "a quota on limits makes containers set them", points: 35, nature: gate.Recent, text: "makes containers set limits.cpu, which app does not",
			change: quota(list("limits.cpu", "100"), list("limits.cpu", "0"))},
		{name: "LimitRange defaults set them", change: steps(quota(list("limits.cpu", "100"), list("limits.cpu", "0")), func(r *Rollout) {
			r.World.LimitRanges = gate.Known([]corev1.LimitRange{{Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{
				{Type: corev1.LimitTypeContainer, Default: list("cpu", "2")}}}}})
		})},
		{name: "LimitRange defaults are charged", points: 35, nature: gate.Recent, text: "limits.cpu needs 6 more",
			change: steps(quota(list("limits.cpu", "5"), list("limits.cpu", "0")), func(r *Rollout) {
				r.World.LimitRanges = gate.Known([]corev1.LimitRange{{Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{
					{Type: corev1.LimitTypeContainer, Default: list("cpu", "2")}}}}})
			})},
		{name: "a quota of best effort leaves others alone", change: quota(list("pods", "0"), list("pods", "0"), scoped(corev1.ResourceQuotaScopeBestEffort))},
		{name: "and holds those without requests", points: 35, nature: gate.Recent, change: steps(
			func(r *Rollout) { app(r).Resources.Requests = nil },
			quota(list("pods", "0"), list("pods", "0"), scoped(corev1.ResourceQuotaScopeBestEffort)))},
		{name: "a quota of terminating pods leaves others alone", change: quota(list("pods", "0"), list("pods", "0"), scoped(corev1.ResourceQuotaScopeTerminating))},
		{name: "a quota of another priority class leaves the pods alone", change: quota(list("pods", "0"), list("pods", "0"), priority(corev1.ScopeSelectorOpIn, "high"))},
		{name: "a quota of their priority class does not", points: 35, nature: gate.Recent, change: steps(
			func(r *Rollout) { r.New.Template.Spec.PriorityClassName = "high" },
			quota(list("pods", "0"), list("pods", "0"), priority(corev1.ScopeSelectorOpIn, "high")))},
		{name: "claims of a StatefulSet are charged", points: 35, nature: gate.Recent, text: "persistentvolumeclaims needs 3 more", change: steps(
			kind("StatefulSet"), func(r *Rollout) { r.New.VolumeClaims = make([]corev1.PersistentVolumeClaim, 1) },
			quota(list("persistentvolumeclaims", "2"), list("persistentvolumeclaims", "0")))},
		{name: "claims are charged as objects too", points: 35, nature: gate.Recent, text: "count/persistentvolumeclaims needs 3 more", change: steps(
			kind("StatefulSet"), claims("fast"), quota(list("count/persistentvolumeclaims", "2"), list("count/persistentvolumeclaims", "0")))},
		{name: "claims of a class are charged to the class", points: 35, nature: gate.Recent, text: "fast.storageclass.storage.k8s.io/requests.s", change: steps(
			kind("StatefulSet"), claims("fast"), quota(list("fast.storageclass.storage.k8s.io/requests.storage", "29Gi"), list("fast.storageclass.storage.k8s.io/requests.storage", "0")))},
		{name: "claims of another class are not", change: steps(
			kind("StatefulSet"), claims("slow"), quota(list("fast.storageclass.storage.k8s.io/requests.storage", "29Gi"), list("fast.storageclass.storage.k8s.io/requests.storage", "0")))},
		{name: "a new template needs a ReplicaSet", points: 35, nature: gate.Recent, text: "count/replicasets.apps needs 1 more, 0 of 4 left", change: steps(update, sets("4", "4"))},
		{name: "and there is one left", change: steps(update, sets("4", "3"))},
		{name: "a template that stays needs none", change: steps(update, func(r *Rollout) { r.New.Template = r.Old.Template }, sets("4", "4"))},
		{name: "a template that a revision holds needs none", change: steps(update, sets("4", "4"), func(r *Rollout) {
			r.World.Revisions = gate.Known([]Revision{{Name: "web-1", Number: 1, Hash: Hash(r.New.Template)}})
		})},
		{name: "a StatefulSet needs no ReplicaSet", change: steps(kind("StatefulSet"), surgeless, update, sets("4", "4"))},
		{name: "a quota of Deployments is the API server's to tell", change: quota(list("count/deployments.apps", "0"), list("count/deployments.apps", "0"))},
		{name: "a quota of pods that end leaves those that stay alone", change: quota(list("pods", "9"), list("pods", "0"), scoped(corev1.ResourceQuotaScopeTerminating))},
		{name: "a quota of pods that stay holds them", points: 35, nature: gate.Recent, text: "pods needs 3 more", change: quota(list("pods", "2"), list("pods", "0"), scoped(corev1.ResourceQuotaScopeNotTerminating))},
		{name: "a quota of pods that ask for something holds them", points: 35, nature: gate.Recent, text: "pods needs 3 more", change: quota(list("pods", "2"), list("pods", "0"), scoped(corev1.ResourceQuotaScopeNotBestEffort))},
		{name: "and leaves those alone that do not", change: steps(func(r *Rollout) { app(r).Resources.Requests = nil }, quota(list("pods", "2"), list("pods", "0"), scoped(corev1.ResourceQuotaScopeNotBestEffort)))},
		{name: "a LimitRange default takes pods out of best effort", change: steps(func(r *Rollout) { app(r).Resources.Requests = nil }, defaulted("500m"),
			quota(list("pods", "0"), list("pods", "0"), scoped(corev1.ResourceQuotaScopeBestEffort)))},
		{name: "the surge counts at a LimitRange default", points: 35, nature: gate.Recent, text: "requests.cpu needs 500m more, 400m of 1900m left", change: steps(
			func(r *Rollout) { app(r).Resources.Requests = nil }, update, defaulted("500m"), func(r *Rollout) {
				pods, _ := r.World.Pods.Get()
				for i := range pods {
					pods[i].Spec.Containers[0].Resources.Requests = list("cpu", "500m")
				}
			}, cpu("1900m", "1500m"))},
		{name: "no class is none of those forbidden", points: 35, nature: gate.Recent, change: quota(list("pods", "0"), list("pods", "0"), priority(corev1.ScopeSelectorOpNotIn, "high"))},
		{name: "the class that is excepted", change: steps(func(r *Rollout) { r.New.Template.Spec.PriorityClassName = "high" },
			quota(list("pods", "0"), list("pods", "0"), priority(corev1.ScopeSelectorOpNotIn, "high")))},
		{name: "services of other kinds do not matter", change: quota(list("services", "0"), list("services", "0"))},
		{name: "a DaemonSet that was never counted takes a pod on every node that suits it", points: 35, nature: gate.Recent, text: "pods needs 3 more",
			change: steps(kind("DaemonSet"), func(r *Rollout) { r.New.Replicas = 0 }, quota(list("pods", "2"), list("pods", "0")))},
		{name: "unknown quotas are no headroom", change: unknownQuotas, unknown: "ResourceQuotas: forbidden"},
		{name: "a quota that was not counted yet says little", change: quota(list("requests.cpu", "9"), nil), unknown: "not been counted"},
		{name: "unless it is too small even unused", change: quota(list("requests.cpu", "2"), nil), points: 35, nature: gate.Recent, text: "needs 3 more"},
		{name: "unknown own pods are said", change: steps(update, cpu("9", "3"), func(r *Rollout) {
			r.World.Pods = gate.Unknown[[]corev1.Pod]("forbidden")
		}), unknown: "Pods: forbidden"},
	})
}

// What a quota of Services holds does not hang on LimitRanges, or on anything else about pods.
func TestAQuotaOfOtherThingsNeedsNothingToBeKnown(t *testing.T) {
	for name, tt := range map[string]struct {
		hard    corev1.ResourceList
		unknown bool
	}{"of Services": {list("services", "0", "count/secrets", "0", "requests.storage", "0"), false}, "of pods": {list("pods", "9"), true}, "of CPU": {list("limits.cpu", "9"), true}, "of GPUs": {list("requests.nvidia.com/gpu", "9"), true}} {
		r := sound()
		quota(tt.hard, tt.hard)(&r)
		r.World.LimitRanges = gate.Unknown[[]corev1.LimitRange]("not read")
		if got := lookQuota(r); (len(got.Unknown) > 0) != tt.unknown {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
