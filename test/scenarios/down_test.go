package scenarios

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook"
)

// Tests that end Moorgate are the ones that are not parallel: they come first, alone.

// TestWhileNobodyAnswersRolloutsGoInAndAreScoredAfterwards: a gate that is away stops nobody, and forgets nobody.
func TestWhileNobodyAnswersRolloutsGoInAndAreScoredAfterwards(t *testing.T) {
	h := moored(t)
	p := h.place(t, usual("Enforce"))
	p.apply("a rollout while the gate answers", sound("before"))
	if _, err := p.newCase("Deployment", "before", nil); err != nil {
		t.Fatal(err)
	}

	h.kill(t)
	for name, manifest := range map[string]string{"sound": sound("sound"), "never-ready": neverReady("never-ready"),
		"before": neverReady("before")} { // one that was judged, and changes while nobody looks
		if out, err := p.kubectl(manifest, "apply", "-f", "-"); err != nil {
			t.Fatalf("%s does not go in while the gate is away: %v\n%s", name, err, out)
		}
	}
	if err := h.start(t.Context()); err != nil {
		t.Fatal(err)
	}

	for name, decision := range map[string]string{"sound": "Allow", "never-ready": "Deny", "before": "Deny"} {
		h.eventually(t, name+" is marked as having slipped through, and scored", func() error { return p.slipped(name, decision) })
	}
	if out, err := p.kubectl(neverReady("after"), "apply", "-f", "-"); err == nil {
		t.Errorf("the gate is back and lets in what it refused before:\n%s", out)
	}
}

// slipped says whether a Deployment has a Case that says so, with that decision, and carries it.
func (p *place) slipped(name, decision string) error {
	cases, err := p.cases(gate.FaceWebhook, "Deployment", name)
	if err != nil {
		return err
	}
	seen := []string{}
	for _, c := range cases {
		if seen = append(seen, c.Spec.Answer.Said+"/"+c.Status.Decision); c.Spec.Answer.Said != webhook.SlippedThrough || c.Status.Answer == "" {
			continue
		}
		if c.Status.Decision != decision {
			return fmt.Errorf("decision %s, want %s", c.Status.Decision, decision)
		}
		var d appsv1.Deployment
		if err := p.admin.Get(p.t.Context(), client.ObjectKey{Namespace: p.ns, Name: name}, &d); err != nil {
			return err
		}
		return marked(&d, c)
	}
	return fmt.Errorf("its Cases are %v", seen)
}
