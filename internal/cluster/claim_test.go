package cluster_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	testcluster "moorgate.dev/test/cluster"
)

// lossy loses what is written to the status of Cases: before it is sent, or its reply.
type lossy struct {
	next         http.RoundTripper
	before, lost atomic.Int32 // how many are lost
}

func (l *lossy) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodPatch || !strings.Contains(req.URL.Path, "/cases/") {
		return l.next.RoundTrip(req)
	}
	if l.before.Add(-1) >= 0 {
		return nil, errors.New("connection refused")
	}
	resp, err := l.next.RoundTrip(req)
	if l.lost.Add(-1) >= 0 && err == nil {
		resp.Body.Close()
		return nil, errors.New("connection reset by peer")
	}
	return resp, err
}

// through is a client whose writes to Cases get lost.
func through(t *testing.T, l *lossy) client.Client {
	t.Helper()
	config := testcluster.Shared(t).Config()
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		l.next = next
		return l
	})
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	k, err := client.New(config, client.Options{Scheme: s})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func happening(namespace, key string) gate.Signal {
	return gate.Signal{Face: gate.FaceRemediate, Reason: "CrashLoop", Key: key, At: noon(),
		Subject: gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: namespace, Name: "web", UID: "d"}}
}

func intent(c *v1alpha1.Case, reservation string) flow.Intent {
	return flow.Intent{Case: c.Namespace + "/" + c.Name, Reservation: reservation, Position: gate.Position{Log: "act-a", Sequence: 7},
		Action: gate.Action{ID: "evict", Verb: "evict", Target: gate.Ref{Version: "v1", Kind: "Pod", Namespace: c.Namespace, Name: "web-1", UID: "p"},
			Request: &gate.Request{Method: "POST", Path: "/", Body: []byte("{}")}}}
}

func TestClaim(t *testing.T) {
	k, ns := admin(t)
	cases := cluster.Cases{Client: k, Now: noon}
	open := func(t *testing.T) *v1alpha1.Case {
		t.Helper()
		c, _, err := cases.Open(t.Context(), happening(ns, t.Name()), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := cases.Keep(t.Context(), client.ObjectKeyFromObject(c), cases.Judged(judgement(ns), nil)); err != nil {
			t.Fatal(err)
		}
		return c
	}
	read := func(t *testing.T, c *v1alpha1.Case) v1alpha1.Acting {
		t.Helper()
		var now v1alpha1.Case
		if err := k.Get(t.Context(), client.ObjectKeyFromObject(c), &now); err != nil || now.Status.Acting == nil {
			t.Fatalf("acting %+v, %v", now.Status.Acting, err)
		}
		return *now.Status.Acting
	}
	claim := func(t *testing.T, k client.Client, c *v1alpha1.Case, reservation string) *gate.Reason {
		t.Helper()
		refused, err := cluster.Cases{Client: k, Now: noon}.Claim(t.Context(), intent(c, reservation), 2)
		if err != nil {
			t.Fatal(err)
		}
		return refused
	}
	t.Run("one of many succeeds, beside a judge who writes", func(t *testing.T) {
		c := open(t)
		var won atomic.Int32
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				if claim(t, k, c, fmt.Sprint("r", n)) == nil {
					won.Add(1)
				}
			})
		}
		all.Go(func() {
			for n := range 5 {
				_ = cases.Keep(t.Context(), client.ObjectKeyFromObject(c), func(s *v1alpha1.CaseStatus) { s.Summary = fmt.Sprint("verdict ", n) })
			}
		})
		all.Wait()
		a := read(t, c)
		if won.Load() != 1 || a.Phase != v1alpha1.PhaseActing || a.Attempts != 1 || a.Intent.Attempt != 1 || a.Intent.Audit.Sequence != 7 || a.Intent.Well != 2 || a.Intent.Target.UID != "p" {
			t.Errorf("%d claimed it: %+v", won.Load(), a)
		}
		if len(a.Intent.Plan) != 71 || len(a.Intent.Action) != 71 {
			t.Errorf("the digests are %q and %q", a.Intent.Plan, a.Intent.Action)
		}
	})
	t.Run("the verdict of the judge leaves it alone, and it the verdict", func(t *testing.T) {
		c := open(t)
		key := client.ObjectKeyFromObject(c)
		claim(t, k, c, "r1")
		if err := cases.Keep(t.Context(), key, func(s *v1alpha1.CaseStatus) { s.Decision = "Hold" }); err != nil {
			t.Fatal(err)
		}
		var now v1alpha1.Case
		if err := k.Get(t.Context(), key, &now); err != nil || now.Status.Acting == nil || now.Status.Acting.Phase != v1alpha1.PhaseActing || now.Status.Decision != "Hold" || len(now.Status.Menu) == 0 {
			t.Errorf("status %+v, %v", now.Status, err)
		}
	})
	t.Run("a lost reply is read again", func(t *testing.T) {
		c := open(t)
		var l lossy
		l.lost.Store(2)
		if refused := claim(t, through(t, &l), c, "r1"); refused != nil || l.lost.Load() != 1 {
			t.Errorf("refused %v, %d replies left to lose", refused, l.lost.Load())
		}
		if a := read(t, c); a.Attempts != 1 || a.Intent.Reservation != "r1" {
			t.Errorf("acting %+v", a)
		}
	})
	t.Run("a lost request is sent again", func(t *testing.T) {
		c := open(t)
		var l lossy
		l.before.Store(2)
		if refused := claim(t, through(t, &l), c, "r1"); refused != nil {
			t.Errorf("refused %v", refused)
		}
		if a := read(t, c); a.Attempts != 1 {
			t.Errorf("acting %+v", a)
		}
	})
	t.Run("where nothing gets through it is an error, and no claim", func(t *testing.T) {
		c := open(t)
		var l lossy
		l.before.Store(1000)
		if refused, err := (cluster.Cases{Client: through(t, &l), Now: noon}).Claim(t.Context(), intent(c, "r1"), 0); err == nil || refused != nil {
			t.Errorf("refused %v, error %v", refused, err)
		}
	})
	t.Run("not before the last one is settled and verified, and then as the next attempt", func(t *testing.T) {
		c := open(t)
		key := client.ObjectKeyFromObject(c)
		claim(t, k, c, "r1")
		for _, phase := range []string{v1alpha1.PhaseActing, v1alpha1.PhaseActed, v1alpha1.PhaseHealed} {
			if err := cases.Settled(t.Context(), key, "r1", phase, "so it came out"); err != nil {
				t.Fatal(err)
			}
			if refused := claim(t, k, c, "r2"); (refused == nil) != (phase == v1alpha1.PhaseHealed) {
				t.Errorf("in phase %s: refused %v", phase, refused)
			}
		}
		if err := cases.Settled(t.Context(), key, "r1", v1alpha1.PhaseUnclear, "late"); err != nil {
			t.Fatal(err)
		}
		if a := read(t, c); a.Phase != v1alpha1.PhaseActing || a.Attempts != 2 || a.Intent.Reservation != "r2" {
			t.Errorf("what came of the first was written over the second: %+v", a)
		}
	})
	t.Run("a Case that is gone cannot be claimed", func(t *testing.T) {
		c := open(t)
		if err := k.Delete(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if refused := claim(t, k, c, "r1"); refused == nil || refused.Decision != gate.Hold {
			t.Errorf("refused %v", refused)
		}
		if err := cases.Held(t.Context(), client.ObjectKeyFromObject(c), cluster.HeldFor("sha256:0", "evict", nil)); err != nil {
			t.Error(err)
		}
	})
	t.Run("held is said once, keeps the newest intent, and yields to one under way", func(t *testing.T) {
		c := open(t)
		key := client.ObjectKeyFromObject(c)
		claim(t, k, c, "r1")
		long := strings.Repeat("é\x1b[31m", 4000)
		var reasons []gate.Reason
		for range 100 {
			reasons = append(reasons, gate.Reason{Rule: long, Guardrail: long, Decision: gate.Hold, Text: long})
		}
		held := cluster.HeldFor(long, long, reasons)
		if err := cases.Held(t.Context(), key, held); err != nil {
			t.Fatal(err)
		}
		if a := read(t, c); a.Phase != v1alpha1.PhaseActing {
			t.Errorf("an intent under way was written over: %+v", a)
		}
		if err := cases.Settled(t.Context(), key, "r1", v1alpha1.PhaseRefused, long); err != nil {
			t.Fatal(err)
		}
		if err := cases.Held(t.Context(), key, held); err != nil {
			t.Fatal(err)
		}
		if a := read(t, c); a.Phase != v1alpha1.PhaseHeld || len(a.Reasons) != 24 || a.Intent == nil || a.Attempts != 1 {
			t.Errorf("acting %+v", a)
		}
	})
}

func TestSameReasons(t *testing.T) {
	held := func(rule, text string) []v1alpha1.Reason {
		return []v1alpha1.Reason{{Rule: rule, Decision: "Hold", Text: text}}
	}
	for name, c := range map[string]struct {
		a, b []v1alpha1.Reason
		want bool
	}{
		"the same":                        {held("mode", "x"), held("mode", "x"), true},
		"another text":                    {held("approval", "0 of 2"), held("approval", "1 of 2"), false},
		"a number that moves by itself":   {held("wait", "5s"), held("wait", "6s"), true},
		"another rule":                    {held("wait", "5s"), held("fresh", "5s"), false},
		"one more":                        {held("mode", "x"), append(held("mode", "x"), held("wait", "5s")...), false},
		"none of either":                  {nil, nil, true},
		"the same moving rule, no longer": {held("wait", "5s"), nil, false},
	} {
		if got := cluster.SameReasons(c.a, c.b); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}
