package scenarios

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
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
				return fmt.Errorf("a rollout that can never become ready is refused: %t\n%s", refused, out)
			}
			if edit.to == "Observe" && strings.Contains(out, "moorgate: ") {
				return errors.New("it still warns")
			}
			return nil
		})
	}
}

// TestWhatStandsIsAnnotatedOnceAGuardrailWantsIt: in Observe a rollout is judged and not annotated; it is, without another
// change to it, once the Guardrail says Warn.
func TestWhatStandsIsAnnotatedOnceAGuardrailWantsIt(t *testing.T) {
	t.Parallel()
	p := moored(t).place(t, usual("Warn"))
	admission := func(mode string) {
		patch := `{"spec":{"admission":{"mode":"` + mode + `"}}}`
		if out, err := p.kubectl("", "patch", "guardrail", p.ns, "--type=merge", "-p", patch); err != nil {
			t.Fatalf("edit the Guardrail: %v\n%s", err, out)
		}
	}
	admission("Observe")
	p.rehearse("a rollout that nobody warns about any more", neverReady("quiet"), func(out string) error {
		if strings.Contains(out, "moorgate: ") {
			return errors.New("it still warns")
		}
		return nil
	})
	p.apply("a sound rollout", sound("web"))
	if _, err := p.newCase("Deployment", "web", nil); err != nil {
		t.Fatal(err)
	}
	admission("Warn")
	p.eventually(t, "the rollout is annotated", func() error {
		cases, err := p.cases("webhook", "Deployment", "web")
		if err != nil || len(cases) != 1 {
			return fmt.Errorf("%d Cases (%w)", len(cases), err)
		}
		var d appsv1.Deployment
		if err := p.admin.Get(t.Context(), client.ObjectKey{Namespace: p.ns, Name: "web"}, &d); err != nil {
			return err
		}
		return marked(&d, cases[0])
	})
}
