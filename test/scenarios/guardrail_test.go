package scenarios

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestAGuardrailTakesEffectWithoutARestart: what an operator edits holds for the next rollout, both ways.
func TestAGuardrailTakesEffectWithoutARestart(t *testing.T) {
	t.Parallel()
	p := moored(t).place(t, usual("Warn"))
	out, err := p.kubectl(neverReady("warned"), "apply", "-f", "-")
	if err != nil || !strings.Contains(out, "Warning: moorgate: would be denied") {
		t.Fatalf("under Warn it is not let in with a warning: %v\n%s", err, out)
	}
	for i, edit := range []struct {
		to, patch string
		refused   bool
	}{
		{"Enforce", `{"spec":{"admission":{"mode":"Enforce"}}}`, true},
		{"paused", `{"spec":{"pause":[{"reason":"ana: release day"}]}}`, false},
		{"Enforce and no longer paused", `{"spec":{"pause":null}}`, true},
		{"Observe", `{"spec":{"admission":{"mode":"Observe"}}}`, false},
	} {
		if out, err := p.kubectl("", "patch", "guardrail", p.ns, "--type=merge", "-p", edit.patch); err != nil {
			t.Fatalf("edit the Guardrail to be %s: %v\n%s", edit.to, err, out)
		}
		try := 0
		p.eventually(t, "the Guardrail is "+edit.to, func() error {
			try++
			out, err := p.kubectl(neverReady(fmt.Sprintf("try-%d-%d", i, try)), "apply", "-f", "-")
			if refused := err != nil && strings.Contains(out, "is refused"); refused != edit.refused {
				return fmt.Errorf("a rollout that can never become ready: %w\n%s", err, out)
			}
			if edit.to == "Observe" && strings.Contains(out, "moorgate: ") {
				return errors.New("it still warns")
			}
			return nil
		})
	}
}
