package causes

import "moorgate.dev/internal/gate"

// The law: a LimitRange has a least and a most for what one container or pod asks for, and the API server's answer says so in fixed words.
// It is told apart from a quota, which is about all pods of the namespace together.
//
// Going back is a cure where the revision before stayed inside, for whoever rolls it out.
var limitRange = Cause{
	Doc: gate.Doc{ID: "limit-range", Since: "v0.1", Title: "Its pods are outside of what a LimitRange allows",
		Text: "The API server refuses the pods because a container asks for more, or less, than a LimitRange of the namespace allows."},
	Symptoms: []Symptom{PodsRefused}, Points: 20, Sure: 80, cites: []string{EvidenceRefusal},
	explainsObject: func(w World, _ Object) bool { return w.refused(RefusedByLimits) },
	tell: func(w World, _ Explained) string {
		return sentence("%s may create no pods: they are outside of what a LimitRange of namespace %s allows", crowd(w, 1), w.Root.Namespace)
	},
}
