package causes

import (
	"time"

	"moorgate.dev/internal/gate"
)

// The ids of the evidence that findings cite.
const (
	EvidencePods      = "pods"      // the state of every pod of the revision
	EvidenceWorkload  = "workload"  // the workload and who owns its manifest
	EvidenceRevisions = "revisions" // the revision before this one
	EvidenceObjects   = "objects"   // the objects of another kind than Pod that show the symptom, or might
)

// World is what is known of one symptom of one workload: of a pod's symptom, in one container of one revision of it. The zero
// World knows nothing.
type World struct {
	At        time.Time
	Symptom   Symptom
	Root      gate.Ref // the workload that people think of
	Container string   // empty where the symptom is none of a container
	Revision  string   // the hash of the pod template; empty where the workload has no revisions
	// Pods are those of this revision that are not on their way out, in the order of their names.
	Pods []Pod
	// Complete is whether Pods are all there are.
	Complete gate.Fact[bool]
	// Others are the pods of the workload's other revisions.
	Others []Pod
	// Objects are what else belongs to the workload and may show the symptom, where pods do not.
	Objects []Object
	// Source is the tool that owns the manifest, such as "Flux", "Argo CD" or "Helm"; known and empty where nothing speaks for
	// any.
	Source gate.Fact[string]
	// Sizer is who sets the resources of the workload, such as "VerticalPodAutoscaler/web"; known and empty: nobody.
	Sizer gate.Fact[string]
	// Earlier is what the workload could go back to; known and nil means nothing.
	Earlier gate.Fact[*Earlier]
	// References are whether what the failing container refers to is there. Of a key it is whether the key is.
	References map[Reference]gate.Fact[bool]
	// Unserved are the Services that the failing container names and behind which nobody is ready, in order.
	Unserved gate.Fact[[]string]
	// Places are why no node takes a pod, by the pod's UID, where that is the symptom. What is missing is not known.
	Places map[string]Place
	// Starts and Readiness are what keeps a pod, or a container of it, from beginning and from being ready, by the pod's UID. Grounds
	// are the nodes, by name. What is missing is not known.
	Starts    map[string]Start
	Grounds   map[string]Ground
	Readiness map[string]Readiness
	// Usual is how long pods of the workload took that are ready.
	Usual gate.Fact[time.Duration]
	// These are of one symptom each, and nil where it is another or they could not be read.
	Rollout     *Rollout
	Refusal     *Refusal
	Claim       *Claim
	Backends    *Backends
	Budget      *Budget
	Scaler      *Scaler
	Certificate *Certificate
	Evidence    []gate.Evidence
}

// Earlier is the revision before this one.
type Earlier struct {
	Name      string // of the ReplicaSet that holds it
	Number    int64
	Failing   int64 // the number of the revision that fails
	Available int32 // pods of it that are available now: all the proof there is that it works
	Edits     []gate.Edit
}

// Failing are the pods that show the symptom.
func (w World) Failing() []Pod {
	var failing []Pod
	for _, p := range w.Pods {
		if p.State.fails() {
			failing = append(failing, p)
		}
	}
	return failing
}

// Stuck are the objects that show the symptom, where pods do not.
func (w World) Stuck() []Object {
	var stuck []Object
	for _, o := range w.Objects {
		if o.State.fails() {
			stuck = append(stuck, o)
		}
	}
	return stuck
}

// Shows is whether anything shows the symptom.
func (w World) Shows() bool { return len(w.Failing())+len(w.Stuck()) > 0 }

func (s State) fails() bool { return s == Looping || s == Stuck }

// Whole is whether every pod of the revision shows the symptom or may come to: one that runs between two crashes is no sign
// that the next pod would do better.
func (w World) Whole() gate.Fact[bool] {
	if complete, _ := w.Complete.Get(); !complete {
		return gate.Unknown[bool]("not every pod of the workload could be read")
	}
	for _, p := range w.Pods {
		if !p.State.fails() && p.State != Unsure {
			return gate.Known(false)
		}
	}
	return gate.Known(len(w.Failing()) > 0)
}

// Spared is how many pods of the revision are well.
func (w World) Spared() int {
	n := 0
	for _, p := range w.Pods {
		if p.State == Well {
			n++
		}
	}
	return n
}

// Unread names the evidence that could not be read, and why.
func (w World) Unread() []string {
	var unread []string
	for _, e := range w.Evidence {
		if e.Unread != "" {
			unread = append(unread, e.Source+": "+e.Unread)
		}
	}
	return unread
}
