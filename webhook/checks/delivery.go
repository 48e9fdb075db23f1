package checks

import (
	"moorgate.dev/internal/gate"
)

// The law: what Git holds should be what runs. A workload that Flux or Argo CD applies says so by its marks, and then
//
//   - what a person changes past the tool is news to that person where the tool will put it back;
//   - what the tool applies by (Kustomization, HelmRelease, Application) should be ready and not suspended, and so should be
//     what it reads (GitRepository and its like): else what comes in is not what Git holds, or is the last that ever came.
//
// Suspended, and then changed by a person, is deliberate: nothing is said. What the tool itself applies is not held against it
// for having failed before, which may be our own doing. None of this is in the change, so all of it is recent: it refuses no
// rollback and no cure.
//
// Marks outlive what they name, and are copied along, and anybody can write them: where the cluster has no such object, or that
// object does not know the workload, nothing is said, so that nobody learns of other namespaces by a mark.
var deliveryCheck = Check{
	ID: "gitops-source", Title: "What Git says is what runs", Points: pointsDelivery, Nature: gate.Recent,
	Law:  "Where Flux or Argo CD applies the workload, no person changes what the tool will put back, and the tool's Kustomization, HelmRelease or Application and what it reads from are ready and not suspended. A change by a person while it is suspended is deliberate.",
	look: lookDelivery,
}

// Delivery is how an Origin fares.
type Delivery struct {
	Here      bool // the cluster has it, and it vouches for the workload
	Suspended bool
	Undoes    bool   // it puts back what others change in the workload
	Trouble   string // why it is not ready, in a word; empty where it is, or has not said
	Sources   []Upstream
}

// Upstream is where an Origin reads from.
type Upstream struct {
	Kind, Namespace, Name string
	State                 gate.Fact[Readiness]
}

// Readiness is what an object of Flux says of itself.
type Readiness struct {
	Suspended bool
	Trouble   string // as in Delivery
}

func lookDelivery(r Rollout) Result {
	o := r.New.Origin
	if o.Kind == "" {
		return Result{Idle: true}
	}
	d, known := r.World.Delivery.Get()
	switch {
	case !known && o.Guess, known && !d.Here:
		return Result{Idle: true}
	case !known:
		return Result{Unknown: []string{unread(o.String(), r.World.Delivery)}}
	}
	var out Result
	if f, ok := applied(r, d); ok {
		out.Findings = append(out.Findings, f)
	}
	for _, u := range d.Sources {
		state, known := u.State.Get()
		switch {
		case d.Suspended: // nothing comes from there
		case !known:
			out.Unknown = append(out.Unknown, unread(u.Kind+" "+name(u.Name), u.State))
		case state.Suspended || state.Trouble != "":
			out.Findings = append(out.Findings, u.ails(state, r.New.Ref.Namespace))
		}
	}
	return out
}

// deliveryCites is what every finding of the check was made from.
var deliveryCites = []string{EvidenceWorkload, EvidenceDelivery}

// applied finds what is wrong between the Origin and whoever asks.
func applied(r Rollout, d Delivery) (f gate.Finding, ok bool) {
	o := r.New.Origin
	what := o.tool() + "'s " + o.Kind + " " + inShort(o.Namespace, o.Name, r.New.Ref.Namespace)
	switch {
	case d.Suspended && !person(r.By):
		return found(pointsDelivery, gate.Recent, deliveryCites, "%s is suspended: it applies nothing until it is resumed", what), true
	case d.Suspended:
	case person(r.By) && d.Undoes && d.Trouble != "":
		return found(pointsUndone, gate.Recent, deliveryCites, "%s owns it, and will undo this once it is ready (%s)", what, name(d.Trouble)), true
	case person(r.By) && d.Undoes:
		return found(pointsUndone, gate.Recent, deliveryCites, "%s owns it and will undo this change", what), true
	case d.Trouble != "" && !o.writes(r.By):
		return found(pointsDelivery, gate.Recent, deliveryCites, "%s, which applies it, is not ready: %s", what, name(d.Trouble)), true
	}
	return gate.Finding{}, false
}

func (u Upstream) ails(state Readiness, home string) gate.Finding {
	called := name(u.Kind) + " " + inShort(u.Namespace, u.Name, home)
	if state.Suspended {
		return found(pointsDelivery, gate.Recent, deliveryCites, "its source, %s, is suspended", called)
	}
	return found(pointsDelivery, gate.Recent, deliveryCites, "its source, %s, is not ready: %s", called, name(state.Trouble))
}
