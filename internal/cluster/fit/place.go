package fit

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"moorgate.dev/internal/gate"
)

// The law: a pod that no node takes passes through what the scheduler asks, one question after the other, and each leaves fewer
// nodes. The question that leaves none is what keeps it off: the ones before it are why there were so few to ask. What belongs to
// the pod comes first (which nodes it asks for, which taints it bears), then what cannot be moved (volumes, ports of the host), then
// what others take (resources), then its neighbours. The first failing question is told with the number that decides.
//
// Where every question leaves a node, nothing is known to keep the pod off: Free. It may be scheduled in this moment, or
// something keeps it off that is not worked out here, such as devices, limits of a volume driver, or another scheduler.

// Barrier is what keeps a pod off every node. The zero Barrier says that nobody worked it out.
type Barrier string

// The barriers, in the order in which they are asked for.
const (
	NoNodes      Barrier = "no-nodes"      // the cluster has none
	Claims       Barrier = "claims"        // a claim of the pod is not there or not bound
	Selector     Barrier = "selector"      // no node is what the pod asks for
	Taint        Barrier = "taint"         // those that are have taints that it does not bear
	Closed       Barrier = "closed"        // those that are left are cordoned or not well
	VolumeZone   Barrier = "volume-zone"   // none of those reaches its volumes
	HostPort     Barrier = "host-port"     // others have the port of the host
	TooLarge     Barrier = "too-large"     // even an empty node could not hold it
	Outranked    Barrier = "outranked"     // an empty one could, and pods of higher priority have the room
	CPU          Barrier = "cpu"           // an empty one could, and none has so much left
	Memory       Barrier = "memory"        //
	OtherRoom    Barrier = "other-room"    // pod slots, disk, devices
	Affinity     Barrier = "affinity"      // it wants to be beside pods that are not there
	AntiAffinity Barrier = "anti-affinity" // it may not be beside pods that are, or they may not be beside it
	Spread       Barrier = "spread"        // any place would spread its kind unevenly
	Free         Barrier = "free"          // nothing that is worked out here
)

// Answer is what keeps a pod off every node.
type Answer struct {
	Barrier Barrier
	// Why says it with the number that decides. One printable line.
	Why string
}

// Place works out what keeps a pod off every node of the site.
func Place(pod *corev1.Pod, site Site) Answer {
	if len(site.nodes) == 0 {
		return Answer{NoNodes, "the cluster has no nodes"}
	}
	if site.Unbound != "" {
		return Answer{Claims, gate.OneLine(site.Unbound, maxWhy)}
	}
	d := newDemand(pod, site)
	left := site.nodes
	for _, q := range questions {
		passed := slices.DeleteFunc(slices.Clone(left), func(n *corev1.Node) bool { return !q.passes(d, n) })
		if len(passed) == 0 {
			barrier, why := q.tell(d, left)
			if off := len(site.nodes) - len(left); off > 0 {
				why += fmt.Sprintf("; %s of %d out of the question before that", plural(off, "node"), len(site.nodes))
			}
			return Answer{barrier, gate.OneLine(why, maxWhy)}
		}
		left = passed
	}
	return Answer{Free, fmt.Sprintf("%s of %d would take it", plural(len(left), "node"), len(site.nodes))}
}

// maxWhy is how long a Why is at most, in bytes.
const maxWhy = 240

// question is one thing that is asked of each node, and how it is told that none passed of those that were left.
type question struct {
	passes func(*demand, *corev1.Node) bool
	tell   func(d *demand, left []*corev1.Node) (Barrier, string)
}

var questions = []question{
	{func(d *demand, n *corev1.Node) bool { return d.suit.Chooses(n) }, tellSelector},
	{func(d *demand, n *corev1.Node) bool { return d.suit.Match(n) }, tellTaint},
	{func(d *demand, n *corev1.Node) bool { return d.suit.Open(n, d.daemon) }, tellClosed},
	{(*demand).reaches, tellZone},
	{(*demand).portsFree, tellPort},
	{(*demand).room, tellRoom},
	{(*demand).apart, tellAntiAffinity},
	{(*demand).beside, tellAffinity},
	{(*demand).spread, tellSpread},
}

// demand is a pod with the site that it is weighed against.
type demand struct {
	Site
	pod     *corev1.Pod
	daemon  bool
	suit    Suit
	asks    corev1.ResourceList
	volumes []*nodeaffinity.NodeSelector
	terms   terms
}

func newDemand(pod *corev1.Pod, site Site) *demand {
	d := &demand{Site: site, pod: pod, daemon: ofDaemonSet(pod), asks: Requests(pod)}
	d.suit = Suitability(pod, d.daemon)
	for _, v := range site.Volumes {
		if s, err := nodeaffinity.NewNodeSelector(v); err == nil {
			d.volumes = append(d.volumes, s)
		}
	}
	d.terms = newTerms(d)
	return d
}

// reaches is whether the volumes of the pod can be reached from a node.
func (d *demand) reaches(n *corev1.Node) bool {
	return !slices.ContainsFunc(d.volumes, func(s *nodeaffinity.NodeSelector) bool { return !s.Match(n) })
}

func ofDaemonSet(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.OwnerReferences, func(o metav1.OwnerReference) bool { return o.Kind == "DaemonSet" })
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
