package cluster

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"time"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// verbs are the actions that there are.
var verbs = []string{"evict", "roll-back", "pull-request"}

func readActions(r *gate.Rail, s v1alpha1.GuardrailSpec) error {
	for i, a := range s.Actions {
		at := fmt.Sprintf("actions[%d]", i)
		if !slices.Contains(verbs, a.Verb) {
			return fmt.Errorf("%s.verb %q is not one of evict, roll-back, pull-request", at, a.Verb)
		}
		if slices.ContainsFunc(r.Actions, func(p gate.Permitted) bool { return p.Verb == a.Verb }) {
			return fmt.Errorf("%s: %s is there twice", at, a.Verb)
		}
		if a.Irreversible != "Ask" && a.Irreversible != "Allow" {
			return fmt.Errorf("%s.irreversible %q is not one of Ask, Allow", at, a.Irreversible)
		}
		p := gate.Permitted{Verb: a.Verb, Kinds: a.Kinds, Irreversible: a.Irreversible == "Allow"}
		for j, b := range a.Bounds {
			bound, err := readBound(b)
			if err != nil {
				return fmt.Errorf("%s.bounds[%d]: %w", at, j, err)
			}
			p.Bounds = append(p.Bounds, bound)
		}
		r.Actions = append(r.Actions, p)
	}
	return nil
}

// quantities are those that the schema lets a bound have. The rules read each of them.
var quantities = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$`)

func readBound(b v1alpha1.FieldBound) (gate.Bound, error) {
	bound := gate.Bound{Field: b.Field, Min: b.Min, Max: b.Max}
	if b.Field == "" {
		return bound, fmt.Errorf("field is not set")
	}
	for _, q := range []struct{ name, text string }{{"min", b.Min}, {"max", b.Max}} {
		if q.text != "" && (len(q.text) > 20 || !quantities.MatchString(q.text)) {
			return bound, fmt.Errorf("%s %q is no quantity such as 2, 500m or 1Gi", q.name, q.text)
		}
	}
	if b.ChangePercent != nil {
		bound.Change = int(*b.ChangePercent)
		if bound.Change < 1 || bound.Change > 1000 {
			return bound, fmt.Errorf("changePercent is %d, which is not between 1 and 1000", bound.Change)
		}
	}
	return bound, nil
}

// readDrift reads which way drift is settled. What is not set, as by a schema from before it could be, is reported, and never held.
func readDrift(r *gate.Rail, s v1alpha1.GuardrailSpec) error {
	d := s.Drift
	if err := r.Drift.Direction.UnmarshalText([]byte(d.Direction)); err != nil || (d.Direction != "" && r.Drift.Direction.String() != d.Direction) {
		return fmt.Errorf("drift.direction %q is not one of Report, Revert, Adopt", d.Direction)
	}
	switch d.Adopt {
	case "", "Emergency":
	case "Any":
		r.Drift.Any = true
	default:
		return fmt.Errorf("drift.adopt %q is not one of Emergency, Any", d.Adopt)
	}
	holdFor, err := duration(cmp.Or(d.HoldFor, "4h"), time.Minute, gate.HoldMost, "drift.holdFor")
	switch {
	case err != nil:
		return err
	case d.Hold == "Ask":
		r.Drift.HoldFor = holdFor
	case d.Hold != "" && d.Hold != "Never":
		return fmt.Errorf("drift.hold %q is not one of Never, Ask", d.Hold)
	}
	return nil
}
