package remediate_test

import (
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/gate"
)

func TestAnEvictionHeals(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail()
	pod := h.ill("web", 3)
	h.judging()
	dir, stop := h.acting()
	a := h.acted("web", v1alpha1.PhaseHealed)
	if h.stands(pod) || a.Attempts != 1 || a.Intent.Target.UID != string(pod.UID) || a.Intent.Well != 2 {
		t.Errorf("acting %+v, the pod stands: %t", a, h.stands(pod))
	}
	if s := h.spent(); len(s) != 1 || s[0].Result != gate.ResultHealed || s[0].Cause != "application-error" || s[0].ID != a.Intent.Reservation {
		t.Errorf("the ledger has %+v", s)
	}
	stop()
	records, err := read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if kinds := kindsOf(records); !slices.Equal(kinds, []gate.RecordKind{gate.RecordIntent, gate.RecordOutcome, gate.RecordVerification}) {
		t.Errorf("the log has %v", kinds)
	}
}

func TestAPodThatIsNoBetterIsLeftToAHuman(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail()
	h.ill("web", 3)
	known := uids(h.pods("web", 3, every))
	h.judging()
	reached, goOn := make(chan struct{}), make(chan struct{})
	h.acting(func(a *assembly) {
		a.at = func(point string) {
			if point == afterReply {
				close(reached)
				<-goOn
			}
		}
	})
	<-reached
	var next corev1.Pod
	for _, p := range h.pods("web", 3, ready) {
		if !known[p.UID] {
			next = p // the one that came in its place
		}
	}
	h.sicken(&next)
	close(goOn)
	a := h.acted("web", v1alpha1.PhaseIneffective)
	if s := h.spent(); len(s) != 1 || s[0].Result != gate.ResultIneffective {
		t.Errorf("the ledger has %+v", s)
	}
	h.overTwoSweeps()
	if again := h.acted("web", v1alpha1.PhaseIneffective); again.Attempts != 1 || !h.stands(next) {
		t.Errorf("it went on: %+v after %+v", again, a)
	}
}

// TestADisruptionBudgetIsHeeded shows that the API server's refusal is a result, and not tried again at once.
func TestADisruptionBudgetIsHeeded(t *testing.T) {
	h := newHouse(t)
	h.trusted()
	h.guardrail()
	all := intstr.FromString("100%")
	h.create(&policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: "web"}, Spec: policyv1.PodDisruptionBudgetSpec{
		MinAvailable: &all, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}}})
	pod := h.ill("web", 3)
	h.judging()
	h.acting()
	a := h.acted("web", v1alpha1.PhaseRefused)
	if !h.stands(pod) {
		t.Error("it was evicted all the same")
	}
	if s := h.spent(); len(s) != 1 || s[0].Result != gate.ResultRefused {
		t.Errorf("the ledger has %+v", s)
	}
	h.overTwoSweeps()
	if again := h.acted("web", v1alpha1.PhaseRefused); again.Attempts != 1 || again.Text != a.Text {
		t.Errorf("it went on: %+v after %+v", again, a)
	}
}

// TestALostReplyIsNotTriedAgain shows an eviction of which no answer comes: what became of it is found out by looking, and it is not
// sent again either way.
func TestALostReplyIsNotTriedAgain(t *testing.T) {
	lost := errors.New("connection reset by peer")
	for name, c := range map[string]struct {
		answer  func(next http.RoundTripper, req *http.Request) (*http.Response, error)
		evicted bool
		phase   string
		ledger  gate.Result
	}{
		"it was done": {func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(req)
			if err != nil {
				return nil, err
			}
			resp.Body.Close()
			return nil, lost
		}, true, v1alpha1.PhaseHealed, gate.ResultHealed},
		"it never arrived": {func(http.RoundTripper, *http.Request) (*http.Response, error) { return nil, lost }, false, v1alpha1.PhaseRefused, gate.ResultRefused},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.trusted()
			h.guardrail()
			pod := h.ill("web", 3)
			before := uids(h.pods("web", 3, every))
			h.judging()
			var sent atomic.Int32
			dir, stop := h.acting(func(a *assembly) {
				a.answer = func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
					sent.Add(1)
					return c.answer(next, req)
				}
			})
			a := h.acted("web", c.phase)
			h.overTwoSweeps()
			stop()
			if n := gone(before, uids(h.pods("web", 3, every))); sent.Load() != 1 || h.stands(pod) == c.evicted || n > 1 || a.Attempts != 1 {
				t.Errorf("it was sent %d times, %d pods are gone, the ill one stands: %t, %+v", sent.Load(), n, h.stands(pod), a)
			}
			if s := h.spent(); len(s) != 1 || s[0].Result != c.ledger {
				t.Errorf("the ledger has %+v", s)
			}
			if err := h.paired(dir, []gate.Outcome{gate.OutcomeUnknown}); err != nil {
				t.Error(err)
			}
			if report, err := audit.Verify(dir); err != nil || len(report.Open) > 0 {
				t.Errorf("open intents %v: %v", report.Open, err)
			}
		})
	}
}
