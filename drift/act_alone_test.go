package drift_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/drift"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/test/github"
)

// TestAnIntentIsClosedWhereThereIsNoGitHub has a process die over a pull request, and one that was given no GitHub come after it.
func TestAnIntentIsClosedWhereThereIsNoGitHub(t *testing.T) {
	h := newHarbour(t, map[string]string{"deploy/web.yaml": web})
	retagged(h, "1.5")
	h.github.Script(func(r github.Request) github.Fault {
		if r.Method != http.MethodGet {
			return github.Broken
		}
		return github.Fault{}
	})
	k := h.standing()
	if a := h.act(k); a.Phase != v1alpha1.PhaseActing {
		t.Fatalf("acting %s", asJSON(a))
	}
	next, _ := h.crew(t)
	alone := &acting.Acts{Face: drift.Leftovers{}, Client: next.Client, Log: next.Log, Cases: next.Cases, Guardrails: next.Guardrails, Actor: next.Actor,
		Reserve: next.Reserve, Settle: next.Settle, Ledger: next.Ledger, Use: next.Use, Now: h.now, Logger: slog.New(slog.DiscardHandler)}
	h.ok(alone.Complete())
	asked := len(h.github.Requests())
	h.actBy(alone, k)
	h.passed += 5 * time.Minute
	if a := h.actBy(alone, k); a.Phase != v1alpha1.PhaseActing {
		t.Errorf("while one that has a GitHub may still come: acting %s", asJSON(a))
	}
	h.passed += time.Hour
	a := h.actBy(alone, k)
	if a.Phase != v1alpha1.PhaseUnclear || !strings.Contains(a.Text, "--github-token-file") || len(h.github.Requests()) != asked {
		t.Errorf("acting %s; GitHub was asked %d times", asJSON(a), len(h.github.Requests())-asked)
	}
	h.anew()
	if a := h.actBy(alone, k); a.Phase != v1alpha1.PhaseUnclear || a.Attempts != 1 || len(h.github.Requests()) != asked {
		t.Errorf("looked at again: acting %s", asJSON(a))
	}
}
