package causes

import (
	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

// The law: two pods of one node cannot both have a port of the host, for one protocol and address. Where each node that suits has it taken,
// there are more pods than nodes for them, or two workloads want the same port. It looks like full nodes; the port is compared, and the
// question is asked before the one for room. Two pods with the same port and different protocols do not clash.
//
// Another pod asks for the same port. Going back is a cure where the revision before did without.
var hostPortTaken = kept(Cause{
	Doc: gate.Doc{ID: "host-port", Since: "v0.1", Title: "A port of the host is taken",
		Text: "On every node that suits the pod another pod has the port of the host that this one asks for."},
	Points: 20, Sure: 95, Reversible: true,
}, fit.HostPort)
