package checks

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

// The law: a rollout should fit the namespace's quotas, surge included. The API server charges quota when pods are made,
// so applying a workload never shows that its pods will be refused; the rollout just stops half way.
//
// What is demanded is the most that the rollout holds at once, less what its own pods hold already: the surge at the new
// size and the growth. A StatefulSet or DaemonSet replaces pods in place, without surge unless a DaemonSet asks for it.
// Quotas count only the pods in their scopes, and LimitRange defaults count as if written. Beside
// pods, the ReplicaSet or ControllerRevision that holds a new template counts, and so do claims, by class too. A quota on CPU or memory also
// makes every container, init containers too, say its request or limit, or its pods are refused.
//
// Where the surge does not fit, but the rollout may take an old pod down first, it gets on pod by pod: fewer points.
// A Job that does not fit whole gets on as its pods end: fewer points too. A CronJob starts nothing now, and what is left
// when it runs is not known: what would not fit now, and fits an unused quota, takes few points.
//
// A quota that was never counted yet is taken to be unused: what does not fit even so does not fit.
var quotaCheck = Check{
	ID: "quota", Title: "The rollout fits the quotas", Points: pointsQuota, Nature: gate.Recent,
	Law:  "Growth and surge of the rollout, less what its own pods hold already, fit what every ResourceQuota that covers them has left; and containers say what those quotas make them say.",
	look: lookQuota,
}

const quotaFindingsMax = 4

// onceItRuns opens the findings about what is so now, of something that starts later.
const onceItRuns = "if it ran now: "

func lookQuota(r Rollout) Result {
	if r.New.Paused && (r.Old == nil || r.New.Once) || r.New.Replicas == 0 && r.New.Ref.Kind != "DaemonSet" {
		return Result{} // no pods are made
	}
	quotas, known := r.World.Quotas.Get()
	if !known {
		return Result{Unknown: []string{unread("ResourceQuotas", r.World.Quotas)}}
	}
	if len(quotas) == 0 {
		return Result{}
	}
	c, unknown := claimOf(r)
	var out Result
	for i := range quotas {
		if !c.touches(&quotas[i]) {
			continue // it is about Services, or Secrets
		}
		if unknown != nil {
			out.Unknown, unknown = append(out.Unknown, unknown...), nil
		}
		findings, uncounted := c.against(&quotas[i])
		out.Findings = append(out.Findings, findings...)
		out.Unknown = append(out.Unknown, uncounted...)
	}
	// The heaviest first: a check takes points once.
	slices.SortStableFunc(out.Findings, func(a, b gate.Finding) int { return b.Points - a.Points })
	out.Findings = out.Findings[:min(len(out.Findings), quotaFindingsMax)]
	return out
}

// claim is what a rollout asks of quotas.
type claim struct {
	before, after *corev1.Pod         // shapes; before is nil on create
	asks, asked   corev1.ResourceList // what one pod is charged, after and before
	defaults      bool                // whether LimitRange defaults are in the shapes
	own           []*corev1.Pod
	charged       []corev1.ResourceList // of each own pod
	ownKnown      bool
	replicas      int64 // before
	growth        int64
	stages        []stage
	patient       []stage
	canWait       bool
	later         bool                // nothing starts now
	volumes       corev1.ResourceList // of the claims that one more replica makes
	revision      corev1.ResourceList // of the object that holds a template no revision holds yet
}

func claimOf(r Rollout) (claim, []string) {
	var unknown []string
	ranges, known := r.World.LimitRanges.Get()
	if !known {
		unknown = append(unknown, unread("LimitRanges", r.World.LimitRanges))
	}
	c := claim{after: shape(&r.New.Template, ranges), defaults: known, volumes: volumesOf(r.New), revision: revisionOf(r)}
	c.asks = fit.Usage(c.after)
	n, known := wanted(r, c.after)
	if !known {
		unknown = append(unknown, unread("Nodes", r.World.Nodes))
	}
	c.growth = n
	if r.Old != nil {
		c.before = shape(&r.Old.Template, ranges)
		c.asked = fit.Usage(c.before)
		c.replicas = int64(r.Old.Replicas)
		c.growth = max(0, n-c.replicas)
		pods, known := r.World.Pods.Get()
		if !known {
			unknown = append(unknown, unread("Pods", r.World.Pods))
		}
		c.ownKnown = known
		for i := range pods {
			if holds(&pods[i]) {
				c.own, c.charged = append(c.own, &pods[i]), append(c.charged, fit.Usage(&pods[i]))
			}
		}
	}
	c.stages = stages(r, n)
	c.patient, c.canWait = patient(r, n)
	c.later = r.New.Later
	return c, unknown
}

// against weighs the claim against one quota.
func (c claim) against(q *corev1.ResourceQuota) (out []gate.Finding, uncounted []string) {
	if !counts(q, c.after) {
		return nil, nil
	}
	cites := []string{EvidenceWorkload, EvidenceQuotas, EvidenceLimitRanges, EvidencePods}
	hard := q.Status.Hard
	if len(hard) == 0 {
		hard = q.Spec.Hard
	}
	if resource, container := mustSay(c.after, hard); resource != "" && c.defaults {
		out = append(out, found(pointsQuota, gate.Recent, cites,
			"quota %s makes containers set %s, which %s does not", name(q.Name), resource, name(container)))
	}
	for _, k := range slices.Sorted(maps.Keys(hard)) {
		used, counted := q.Status.Used[k]
		left := hard[k].DeepCopy()
		left.Sub(used)
		demand := c.demand(q, k, c.stages)
		if demand.Sign() <= 0 {
			continue
		}
		if demand.Cmp(left) <= 0 {
			if !counted {
				uncounted = append(uncounted, fmt.Sprintf("quota %s: %s has not been counted yet", name(q.Name), k))
			}
			continue
		}
		points, slow := pointsQuota, ""
		if c.canWait {
			if d := c.demand(q, k, c.patient); d.Cmp(left) <= 0 {
				points, slow = pointsQuotaSlow, ", so it goes pod by pod"
			}
		}
		limit, when := hard[k], ""
		if c.later && demand.Cmp(limit) <= 0 {
			points, when = pointsLater, onceItRuns
		}
		out = append(out, found(points, gate.Recent, cites, "%squota %s: %s needs %s more, %s of %s left%s",
			when, name(q.Name), k, demand.String(), left.String(), limit.String(), slow))
	}
	return out, uncounted
}

// demand is how much more of one resource the rollout holds at its height than its pods hold now.
func (c claim) demand(q *corev1.ResourceQuota, k corev1.ResourceName, stages []stage) resource.Quantity {
	if v, ok := c.revision[k]; ok {
		return v
	}
	if v, ok := c.volumes[k]; ok {
		return times(v, c.growth)
	}
	after := c.asks[k]
	var before, held resource.Quantity
	if c.before != nil && counts(q, c.before) {
		before = c.asked[k]
		held = times(before, c.replicas)
	}
	if c.ownKnown {
		held = resource.Quantity{}
		for i, p := range c.own {
			if counts(q, p) {
				held.Add(c.charged[i][k])
			}
		}
	}
	var most resource.Quantity
	for _, s := range stages {
		at := times(after, s.new)
		at.Add(times(before, s.old))
		at.Sub(held)
		if at.Cmp(most) > 0 {
			most = at
		}
	}
	return most
}

func times(q resource.Quantity, n int64) resource.Quantity {
	q = q.DeepCopy()
	q.Mul(n)
	return q
}

// revisionOf is what the object is charged for that the workload's controller makes to hold a new template. A quota of such
// objects that is used up stops the rollout before its first pod. Without knowing the revisions nothing is said of it.
func revisionOf(r Rollout) corev1.ResourceList {
	if r.Old != nil {
		if _, known := r.World.Revisions.Get(); !known || r.New.Paused || !TemplateChanged(r.Old, r.New) || rolledOut(r) {
			return nil
		}
	}
	kind := "controllerrevisions"
	if r.New.Ref.Kind == "Deployment" {
		kind = "replicasets"
	}
	return corev1.ResourceList{corev1.ResourceName("count/" + kind + ".apps"): *resource.NewQuantity(1, resource.DecimalSI)}
}

// volumesOf is what the claim templates of one more replica are charged for.
func volumesOf(w Workload) corev1.ResourceList {
	if len(w.VolumeClaims) == 0 {
		return nil
	}
	all := corev1.ResourceList{}
	for _, v := range w.VolumeClaims {
		one, storage := *resource.NewQuantity(1, resource.DecimalSI), v.Spec.Resources.Requests[corev1.ResourceStorage]
		fit.Add(all, corev1.ResourceList{corev1.ResourcePersistentVolumeClaims: one, "count/persistentvolumeclaims": one, corev1.ResourceRequestsStorage: storage})
		if class := v.Spec.StorageClassName; class != nil && *class != "" {
			of := *class + ".storageclass.storage.k8s.io/"
			fit.Add(all, corev1.ResourceList{corev1.ResourceName(of + "persistentvolumeclaims"): one, corev1.ResourceName(of + "requests.storage"): storage})
		}
	}
	return all
}
