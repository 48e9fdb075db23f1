package checks

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

// The law: a pod template does not lean on what Kubernetes has let go of. What is removed does nothing any more: a volume is
// never mounted, an annotation is never read, a node never matches. What is deprecated still works, until some upgrade.
//
// What is what, since when and what to write instead is a table (outdated.go), taken from the warnings of Kubernetes 1.37
// itself. A toleration of the master taint is left alone beside one of its successor: it does no harm, and may serve old
// nodes. The alias serviceAccount counts only where serviceAccountName is missing: an API server always writes both.
var deprecatedCheck = Check{
	ID: "deprecated", Title: "Nothing in it is deprecated or removed", Points: pointsRemoved, Nature: gate.Lasting,
	Law:  "The pod template uses no node label, annotation, volume type or field that Kubernetes has removed or deprecated.",
	look: lookDeprecated,
}

func lookDeprecated(r Rollout) Result {
	t := &r.New.Template
	uses := map[*outdated]string{} // each row that is used, and where first
	use := func(o *outdated, where string) {
		if _, ok := uses[o]; !ok && o != nil {
			uses[o] = where
		}
	}
	usedLabels(&t.Spec, func(label, where string) { use(outdatedLabel(label), where) })
	for _, key := range slices.Sorted(maps.Keys(t.Annotations)) {
		use(outdatedAnnotation(key), "annotation")
	}
	for i := range t.Spec.Volumes {
		use(outdatedVolume(&t.Spec.Volumes[i].VolumeSource), "volume "+name(t.Spec.Volumes[i].Name))
	}
	if mastersOnly(t.Spec.Tolerations) {
		use(&masterTaint, "toleration")
	}
	if t.Spec.DeprecatedServiceAccount != "" && t.Spec.ServiceAccountName == "" {
		use(&serviceAccountAlias, "field")
	}
	var out Result
	for _, o := range inOrder(uses) {
		points, how := pointsDeprecated, "deprecated"
		if o.removed {
			points, how = pointsRemoved, "gone"
		}
		if o.since != "" {
			how += " since " + o.since
		}
		out.Findings = append(out.Findings, found(points, gate.Lasting, []string{EvidenceWorkload}, "%s is %s: use %s (%s)", o.what, how, o.instead, uses[o]))
	}
	return out
}

// inOrder returns the rows in the order of what they are about, so that the same template is always told of alike.
func inOrder(uses map[*outdated]string) []*outdated {
	return slices.SortedFunc(maps.Keys(uses), func(a, b *outdated) int { return strings.Compare(a.what, b.what) })
}

// usedLabels tells of every node label by which the pods choose nodes or keep apart.
func usedLabels(spec *corev1.PodSpec, tell func(label, where string)) {
	for _, key := range slices.Sorted(maps.Keys(spec.NodeSelector)) {
		tell(key, "nodeSelector")
	}
	for _, c := range spec.TopologySpreadConstraints {
		tell(c.TopologyKey, "topology spread")
	}
	if spec.Affinity == nil {
		return
	}
	if a := spec.Affinity.NodeAffinity; a != nil {
		var terms []corev1.NodeSelectorTerm
		if must := a.RequiredDuringSchedulingIgnoredDuringExecution; must != nil {
			terms = append(terms, must.NodeSelectorTerms...)
		}
		for _, p := range a.PreferredDuringSchedulingIgnoredDuringExecution {
			terms = append(terms, p.Preference)
		}
		for _, term := range terms {
			for _, e := range term.MatchExpressions {
				tell(e.Key, "nodeAffinity")
			}
		}
	}
	for _, term := range podTerms(spec.Affinity) {
		tell(term.TopologyKey, "topologyKey")
	}
}

// podTerms returns every term by which pods are drawn to others or kept apart from them.
func podTerms(a *corev1.Affinity) []corev1.PodAffinityTerm {
	var all []corev1.PodAffinityTerm
	if p := a.PodAffinity; p != nil {
		all = append(all, p.RequiredDuringSchedulingIgnoredDuringExecution...)
		for _, w := range p.PreferredDuringSchedulingIgnoredDuringExecution {
			all = append(all, w.PodAffinityTerm)
		}
	}
	if p := a.PodAntiAffinity; p != nil {
		all = append(all, p.RequiredDuringSchedulingIgnoredDuringExecution...)
		for _, w := range p.PreferredDuringSchedulingIgnoredDuringExecution {
			all = append(all, w.PodAffinityTerm)
		}
	}
	return all
}

// mastersOnly reports whether the master taint is tolerated and the one that came after it is not.
func mastersOnly(all []corev1.Toleration) bool {
	old, now := false, false
	for _, t := range all {
		old = old || t.Key == masterLabel
		now = now || t.Key == "node-role.kubernetes.io/control-plane" || t.Key == ""
	}
	return old && !now
}
