package fit

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/internal/gate"
)

// spread is one hard rule about how evenly a pod's kind is spread, with how many there are in each domain that it counts.
type spread struct {
	key    string
	skew   int
	self   int // 1 where the pod counts itself
	counts map[string]int
	least  int
}

// spreads are the hard rules of the pod, counted.
func (d *demand) spreads() []spread {
	var all []spread
	for i := range d.pod.Spec.TopologySpreadConstraints {
		if c := &d.pod.Spec.TopologySpreadConstraints[i]; c.WhenUnsatisfiable == corev1.DoNotSchedule {
			all = append(all, d.counted(c))
		}
	}
	return all
}

func (d *demand) counted(c *corev1.TopologySpreadConstraint) spread {
	s := spread{key: c.TopologyKey, skew: int(c.MaxSkew), counts: map[string]int{}}
	selector := c.LabelSelector.DeepCopy()
	for _, k := range c.MatchLabelKeys {
		if v, has := d.pod.Labels[k]; has && selector != nil {
			selector.MatchExpressions = append(selector.MatchExpressions, metav1.LabelSelectorRequirement{Key: k, Operator: metav1.LabelSelectorOpIn, Values: []string{v}})
		}
	}
	if selects(selector, d.pod.Labels) {
		s.self = 1
	}
	for _, n := range d.nodes {
		if domain, has := n.Labels[s.key]; has && d.counts(c, n) {
			for _, p := range d.pods[n.Name] {
				if p.Namespace == d.pod.Namespace && p.DeletionTimestamp == nil && selects(selector, p.Labels) {
					s.counts[domain]++
				}
			}
			s.counts[domain] += 0
		}
	}
	first := true
	for _, n := range s.counts {
		if first || n < s.least {
			s.least, first = n, false
		}
	}
	if c.MinDomains != nil && len(s.counts) < int(*c.MinDomains) {
		s.least = 0
	}
	return s
}

// counts is whether a rule counts a node: where the pod could go by its own choice, tainted or not, unless the rule says otherwise.
func (d *demand) counts(c *corev1.TopologySpreadConstraint, n *corev1.Node) bool {
	if (c.NodeAffinityPolicy == nil || *c.NodeAffinityPolicy == corev1.NodeInclusionPolicyHonor) && !d.suit.Chooses(n) {
		return false
	}
	return c.NodeTaintsPolicy == nil || *c.NodeTaintsPolicy != corev1.NodeInclusionPolicyHonor || d.suit.Tolerated(n, nil)
}

func (s spread) allows(n *corev1.Node) bool {
	domain, has := n.Labels[s.key]
	return has && s.counts[domain]+s.self-s.least <= s.skew
}

func (d *demand) spread(n *corev1.Node) bool {
	return !slices.ContainsFunc(d.terms.spread, func(s spread) bool { return !s.allows(n) })
}

// uneven says which rule keeps the pod off the nodes that are left, with the numbers of the first.
func (d *demand) uneven(left []*corev1.Node) string {
	for _, s := range d.terms.spread {
		if !s.allows(left[0]) {
			domain, has := left[0].Labels[s.key]
			if !has {
				return fmt.Sprintf("%s that have room do not have the label %s, over which it spreads", plural(len(left), "node"), gate.OneLine(s.key, maxName))
			}
			return fmt.Sprintf("on each of %s that have room one more would be too many: %s=%s has %d, the least is %d, and it allows for a difference of %d",
				plural(len(left), "node"), gate.OneLine(s.key, maxName), gate.OneLine(domain, maxName), s.counts[domain], s.least, s.skew)
		}
	}
	return ""
}
