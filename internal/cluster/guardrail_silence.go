package cluster

import (
	"fmt"
	"time"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// readSilences reads what is left alone for a while. One of which nobody can say when it ends makes the Guardrail unreadable: it was
// meant to hold something.
func readSilences(r *gate.Rail, s v1alpha1.GuardrailSpec) error {
	for i, x := range s.Silences {
		until, err := time.Parse(time.RFC3339, x.Until)
		switch {
		case err != nil:
			return fmt.Errorf("silences[%d].until %q is no time such as 2026-12-01T08:00:00Z", i, gate.OneLine(x.Until, 40))
		case x.By == "" || x.Why == "":
			return fmt.Errorf("silences[%d] does not say by whom it is, and why", i)
		}
		r.Silences = append(r.Silences, gate.Silence{Namespace: x.Namespace, Workload: x.Workload, Symptom: x.Symptom, Until: until,
			By: gate.OneLine(x.By, 128), Why: gate.OneLine(x.Why, 256)})
	}
	return nil
}
