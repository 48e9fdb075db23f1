package causes

import "moorgate.dev/internal/gate"

// The law: a pod that needs nothing from outside, no volume but what the API server gives, and does not begin, waits for its node: for the
// sandbox and the network in it. Where no such pod began on the node since, and some did on others, it is the node: unless there is only
// this one workload on it, and no pod of that is well, because then it may be the workload. It is inferred and not said by anybody, so
// it is never sure. A pod with a volume to mount proves nothing about a node (volume-mount-fails). Nodes that all begin nothing are
// cluster-starts-nothing.
//
// On another node a pod does better.
var nodeNetwork = Cause{
	Doc: gate.Doc{ID: "node-starts-nothing", Since: "v0.1", Title: "One node begins no pods",
		Text: "On the node of the pod no pod begins that needs nothing but the node, while others begin elsewhere: most often its network."},
	Symptoms: []Symptom{NotStarting}, Points: 20, Sure: 70, Replaceable: true, cites: []string{EvidenceGrounds},
	explains: func(w World, p Pod) bool {
		g, known := w.Grounds[p.Node]
		nodes, _, began := w.asleepOn()
		others := g.Workloads > 1 || w.Spared() > 0
		return known && w.Starts[p.Ref.UID].shallow() && g.Asleep > 0 && g.Began == 0 && nodes == 1 && began > 0 && others
	},
	tell: func(w World, e Explained) string {
		_, _, began := w.asleepOn()
		return sentence("%s cannot begin: on node %s no pod does, and %s began on others since", crowd(w, e.Count()), e.Pods[0].Node, plural(began, "pod"))
	},
}
