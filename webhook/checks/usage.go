package checks

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// mustSay names the resources that a quota counts and a container leaves open: the API server refuses such pods. Pods with
// resources of their own as a whole are free of this.
func mustSay(pod *corev1.Pod, hard corev1.ResourceList) (resource corev1.ResourceName, container string) {
	if res := pod.Spec.Resources; res != nil && len(res.Requests)+len(res.Limits) > 0 {
		return "", ""
	}
	for _, demanded := range []struct {
		name  corev1.ResourceName
		limit bool
		of    corev1.ResourceName
	}{
		{corev1.ResourceLimitsCPU, true, corev1.ResourceCPU}, {corev1.ResourceLimitsMemory, true, corev1.ResourceMemory},
		{corev1.ResourceRequestsCPU, false, corev1.ResourceCPU}, {corev1.ResourceRequestsMemory, false, corev1.ResourceMemory},
		{corev1.ResourceCPU, false, corev1.ResourceCPU}, {corev1.ResourceMemory, false, corev1.ResourceMemory},
	} {
		if _, counted := hard[demanded.name]; !counted {
			continue
		}
		for _, c := range everyContainer(&pod.Spec) {
			said := c.Resources.Requests
			if demanded.limit {
				said = c.Resources.Limits
			}
			if _, ok := said[demanded.of]; !ok {
				return demanded.name, c.Name
			}
		}
	}
	return "", ""
}

// touches reports whether the quota counts anything that the rollout is charged for, or may be by a LimitRange that is not known.
func (c claim) touches(q *corev1.ResourceQuota) bool {
	for _, hard := range []corev1.ResourceList{q.Spec.Hard, q.Status.Hard} {
		for k := range hard {
			_, pod := c.asks[k]
			_, volume := c.volumes[k]
			_, revision := c.revision[k]
			if pod || volume || revision || computes(k) {
				return true
			}
		}
	}
	return false
}

// computes reports whether a quota of that name is about what containers ask for.
func computes(k corev1.ResourceName) bool {
	switch k {
	case corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage:
		return true
	}
	asked, ok := strings.CutPrefix(string(k), "requests.")
	return ok && asked != string(corev1.ResourceStorage) || strings.HasPrefix(string(k), "limits.") || strings.HasPrefix(string(k), corev1.ResourceHugePagesPrefix)
}

// counts reports whether the quota's scopes cover the pod. A scope that is not known covers nothing, as in the API server.
func counts(q *corev1.ResourceQuota, pod *corev1.Pod) bool {
	for _, scope := range q.Spec.Scopes {
		if !inScope(corev1.ScopedResourceSelectorRequirement{ScopeName: scope, Operator: corev1.ScopeSelectorOpExists}, pod) {
			return false
		}
	}
	if q.Spec.ScopeSelector != nil {
		for _, m := range q.Spec.ScopeSelector.MatchExpressions {
			if !inScope(m, pod) {
				return false
			}
		}
	}
	return true
}

func inScope(m corev1.ScopedResourceSelectorRequirement, pod *corev1.Pod) bool {
	deadline := pod.Spec.ActiveDeadlineSeconds
	switch m.ScopeName {
	case corev1.ResourceQuotaScopeTerminating:
		return deadline != nil && *deadline >= 0
	case corev1.ResourceQuotaScopeNotTerminating:
		return deadline == nil || *deadline < 0
	case corev1.ResourceQuotaScopeBestEffort:
		return bestEffort(pod)
	case corev1.ResourceQuotaScopeNotBestEffort:
		return !bestEffort(pod)
	case corev1.ResourceQuotaScopePriorityClass:
		return inPriority(m, pod.Spec.PriorityClassName)
	case corev1.ResourceQuotaScopeCrossNamespacePodAffinity:
		return crossNamespace(pod.Spec.Affinity)
	}
	return false
}

func inPriority(m corev1.ScopedResourceSelectorRequirement, class string) bool {
	listed := false
	for _, v := range m.Values {
		listed = listed || v == class && class != ""
	}
	switch m.Operator {
	case corev1.ScopeSelectorOpExists:
		return class != ""
	case corev1.ScopeSelectorOpDoesNotExist:
		return class == ""
	case corev1.ScopeSelectorOpIn:
		return listed
	case corev1.ScopeSelectorOpNotIn:
		return !listed
	}
	return false
}

// bestEffort reports whether the pod asks for no CPU and memory at all.
func bestEffort(pod *corev1.Pod) bool {
	asks := func(lists ...corev1.ResourceList) bool {
		for _, l := range lists {
			cpu, memory := l[corev1.ResourceCPU], l[corev1.ResourceMemory]
			if cpu.Sign() > 0 || memory.Sign() > 0 {
				return true
			}
		}
		return false
	}
	if res := pod.Spec.Resources; res != nil && asks(res.Requests, res.Limits) {
		return false
	}
	for _, c := range everyContainer(&pod.Spec) {
		if asks(c.Resources.Requests, c.Resources.Limits) {
			return false
		}
	}
	return true
}

func crossNamespace(a *corev1.Affinity) bool {
	if a == nil {
		return false
	}
	var terms []corev1.PodAffinityTerm
	if p := a.PodAffinity; p != nil {
		terms = append(terms, p.RequiredDuringSchedulingIgnoredDuringExecution...)
		for _, w := range p.PreferredDuringSchedulingIgnoredDuringExecution {
			terms = append(terms, w.PodAffinityTerm)
		}
	}
	if p := a.PodAntiAffinity; p != nil {
		terms = append(terms, p.RequiredDuringSchedulingIgnoredDuringExecution...)
		for _, w := range p.PreferredDuringSchedulingIgnoredDuringExecution {
			terms = append(terms, w.PodAffinityTerm)
		}
	}
	for _, t := range terms {
		if len(t.Namespaces) > 0 || t.NamespaceSelector != nil {
			return true
		}
	}
	return false
}
