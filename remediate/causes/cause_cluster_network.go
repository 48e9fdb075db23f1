package causes

import "moorgate.dev/internal/gate"

// The law: pods of several workloads that need nothing from outside do not begin on several nodes, and none began on any since the
// first of those in question was placed. So it is no one node and no one workload: most often the network plugin. It is inferred and
// not said by anybody. Where some begin elsewhere it is the node (node-starts-nothing), as far as it is one.
//
// Nothing about the workload cures it, and moving its pods does not.
var clusterNetwork = Cause{
	Doc: gate.Doc{ID: "cluster-starts-nothing", Since: "v0.1", Title: "No node begins any pods",
		Text: "On several nodes no pod begins that needs nothing but the node, and none began anywhere since: most often the network of the cluster."},
	Symptoms: []Symptom{NotStarting}, Points: 30, Sure: 70, cites: []string{EvidenceGrounds},
	explains: func(w World, p Pod) bool {
		nodes, workloads, began := w.asleepOn()
		return w.Starts[p.Ref.UID].shallow() && nodes > 1 && workloads > 1 && began == 0
	},
	tell: func(w World, e Explained) string {
		nodes, _, _ := w.asleepOn()
		return sentence("%s cannot begin: no pod does on %s, nor began anywhere since", crowd(w, e.Count()), plural(nodes, "node"))
	},
}
