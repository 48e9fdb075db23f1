package policies

import (
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/policies/times"
)

// checkSense checks what no schema can say about a spec whose fields are in order: that labels can be labels, and that there
// are such schedules, zones and times. The API server stores a Guardrail that fails here; it then holds what it applies to.
func (r *reader) checkSense(spec *yaml.Node, s props) {
	selector := child(spec, "namespaceSelector")
	if matched := child(selector, "matchLabels"); matched != nil {
		for i := 0; i+1 < len(matched.Content); i += 2 {
			at := ".spec.namespaceSelector.matchLabels." + matched.Content[i].Value
			r.checkWrong(matched.Content[i], at, validation.IsQualifiedName(matched.Content[i].Value))
			r.checkWrong(matched.Content[i+1], at, validation.IsValidLabelValue(matched.Content[i+1].Value))
		}
	}
	for i, requirement := range entries(child(selector, "matchExpressions")) {
		at := fmt.Sprintf(".spec.namespaceSelector.matchExpressions[%d]", i)
		key := child(requirement, "key")
		r.checkWrong(key, at+".key", validation.IsQualifiedName(key.Value))
		for _, value := range entries(child(requirement, "values")) {
			r.checkWrong(value, at+".values", validation.IsValidLabelValue(value.Value))
		}
	}
	for i, item := range entries(child(spec, "freeze")) {
		w := v1alpha1.FreezeWindow{Schedule: text(item, "schedule"), Duration: text(item, "duration"),
			TimeZone: orDefault(item, *s.Properties["freeze"].Items.Schema, "timeZone")}
		if err := times.Check(w); err != nil {
			r.say(item, fmt.Sprintf(".spec.freeze[%d]", i), "%v", err)
		}
	}
	for i, item := range entries(child(spec, "silences")) {
		if _, err := time.Parse(time.RFC3339, text(item, "until")); err != nil {
			r.say(item, fmt.Sprintf(".spec.silences[%d].until", i), "%q is no time such as 2026-12-01T08:00:00Z", text(item, "until"))
		}
	}
}

func (r *reader) checkWrong(n *yaml.Node, path string, wrong []string) {
	if len(wrong) > 0 {
		r.say(n, path, "%q: %s", n.Value, wrong[0])
	}
}

// entries are the items of a list, none of a nil one.
func entries(list *yaml.Node) []*yaml.Node {
	if list == nil {
		return nil
	}
	return list.Content
}
