package fit

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"moorgate.dev/internal/gate"
)

// The law of neighbours: required rules only, as the scheduler reads them. A pod may not go where a rule of its own forbids a
// neighbour, nor where a neighbour's own rule forbids it; it has to go where pods are that all its terms pick, unless it would be
// the first of a kind that picks itself. Rules that are merely preferred keep nobody off.

// terms are what the neighbours of a pod say about the places it may go to.
type terms struct {
	forbidden map[string][]string // topology key: the values of domains that are forbidden
	wanted    map[string][]string // topology key: the values of domains where all terms are met
	first     bool                // nobody of the kind is anywhere yet, and the pod picks itself
	spread    []spread
}

func newTerms(d *demand) terms {
	t := terms{forbidden: map[string][]string{}, wanted: map[string][]string{}, spread: d.spreads()}
	for _, term := range antiTerms(d.pod) {
		for _, p := range d.neighbours() {
			if d.picks(term, d.pod, p) {
				t.mark(t.forbidden, term.TopologyKey, d.named[p.Spec.NodeName])
			}
		}
	}
	for _, p := range d.neighbours() {
		for _, term := range antiTerms(p) {
			if d.picks(term, p, d.pod) {
				t.mark(t.forbidden, term.TopologyKey, d.named[p.Spec.NodeName])
			}
		}
	}
	own, met := nearTerms(d.pod), false
	for _, p := range d.neighbours() {
		if len(own) > 0 && !slices.ContainsFunc(own, func(term corev1.PodAffinityTerm) bool { return !d.picks(term, d.pod, p) }) {
			met = true
			for _, term := range own {
				t.mark(t.wanted, term.TopologyKey, d.named[p.Spec.NodeName])
			}
		}
	}
	t.first = !met && !slices.ContainsFunc(own, func(term corev1.PodAffinityTerm) bool { return !d.picks(term, d.pod, d.pod) })
	return t
}

func (t *terms) mark(in map[string][]string, key string, n *corev1.Node) {
	if domain, has := n.Labels[key]; has && !slices.Contains(in[key], domain) {
		in[key] = append(in[key], domain)
	}
}

// neighbours are all pods on nodes of the site.
func (d *demand) neighbours() []*corev1.Pod {
	var all []*corev1.Pod
	for _, n := range d.nodes {
		all = append(all, d.pods[n.Name]...)
	}
	return all
}

// picks is whether a term of one pod picks another.
func (d *demand) picks(term corev1.PodAffinityTerm, of, other *corev1.Pod) bool {
	if !selects(term.LabelSelector, other.Labels) {
		return false
	}
	if len(term.Namespaces) == 0 && term.NamespaceSelector == nil {
		return other.Namespace == of.Namespace
	}
	return slices.Contains(term.Namespaces, other.Namespace) || selects(term.NamespaceSelector, d.Namespaces[other.Namespace])
}

// selects is whether a selector picks the labels. One that is missing or makes no sense picks nothing.
func selects(selector *metav1.LabelSelector, set map[string]string) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && s.Matches(labels.Set(set))
}

func antiTerms(pod *corev1.Pod) []corev1.PodAffinityTerm {
	if pod.Spec.Affinity == nil || pod.Spec.Affinity.PodAntiAffinity == nil {
		return nil
	}
	return pod.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution
}

func nearTerms(pod *corev1.Pod) []corev1.PodAffinityTerm {
	if pod.Spec.Affinity == nil || pod.Spec.Affinity.PodAffinity == nil {
		return nil
	}
	return pod.Spec.Affinity.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution
}

func (d *demand) apart(n *corev1.Node) bool { return d.terms.forbids(n) == "" }

// forbids is the topology key over which a node is forbidden; empty for none.
func (t terms) forbids(n *corev1.Node) string {
	for _, key := range slices.Sorted(maps.Keys(t.forbidden)) {
		if domain, has := n.Labels[key]; has && slices.Contains(t.forbidden[key], domain) {
			return key
		}
	}
	return ""
}

func (t terms) apartBy(left []*corev1.Node) string {
	for _, n := range left {
		if key := t.forbids(n); key != "" {
			return gate.OneLine(key, maxName)
		}
	}
	return ""
}

func (d *demand) beside(n *corev1.Node) bool {
	for _, term := range nearTerms(d.pod) {
		domain, has := n.Labels[term.TopologyKey]
		if !has || !d.terms.first && !slices.Contains(d.terms.wanted[term.TopologyKey], domain) {
			return false
		}
	}
	return true
}

func besideBy(pod *corev1.Pod) string {
	return gate.OneLine(nearTerms(pod)[0].TopologyKey, maxName)
}
