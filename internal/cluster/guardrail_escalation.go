package cluster

import (
	"context"
	"fmt"
	"slices"

	"moorgate.dev/api/v1alpha1"
)

// Receivers are the names of those whom the Guardrails of a namespace have told, each once and in order. An error names Guardrails that
// may name others too, because they cannot be read; the names that are known come with it.
func (g Guardrails) Receivers(ctx context.Context, namespace string) ([]string, error) {
	guardrails, of, unseen, err := g.read(ctx, namespace)
	if err != nil {
		return nil, err
	}
	var names, unread []string
	for i := range guardrails {
		u := &guardrails[i]
		selector, err := selectorOf(u)
		if err == nil {
			m, wrong := matcher(selector)
			if err = wrong; err == nil && !m.Matches(of) && !unseen {
				continue
			}
		}
		// The selector and the names are all that this is about: whatever else of a Guardrail cannot be read, they are told.
		var e v1alpha1.Escalation
		if spec, ok := u.Object["spec"].(map[string]any); ok && spec["escalation"] != nil && err == nil {
			err = strictly(spec["escalation"], &e)
		}
		if err != nil {
			unread = append(unread, u.GetName())
		}
		names = append(names, e.Receivers...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(unread) > 0 {
		return names, fmt.Errorf("whom Guardrails %q have told cannot be read", unread)
	}
	return names, nil
}
