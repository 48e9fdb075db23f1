package webhook

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

func TestOnlySoManyRolloutsAreJudgedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, rail(gate.AdmissionEnforce))
		b.turns.size = 2
		look, hold := b.Look, make(chan struct{})
		b.Look = func(ctx context.Context, old, new runtime.Object) (checks.Rollout, []gate.Evidence, []string, error) {
			<-hold
			return look(ctx, old, new)
		}
		send := func(dry bool) chan string {
			said := make(chan string, 1)
			req := request(t, admissionv1.Create, nil, poor("shop", "web"))
			req.DryRun = &dry
			go func() {
				resp := b.Handle(t.Context(), req)
				switch {
				case !resp.Allowed:
					said <- "denied"
				case strings.Contains(strings.Join(resp.Warnings, ""), "not scored"):
					said <- "not scored"
				default:
					said <- "let in"
				}
			}()
			synctest.Wait()
			return said
		}
		dry := send(true)
		second := send(true) // dry runs take no more than half of the places
		real := send(false)
		late := send(false)
		time.Sleep(turnBudget)
		synctest.Wait()
		for name, said := range map[string]chan string{"a second dry run": second, "a third rollout": late} {
			if got := <-said; got != "not scored" {
				t.Errorf("%s is %s, want it let in unjudged: a failure of ours never denies", name, got)
			}
		}
		close(hold)
		if got := <-dry; got != "let in" {
			t.Errorf("a dry run is %s", got)
		}
		if got := <-real; got != "denied" {
			t.Errorf("the rollout is %s", got)
		}
		if got := <-send(false); got != "denied" {
			t.Errorf("once there is room again a rollout is %s", got)
		}
	})
}
