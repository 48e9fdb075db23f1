package scenarios

import (
	"errors"
	"fmt"
	"slices"

	"moorgate.dev/webhook"
)

// checkParts says what the parts of a story lack to prove anything.
func (s story) checkParts() error {
	var errs []error
	must := func(holds bool, otherwise string) {
		if !holds {
			errs = append(errs, errors.New(otherwise))
		}
	}
	must(s.prose != "", "it has no prose")
	for _, c := range s.waits {
		must(len(c.Pods) > 0 && c.Are != "" && c.AtLeast > 0, "wait.yaml: a condition needs pods, are and atLeast")
	}
	_, twin := s.parts["twin.yaml"]
	_, later := s.parts["later.yaml"]
	must(!twin || !later, "twin.yaml and later.yaml exclude each other")
	must(s.fails() || twin || later, "a success story needs a bad twin, or later.yaml: what else would show that it is not true of nothing?")
	must((twin || later) == (len(s.want.Twin) > 0), "want.yaml: twin goes with twin.yaml or later.yaml, and only with them")
	lives := s.parts["world.yaml"]+s.parts["before.yaml"]+s.parts["past.yaml"] != ""
	must(!lives || s.want.Answer != webhook.Admitted || len(s.want.Twin) > 0,
		"Admitted and without a twin: nothing would show that the gate had seen past.yaml, before.yaml and world.yaml; lower warnBelow or add a twin")
	if _, err := s.change(); err != nil {
		errs = append(errs, err)
	}
	if _, err := s.guardrail(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// checkWant says what in want.yaml makes no sense.
func (s story) checkWant() error {
	var errs []error
	w := s.want
	if !slices.Contains([]string{webhook.Admitted, webhook.Warned, webhook.Denied}, w.Answer) {
		errs = append(errs, fmt.Errorf("want.yaml: answer %q", w.Answer))
	}
	if w.Score == nil && w.ScoreAtLeast == nil && w.ScoreAtMost == nil {
		errs = append(errs, errors.New("want.yaml: no score, scoreAtLeast or scoreAtMost"))
	}
	ids := checkIDs()
	for id, text := range w.Findings {
		if !slices.Contains(ids, id) || text == "" || slices.Contains(w.Absent, id) {
			errs = append(errs, fmt.Errorf("want.yaml: findings: %s is no check, is without text, or is absent too", id))
		}
	}
	for _, id := range w.Absent {
		if !slices.Contains(ids, id) {
			errs = append(errs, fmt.Errorf("want.yaml: absent: %s is no check", id))
		}
	}
	if s.check == aRule {
		if s.fails() != (len(w.Says) > 0) {
			errs = append(errs, errors.New("want.yaml: what a rule says stands in says in a failure story, and in no success story"))
		}
	} else if _, found := w.Findings[s.check]; found != s.fails() {
		errs = append(errs, fmt.Errorf("want.yaml: findings hold %s in a failure story, and in no success story", s.check))
	}
	return errors.Join(errs...)
}
