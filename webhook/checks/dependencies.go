package checks

import (
	"time"

	"moorgate.dev/internal/gate"
)

// The law: what a workload talks to should be there and be well before a new version of it comes. It says what it talks to by
// the annotation moorgate.dev/depends-on, and by the hosts of its own namespace in its variables and arguments.
//
// A Service that does not exist may come yet (pending). One that selects pods and has no ready endpoint, a StatefulSet or a
// Deployment without a ready pod, and an external host whose last probe failed, are failures of the moment (recent): the
// change may be the cure. A bare word in a variable is a guess: where no Service is called so, it meant something else.
// A Service that selects the pods of this workload waits for the rollout itself, and is left alone.
//
// No value of a variable is ever told, for it may hold a password: only the name of the variable, and that of a Service that
// exists or is named by its full name.
var dependenciesCheck = Check{
	ID: Depended, Title: "What it depends on is well", Points: pointsDependency, Nature: gate.Pending,
	Law:  "Every Service, StatefulSet, Deployment and external host that the workload names as a dependency exists, and has a ready endpoint, a ready pod, or a last probe that succeeded. A bare word in a variable counts only if a Service of the namespace is called so. What could not be looked at is unknown.",
	look: lookDependencies,
}

// Depended is the ID of the findings about what the workload depends on.
const Depended = "dependencies"

// Late is whether what findings of this ID are about may come by itself.
func Late(id string) bool { return id == Missing || id == Depended }

// Health is how something that a workload depends on fares.
type Health struct {
	Missing  bool
	Down     string            // why it does not serve, empty where it does
	At       time.Time         // when it was probed; zero where it is read like everything else
	Selector map[string]string // of a Service
}

func lookDependencies(r Rollout) Result {
	needs := DependenciesOf(r.New)
	out := Result{Unknown: needs.Left, Idle: len(needs.List)+len(needs.Left) == 0}
	for _, n := range needs.List {
		fact := r.World.Dependencies[n.Dependency]
		health, known := fact.Get()
		switch {
		case !known:
			out.Unknown = append(out.Unknown, unread(n.Told(), fact))
		case ownService(r.New, health), health.Missing && n.Guess:
		default:
			if f, ill := ails(n, health); ill {
				out.Findings = append(out.Findings, f)
			}
		}
	}
	return out
}

func ails(n Needed, h Health) (gate.Finding, bool) {
	cites := []string{EvidenceWorkload, EvidenceDependencies}
	switch {
	case h.Missing:
		return found(pointsDependency, gate.Pending, cites, "%s does not exist, and it depends on it (%s)", n, name(n.Where)), true
	case h.Down == "":
		return gate.Finding{}, false
	case n.Kind == DependExternal:
		return found(pointsOutside, gate.Recent, cites, "%s: %s, at %s", n, h.Down, h.At.UTC().Format(time.TimeOnly+" UTC")), true
	}
	return found(pointsDependency, gate.Recent, cites, "%s %s (%s)", n, h.Down, name(n.Where)), true
}

// ownService is whether a Service leads to the pods of this very workload.
func ownService(w Workload, h Health) bool {
	for k, v := range h.Selector {
		if got, ok := w.Template.Labels[k]; !ok || got != v {
			return false
		}
	}
	return len(h.Selector) > 0
}
