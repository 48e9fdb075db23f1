package webhook

import (
	"encoding/json"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

const markID = "annotate" // on the menu

// mark plans the annotations of a rollout. All of them are in the plan, changed or not, because server-side apply takes away
// what its owner leaves out. The returned bool is whether any changes.
func mark(ref gate.Ref, has map[string]string, c *v1alpha1.Case, hash string) (gate.Action, bool) {
	o := latest(c)
	a := gate.Action{ID: markID, Verb: cluster.VerbAnnotate, Reach: gate.ReachMark, Target: ref, Text: "write the verdict onto the rollout"}
	changes := false
	for _, m := range [...]struct{ name, value string }{
		{v1alpha1.AnnotationScore, scoreOf(o)}, {v1alpha1.AnnotationVerdict, o.Decision},
		{v1alpha1.AnnotationCase, c.Name}, {v1alpha1.AnnotationTemplate, hash},
	} {
		e := gate.Edit{Path: cluster.AnnotationPath(m.name), New: quote(m.value)}
		if old, ok := has[m.name]; ok {
			e.Old = quote(old)
		}
		changes = changes || e.Old != e.New
		a.Edits = append(a.Edits, e)
	}
	return a, changes
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""` // a string can always be written
	}
	return string(b)
}
