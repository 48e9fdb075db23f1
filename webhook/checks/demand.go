package checks

import corev1 "k8s.io/api/core/v1"

// stage is a moment of a rollout: how many pods of the old and of the new shape there are at once.
type stage struct{ old, new int64 }

// stages returns the two moments at which the rollout asks for most: when the first new pods come beside the old ones, and
// when all new pods are there and the last surge of old ones is not gone yet. Between the two the total is never more,
// because it is bounded by replicas plus surge throughout and each step swaps old for new.
func stages(r Rollout, wanted int64) []stage {
	w := r.New
	if w.Once {
		if w.Paused {
			return nil // a suspended Job has no pods, a suspended CronJob makes none
		}
		return []stage{{new: wanted}}
	}
	if w.Paused {
		if r.Old == nil {
			return nil
		}
		return []stage{{old: wanted}} // a paused Deployment still scales what it has
	}
	if r.Old == nil {
		return []stage{{new: wanted}}
	}
	before := int64(r.Old.Replicas)
	if !TemplateChanged(r.Old, w) {
		return []stage{{new: wanted}}
	}
	surge := int64(w.MaxSurge)
	switch {
	case w.Recreate, w.OnDelete:
		return []stage{{new: wanted}}
	case w.Ref.Kind == "StatefulSet":
		kept := min(int64(w.Partition), wanted) // ordinals below the partition stay as they are
		return []stage{{old: kept, new: wanted - kept}}
	}
	first := stage{old: before, new: min(wanted, max(0, wanted+surge-before))}
	last := stage{old: min(surge, before), new: wanted}
	return []stage{first, last}
}

// patient returns the stages of the same rollout when its surge finds no place and it must first take down as many old
// pods as it may be without. ok is false where it may not be without any: then it does not get on at all. A Job's pods make
// place for each other by ending.
func patient(r Rollout, wanted int64) ([]stage, bool) {
	if r.New.Once {
		return []stage{{new: min(1, wanted)}}, wanted > 1
	}
	if r.Old == nil || r.New.Paused || r.New.MaxUnavailable == 0 {
		return nil, false
	}
	before := int64(r.Old.Replicas)
	gone := min(before, int64(r.New.MaxUnavailable))
	return []stage{{old: before - gone, new: min(1, wanted)}, {new: wanted}}, true
}

// wanted is how many pods the workload should have. That of a DaemonSet that was never counted is the number of nodes that
// suit it; ok is false where these are not known.
func wanted(r Rollout, pod *corev1.Pod) (n int64, ok bool) {
	if r.New.Ref.Kind != "DaemonSet" || r.New.Replicas > 0 {
		return int64(r.New.Replicas), true
	}
	nodes, known := r.World.Nodes.Get()
	if !known {
		return 0, false
	}
	return int64(many(newFinder(pod, true).suiting(nodes))), true
}
