package checks

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"moorgate.dev/internal/cluster/fit"
)

// rule is one rule about neighbours, with the count of those that it is about in each domain of its topology.
type rule struct {
	words   string
	key     string         // of the topology
	counts  map[string]int // by domain; a spread rule knows every domain that counts
	self    bool           // the pods themselves are among those counted
	spread  bool
	skew    int
	least   int  // of the counts
	empty   bool // a spread rule that wants more domains than there are: the least is none
	forbid  bool // anti-affinity
	anybody int  // how many are counted anywhere
}

// allows reports whether the rule lets one more pod onto the node.
func (x *rule) allows(n *corev1.Node) bool {
	domain, has := n.Labels[x.key]
	switch {
	case x.forbid:
		return !has || x.counts[domain] == 0
	case !has:
		return false
	case !x.spread:
		return x.counts[domain] > 0 || x.self && x.anybody == 0 // the first of a group that keeps together
	}
	more := 0
	if x.self {
		more = 1
	}
	return x.counts[domain]+more-x.least <= x.skew
}

// load is how crowded the node's domain is by this rule; affinity does not mind a crowd.
func (x *rule) load(n *corev1.Node) int {
	if !x.spread {
		return 0
	}
	return x.counts[n.Labels[x.key]]
}

// take counts one more of the workload's own pods.
func (x *rule) take(n *corev1.Node) {
	if domain, has := n.Labels[x.key]; has && x.self {
		x.counts[domain]++
		x.anybody++
		x.settle()
	}
}

// settle finds the least crowded domain of a spread rule.
func (x *rule) settle() {
	if x.least = 0; x.spread && !x.empty && len(x.counts) > 0 {
		x.least = slices.Min(slices.Collect(maps.Values(x.counts)))
	}
}

// rulesOf compiles the hard rules of the pod, with the others of the namespace counted.
func rulesOf(r Rollout, pod *corev1.Pod) (all []*rule, unknown []string) {
	others, known := r.World.Around.Pods.Get()
	if !known {
		return nil, []string{unread("other Pods", r.World.Around.Pods)}
	}
	nodes, _ := r.World.Nodes.Get()
	at := make(map[string]*corev1.Node, len(nodes))
	for _, n := range nodes {
		at[n.Object.Name] = n.Object
	}
	count := func(x *rule, selector *metav1.LabelSelector, fresh bool) {
		picks, err := metav1.LabelSelectorAsSelector(selector)
		if err != nil {
			picks = labels.Nothing()
		}
		x.self = picks.Matches(labels.Set(pod.Labels))
		for _, p := range others {
			n := at[p.Spec.NodeName]
			if n == nil || fresh || !picks.Matches(labels.Set(p.Labels)) {
				continue
			}
			domain, has := n.Labels[x.key]
			if _, counted := x.counts[domain]; has && (counted || !x.spread) { // a domain that the pods cannot go to sets no least
				x.counts[domain]++
				x.anybody++
			}
		}
	}
	for _, s := range pod.Spec.TopologySpreadConstraints {
		if s.WhenUnsatisfiable != corev1.DoNotSchedule {
			continue
		}
		x := &rule{words: "topology spread over " + name(s.TopologyKey), key: s.TopologyKey, counts: map[string]int{}, spread: true, skew: int(s.MaxSkew)}
		tolerant := fit.Suitability(pod, false)
		find := newFinder(&corev1.Pod{Spec: corev1.PodSpec{NodeSelector: pod.Spec.NodeSelector, Affinity: pod.Spec.Affinity,
			Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}}}}, false)
		for i := range nodes { // all that selectors choose, tainted ones too, unless the pod says otherwise
			n := &nodes[i]
			domain, has := n.Object.Labels[s.TopologyKey]
			ignored := s.NodeAffinityPolicy != nil && *s.NodeAffinityPolicy == corev1.NodeInclusionPolicyIgnore
			honored := s.NodeTaintsPolicy != nil && *s.NodeTaintsPolicy == corev1.NodeInclusionPolicyHonor
			if has && (ignored || find.of(n).match) && (!honored || tolerant.Tolerated(n.Object, nil)) {
				x.counts[domain] += 0
			}
		}
		x.empty = s.MinDomains != nil && len(x.counts) < int(*s.MinDomains)
		count(x, s.LabelSelector, len(s.MatchLabelKeys) > 0) // by hash of template: nobody else's count
		x.settle()
		all = append(all, x)
	}
	if pod.Spec.Affinity == nil {
		return all, nil
	}
	add := func(t corev1.PodAffinityTerm, words string, forbid bool) {
		if len(t.Namespaces) > 0 || t.NamespaceSelector != nil || len(t.MatchLabelKeys) > 0 || len(t.MismatchLabelKeys) > 0 {
			unknown = append(unknown, "Placement: "+words+" that reaches beyond the labels of the namespace's pods")
			return
		}
		x := &rule{words: words + " over " + name(t.TopologyKey), key: t.TopologyKey, counts: map[string]int{}, forbid: forbid}
		count(x, t.LabelSelector, false)
		all = append(all, x)
	}
	if a := pod.Spec.Affinity.PodAffinity; a != nil {
		for _, t := range a.RequiredDuringSchedulingIgnoredDuringExecution {
			add(t, "affinity", false)
		}
	}
	if a := pod.Spec.Affinity.PodAntiAffinity; a != nil {
		for _, t := range a.RequiredDuringSchedulingIgnoredDuringExecution {
			add(t, "anti-affinity", true)
		}
	}
	return all, unknown
}
