package checks

import "testing"

func TestAvailability(t *testing.T) {
	strategy := func(replicas, unavailable int32) func(*Rollout) {
		return func(r *Rollout) { r.New.Replicas, r.New.MaxUnavailable = replicas, unavailable }
	}
	recreate := func(r *Rollout) { r.New.Recreate, r.New.MaxUnavailable = true, r.New.Replicas }
	stateful := func(r *Rollout) { r.New.Ref.Kind = "StatefulSet" }
	availabilityCheck.tell(t, []tale{
		{name: "one of three stays up", change: strategy(3, 2)},
		{name: "maxUnavailable covers all", change: strategy(3, 3), points: 20, text: "maxUnavailable 3 of 3 replicas"},
		{name: "a single replica that may go first", change: strategy(1, 1), points: 10},
		{name: "a single replica that is surged over", change: strategy(1, 0)},
		{name: "Recreate takes all down", change: recreate, points: 20, text: "all 3 replicas"},
		{name: "Recreate of one replica takes less", change: steps(strategy(1, 0), recreate), points: 10, text: "the only replica"},
		{name: "no replicas are no failure", change: steps(strategy(0, 0), recreate)},
		{name: "a StatefulSet of one has no other way", change: steps(strategy(1, 1), stateful)},
		{name: "a StatefulSet that takes all down has", change: steps(strategy(3, 3), stateful), points: 20},
		{name: "what is replaced by hand is left alone", change: steps(strategy(3, 3), func(r *Rollout) { r.New.OnDelete = true })},
	})
}
