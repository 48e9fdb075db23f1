package causes

import "moorgate.dev/internal/gate"

// The law: a rollout stands still with pods of the newest revision of which none is ready, beside pods of an earlier one that are. So it
// is not the cluster, which lets the earlier ones be, but what changed. Where the new pods show a symptom of their own, that is told of
// them, with its cause, and this is not opened: it is left for pods that flap, or that nobody has waited for long enough. It looks like
// old pods that do not go (old-pods-linger): there the new ones are ready, or have no room yet.
//
// Going back is a cure, for whoever rolls it out.
var badRevision = Cause{
	Doc: gate.Doc{ID: "bad-revision", Since: "v0.1", Title: "The new revision does not become ready",
		Text: "A rollout makes no progress: no pod of the newest revision is ready, and pods of the one before are."},
	Symptoms: []Symptom{RolloutStuck}, Points: 20, Sure: 85, cites: []string{EvidenceRollout},
	explainsObject: func(w World, _ Object) bool {
		r := w.Rollout
		return r != nil && r.Fresh > 0 && r.FreshReady == 0 && r.OthersReady > 0
	},
	tell: func(w World, _ Explained) string {
		return sentence("%s makes no progress: none of %s of the new revision is ready; %d of the one before are", crowd(w, 1), plural(w.Rollout.Fresh, "pod"), w.Rollout.OthersReady)
	},
}
