package webhook

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"moorgate.dev/internal/gate"
)

func strict() gate.Policy {
	p := rail(gate.AdmissionEnforce)
	p.Rails[0].DenyPending, p.Rails[0].DenyBelow, p.Rails[0].WarnBelow = true, gate.Known(90), gate.Known(95)
	return p
}

// answersOf sends a request as a client does that waits when it is told to, and returns the codes it got.
func answersOf(t *testing.T, b bench, req admission.Request) (codes []int32, waited time.Duration) {
	for range 11 {
		resp := b.Handle(t.Context(), req)
		codes = append(codes, resp.Result.Code)
		if resp.Result.Code != http.StatusTooManyRequests {
			return codes, waited
		}
		d := time.Duration(resp.Result.Details.RetryAfterSeconds) * time.Second
		time.Sleep(d)
		waited += d
	}
	t.Fatalf("a client would have given up: %v", codes)
	return nil, 0
}

func waitingBench(t *testing.T, exists func(name string) gate.Fact[bool]) bench {
	b := newBench(t, strict())
	b.Sight.Now, b.Waits.Now = time.Now, time.Now
	prober := &SecretProber{Now: time.Now, Ask: func(_ context.Context, _, name string) gate.Fact[bool] { return exists(name) }}
	go func() { _ = prober.Start(t.Context()) }()
	b.Look = World{Reader: b.shelf, Secrets: prober, Now: time.Now}.Look
	b.Handler.Secrets = prober
	return b
}

func TestWhatMayBeLateIsWaitedForAndThenDenied(t *testing.T) {
	for name, tt := range map[string]struct {
		after  time.Duration // when the Secret appears; 0 is never
		change func(*admission.Request)
		last   int32
		times  int // answers
	}{
		"a Secret that never comes is denied in the end":     {last: http.StatusForbidden, times: len(waits) + 1},
		"a Secret that comes a second later is waited for":   {after: 1500 * time.Millisecond, last: http.StatusOK},
		"a Secret that is there but not known yet costs one": {after: 1, last: http.StatusOK, times: 2},
		"a dry run never waits":                              {last: http.StatusOK, times: 1, change: func(r *admission.Request) { r.DryRun = new(true) }},
		"a controller never waits":                           {last: http.StatusOK, times: 1, change: func(r *admission.Request) { r.UserInfo.Username = "system:serviceaccount:kube-system:x" }},
		"a part of the control plane never waits":            {last: http.StatusOK, times: 1, change: func(r *admission.Request) { r.UserInfo.Username = "system:kube-controller-manager" }},
		"nor does who changes what a controller owns": {last: http.StatusOK, times: 1, change: func(r *admission.Request) {
			d := withSecret(deployment("shop", "web"), "late")
			d.OwnerReferences = []metav1.OwnerReference{{APIVersion: "x/v1", Kind: "App", Name: "a", UID: "u", Controller: new(true)}}
			r.Object = request(t, admissionv1.Create, nil, d).Object
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				b := waitingBench(t, func(string) gate.Fact[bool] { return gate.Known(tt.after > 0 && time.Since(start) >= tt.after-1) })
				req := request(t, admissionv1.Create, nil, withSecret(deployment("shop", "web"), "late"))
				if tt.change != nil {
					tt.change(&req)
				}
				codes, waited := answersOf(t, b, req)
				if codes[len(codes)-1] != tt.last || (tt.times > 0 && len(codes) != tt.times) {
					t.Errorf("%v after %s", codes, waited)
				}
				if waited > waitDeadline {
					t.Errorf("waited %s", waited)
				}
				if wanted := 1; !(req.DryRun != nil && *req.DryRun) && len(b.queued()) != wanted {
					t.Error("one happening is one Case, however often it was asked about")
				}
			})
		})
	}
}

func TestWhoComesAgainIsLookedAtAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		there := false
		b := waitingBench(t, func(string) gate.Fact[bool] { return gate.Known(there) })
		req := request(t, admissionv1.Create, nil, withSecret(deployment("shop", "web"), "late"))
		if codes, _ := answersOf(t, b, req); codes[len(codes)-1] != http.StatusForbidden {
			t.Fatal(codes)
		}
		if codes, _ := answersOf(t, b, req); len(codes) != 2 || codes[1] != http.StatusForbidden {
			t.Errorf("still missing: %v", codes)
		}
		there = true // a moment after it was denied
		if codes, _ := answersOf(t, b, req); len(codes) != 2 || codes[1] != http.StatusOK {
			t.Errorf("there by now: %v", codes)
		}
	})
}

func TestWhatIsDeniedAnywayDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := waitingBench(t, func(string) gate.Fact[bool] { return gate.Known(false) })
		if codes, _ := answersOf(t, b, request(t, admissionv1.Create, nil, withSecret(poor("shop", "web"), "late"))); codes[0] != http.StatusForbidden {
			t.Error(codes)
		}
	})
}

func TestWaitsAreBounded(t *testing.T) {
	w := &Waits{Now: at(noon)}
	for i := range waitsMax + 10 {
		w.next(gate.Ref{Name: string(rune(i + 1))})
	}
	if len(w.seen) != waitsMax {
		t.Errorf("%d are remembered", len(w.seen))
	}
}
