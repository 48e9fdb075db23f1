package causes

import (
	"time"

	"moorgate.dev/internal/gate"
)

// The ids of the evidence about pods that have a node.
const (
	EvidenceVolumes   = "volumes"   // what the volumes of a pod are made of, and where they are attached
	EvidenceGrounds   = "grounds"   // whether other pods begin on the nodes in question
	EvidenceReadiness = "readiness" // the probes of a container and what its siblings took to become ready
)

// Start is what a pod needs before it begins.
type Start struct {
	Missing    string // what a volume is made of and is not there: "ConfigMap settings"
	Volume     string // one that is attached to another node, or cannot be attached
	Elsewhere  string // that node
	Unattached bool   // the attachment says that it failed
	Unasked    bool   // whether all of what its volumes are made of is there could not be found out
	Mounts     int    // volumes that are mounted from outside of the API
}

// Ground is how pods fare on a node, of those that need nothing but the node, since the first of those in question was placed: how many
// do not begin, of how many workloads, and how many began.
type Ground struct{ Asleep, Workloads, Began int }

// Readiness is what has to be before a container counts as ready.
type Readiness struct {
	Gate     string          // a readiness gate of the pod that nobody set
	Probe    string          // how it is asked: http, tcp, grpc, exec; empty for not at all
	Port     string          // that the probe goes to
	Declared gate.Fact[bool] // whether the container declares that port; unknown where it declares none at all
	Started  bool            // the startup probe passed, or there is none
	Running  time.Duration   // for how long it has run
	Allowed  time.Duration   // how long its startup probe gives it; 0 for no such probe
}

// shallow is whether nothing of a pod is mounted from outside, and all else that it needs is there, so that what keeps it from beginning is the node's own affair.
func (s Start) shallow() bool {
	return s.Missing == "" && s.Volume == "" && s.Mounts == 0 && !s.Unasked
}

// asleepOn is on how many nodes pods do not begin that need nothing, of how many workloads at most, and how many began anywhere.
func (w World) asleepOn() (nodes, workloads, began int) {
	for _, g := range w.Grounds {
		if g.Asleep > 0 && g.Began == 0 {
			nodes++
		}
		workloads, began = max(workloads, g.Workloads), began+g.Began
	}
	return nodes, workloads, began
}
