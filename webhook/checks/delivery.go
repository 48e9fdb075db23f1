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
	what := o.tool() + "'s " + o.Kind + " " + inShort(o.Namespace, o.Name, r.New.Ref.Namespace)
	cites := []string{EvidenceWorkload, EvidenceDelivery}
	say := func(points int, format string, args ...any) {
		out.Findings = append(out.Findings, found(points, gate.Recent, cites, format, args...))
	}
	switch {
	case d.Suspended && !person(r.By):
		say(pointsDelivery, "%s is suspended: it applies nothing until it is resumed", what)
	case d.Suspended:
	case person(r.By) && d.Undoes && d.Trouble != "":
		say(pointsUndone, "%s owns it, and will undo this once it is ready (%s)", what, name(d.Trouble))
	case person(r.By) && d.Undoes:
		say(pointsUndone, "%s owns it and will undo this change", what)
	case d.Trouble != "" && !o.writes(r.By):
		say(pointsDelivery, "%s, which applies it, is not ready: %s", what, name(d.Trouble))
	}
	if d.Suspended {
		return out
	}
	for _, u := range d.Sources {
		called := name(u.Kind) + " " + inShort(u.Namespace, u.Name, r.New.Ref.Namespace)
		state, known := u.State.Get()
		switch {
		case !known:
			out.Unknown = append(out.Unknown, unread(called, u.State))
		case state.Suspended:
			say(pointsDelivery, "its source, %s, is suspended", called)
		case state.Trouble != "":
			say(pointsDelivery, "its source, %s, is not ready: %s", called, name(state.Trouble))
		}
	}
	return out
}
