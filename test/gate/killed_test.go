package gate

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"moorgate.dev/api/v1alpha1"
)

// TestAPartIsKilledWhileAClientWaits shows that a wait outlives the processes that keep it.
func TestAPartIsKilledWhileAClientWaits(t *testing.T) {
	h := moored(t)
	t.Run("the judge: the model is asked anew, on the same Case, and the client that still waits gets the answer", func(t *testing.T) {
		ns := h.place(t, "onPending: Retry, pendingFor: 1m", against(4*time.Second))
		said := h.applying(t, deployment(ns, "web", "shop/backup:9.9.9"))
		h.asks(t, ns)
		h.part(judge).Kill()
		h.again(t, judge)
		out := <-said
		if !strings.Contains(out, "another product") {
			t.Errorf("%s", out)
		}
		h.ended(t, ns, "web", "Denied")
		h.absent(t, ns, "web")
		if asked := h.questions(ns); asked != 2 {
			t.Errorf("the model was asked %d times", asked)
		}
	})
	t.Run("the judge, and none comes in its place: the checks alone decide at the deadline, and say so", func(t *testing.T) {
		ns := h.place(t, "onPending: Retry, pendingFor: 12s", sound(20*time.Second))
		said := h.applying(t, deployment(ns, "web", "shop/web:1.4.2"))
		h.waits(t, ns, "web", 1)
		h.part(judge).Stop()
		out := <-said
		h.again(t, judge)
		if !strings.Contains(out, "the checks alone decided") {
			t.Errorf("%s", out)
		}
		h.ended(t, ns, "web", "Admitted")
	})
	for _, name := range webhooks {
		t.Run("the "+name+" webhook: the other answers by the same rule", func(t *testing.T) {
			h.eventually(t, "a model can be asked", h.canAsk(t))
			ns := h.place(t, "onPending: Retry, pendingFor: 30s", against(5*time.Second))
			said := h.applying(t, deployment(ns, "web", "shop/backup:9.9.9"))
			h.waits(t, ns, "web", 1)
			h.part(name).Kill()
			out := <-said
			h.again(t, name)
			h.answered(t, ns, out)
		})
	}
	h.eventually(t, "a model can be asked", h.canAsk(t))
}

// answered shows that a change was kept out by the rule, or else that it is written down that nobody was asked: the API server lets in what
// it was about to ask in the moment of the death.
func (h *house) answered(t *testing.T, ns, out string) {
	t.Helper()
	if strings.Contains(out, "another product") {
		h.ended(t, ns, "web", "Denied")
		h.absent(t, ns, "web")
		return
	}
	t.Logf("it slipped through: %s", out)
	h.eventually(t, "a Case says that it slipped through", func() error {
		all := h.cases(t, ns, "web")
		if !slices.ContainsFunc(all, func(c v1alpha1.Case) bool { return c.Spec.Answer.Said == "SlippedThrough" }) {
			return fmt.Errorf("%s: %v", out, keys(all))
		}
		return nil
	})
}

// TestL25OneOfTwoReplicasRestartsUnderLoadAndNoCallFails shows that an orderly restart of each replica in turn loses no question.
func TestL25OneOfTwoReplicasRestartsUnderLoadAndNoCallFails(t *testing.T) {
	h := moored(t)
	ns := h.place(t, "onPending: Retry", sound(0))
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	var calls, failed atomic.Int64
	for i := range 8 {
		caller := h.caller(t)
		load.Go(func() {
			for ctx.Err() == nil {
				r := review(t, nil, parsed(t, deployment(ns, fmt.Sprintf("web-%d", i), "shop/web:1.4.2")), true)
				resp, err := call(caller, h.balancer.address(), r)
				if calls.Add(1); err != nil || !resp.Allowed || resp.Result.Code != http.StatusOK {
					failed.Add(1)
					t.Errorf("%v, %v", resp, err)
				}
				time.Sleep(5 * time.Millisecond) // two processors are shared with what answers
			}
		})
	}
	for _, name := range webhooks {
		before := calls.Load()
		h.eventually(t, "there is load", func() error {
			if n := calls.Load() - before; n < 50 {
				return fmt.Errorf("%d calls", n)
			}
			return nil
		})
		h.part(name).Stop()
		h.again(t, name)
	}
	stop()
	load.Wait()
	t.Logf("%d calls, %d failed", calls.Load(), failed.Load())
	h.eventually(t, "a model can be asked", h.canAsk(t))
}
