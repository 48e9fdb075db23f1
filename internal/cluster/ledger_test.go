package cluster_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	testcluster "moorgate.dev/test/cluster"
)

// ledgerStage is a cluster with Moorgate installed and an empty ledger.
type ledgerStage struct {
	config *rest.Config
	kube   kubernetes.Interface
}

func newLedgerStage(t testing.TB) ledgerStage {
	t.Helper()
	c := testcluster.Shared(t)
	if err := cluster.Install(t.Context(), c.Config(), charts.Files, cluster.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	kube, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	s := ledgerStage{config: c.Config(), kube: kube}
	s.empty(t)
	return s
}

// empty makes the ledger that of a new installation.
func (s ledgerStage) empty(t testing.TB) {
	t.Helper()
	maps := s.kube.CoreV1().ConfigMaps(cluster.LedgerNamespace)
	if err := maps.Delete(t.Context(), cluster.LedgerName, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: cluster.LedgerName}}
	if _, err := maps.Create(t.Context(), m, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// ledger is a fresh client of the ledger whose requests go through the given hands, the nearest to the server first.
func (s ledgerStage) ledger(t testing.TB, now func() time.Time, through ...func(http.RoundTripper) http.RoundTripper) *cluster.Ledger {
	t.Helper()
	config := rest.CopyConfig(s.config)
	for _, hand := range through {
		config.Wrap(hand)
	}
	l, err := cluster.NewLedger(config, now)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (s ledgerStage) stored(t testing.TB) *corev1.ConfigMap {
	t.Helper()
	m, err := s.kube.CoreV1().ConfigMaps(cluster.LedgerNamespace).Get(t.Context(), cluster.LedgerName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (s ledgerStage) put(t testing.TB, values map[string]string) {
	t.Helper()
	m := s.stored(t)
	m.Data = values
	if _, err := s.kube.CoreV1().ConfigMaps(cluster.LedgerNamespace).Update(t.Context(), m, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// budgets is a policy of one Guardrail.
func budgets(total, namespace, workload int, window time.Duration) gate.Policy {
	of := func(n int) gate.Budget { return gate.Budget{Actions: n, Window: window} }
	return gate.Policy{Rails: []gate.Rail{{Name: "rail", Restraint: gate.Restraint{Attempts: 1000},
		Budgets: gate.Budgets{Total: of(total), Namespace: of(namespace), Workload: of(workload)}}}}
}

// eviction is of a pod that was never evicted before, so that no cool-down is in its way.
func eviction(namespace, workload string) gate.Spent {
	target := gate.Ref{Version: "v1", Kind: "Pod", Namespace: namespace, Name: workload + "-" + rand.Text()}
	owner := gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: namespace, Name: workload}
	return gate.NewSpent(budgets(0, 0, 0, 0), gate.Action{Verb: "evict", Target: target, Workload: owner}, "crash-loop")
}

func TestLedgerReserves(t *testing.T) {
	s := newLedgerStage(t)
	l := s.ledger(t, time.Now)
	for _, c := range []struct {
		name                       string
		total, namespace, workload int
		next                       []gate.Spent
		wants                      string
	}{
		{"up to the total", 3, 9, 9, []gate.Spent{eviction("a", "x"), eviction("b", "y"), eviction("c", "z"), eviction("d", "w")}, "3 actions in all"},
		{"up to the budget of a namespace", 9, 2, 9, []gate.Spent{eviction("a", "x"), eviction("a", "y"), eviction("b", "z"), eviction("a", "w")}, "2 actions in this namespace"},
		{"up to the budget of a workload", 9, 9, 1, []gate.Spent{eviction("a", "x"), eviction("a", "y"), eviction("a", "x")}, "1 actions on this workload"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.empty(t)
			p := budgets(c.total, c.namespace, c.workload, time.Hour)
			for i, next := range c.next {
				id, refused, err := l.Reserve(t.Context(), p, next)
				if err != nil {
					t.Fatal(err)
				}
				last := i == len(c.next)-1
				if last != (refused != nil) || last != (id == "") {
					t.Fatalf("reservation %d: id %q, refused %v", i+1, id, refused)
				}
				if last && (refused.Rule != "budget" || refused.Guardrail != "rail" || refused.Decision != gate.Hold || !strings.Contains(refused.Text, c.wants)) {
					t.Errorf("refused by %+v", *refused)
				}
			}
			got, _, err := l.Read(t.Context())
			if err != nil || len(got.Entries) != len(c.next)-1 {
				t.Errorf("the ledger holds %d entries (%v), want those %d that were reserved", len(got.Entries), err, len(c.next)-1)
			}
		})
	}
	t.Run("what a rule about the past holds, on the ledger as it is then", func(t *testing.T) {
		s.empty(t)
		twice := eviction("a", "x")
		for i, wants := range []string{"", "cool-down"} {
			_, refused, err := l.Reserve(t.Context(), budgets(9, 9, 9, time.Hour), twice)
			if err != nil || (refused == nil) != (wants == "") || refused != nil && refused.Rule != wants {
				t.Errorf("reservation %d: refused %v, %v; want %q", i+1, refused, err, wants)
			}
		}
	})
	t.Run("nothing once it is full", func(t *testing.T) {
		s.fill(t, 1024)
		_, refused, err := l.Reserve(t.Context(), budgets(1<<20, 1<<20, 1<<20, time.Hour), eviction("a", "x"))
		if err != nil || refused == nil || refused.Rule != "ledger" || !strings.Contains(refused.Text, "full") {
			t.Errorf("refused %v, %v", refused, err)
		}
		if got, _, err := l.Read(t.Context()); err != nil || len(got.Entries) != 1024 {
			t.Errorf("%d entries (%v), want those that were there", len(got.Entries), err)
		}
	})
	t.Run("nothing without a Guardrail", func(t *testing.T) {
		if _, refused, err := l.Reserve(t.Context(), gate.Policy{}, eviction("a", "x")); err != nil || refused == nil {
			t.Errorf("refused %v, %v", refused, err)
		}
	})
	t.Run("again once the window and the grace are over", func(t *testing.T) {
		s.empty(t)
		l := s.ledger(t, time.Now)
		l.Grace = time.Second
		p := budgets(1, 9, 9, time.Second)
		first := time.Now()
		reserveOne(t, s.ledger(t, time.Now), p)
		for refused := (&gate.Reason{}); refused != nil; {
			var err error
			if _, refused, err = l.Reserve(t.Context(), p, eviction("a", "x")); err != nil {
				refused = &gate.Reason{Text: err.Error()} // so short a grace is soon over on a busy machine
			}
			if time.Since(first) > time.Minute {
				t.Fatalf("still refused after a minute: %v", refused)
			}
		}
		if took := time.Since(first); took < 2*time.Second {
			t.Errorf("a window of a second with a grace of a second was over after %s", took)
		}
	})
}

func reserveOne(t testing.TB, l *cluster.Ledger, p gate.Policy) string {
	t.Helper()
	id, refused, err := l.Reserve(t.Context(), p, eviction("a", "x"))
	if err != nil || refused != nil {
		t.Fatalf("refused %v, %v", refused, err)
	}
	return id
}

func TestAnUnreadableLedgerMeansNoAction(t *testing.T) {
	s := newLedgerStage(t)
	l := s.ledger(t, time.Now)
	nothing := func(t *testing.T, says string) {
		t.Helper()
		_, _, err := l.Read(t.Context())
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("read: got %v, want %q", err, says)
		}
		if id, refused, err := l.Reserve(t.Context(), budgets(9, 9, 9, time.Hour), eviction("a", "x")); err == nil || id != "" || refused != nil {
			t.Errorf("reserved %q, refused %v, %v", id, refused, err)
		}
		if err := l.Settle(t.Context(), "some", gate.ResultDone); err == nil {
			t.Error("settled")
		}
	}
	t.Run("one that is missing", func(t *testing.T) {
		if err := s.kube.CoreV1().ConfigMaps(cluster.LedgerNamespace).Delete(t.Context(), cluster.LedgerName, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		defer s.empty(t)
		nothing(t, "moorgate install")
	})
	t.Run("one with a key that is there twice", func(t *testing.T) {
		s.put(t, map[string]string{"ledger": `{"entries":[],"entries":[]}`})
		nothing(t, `"entries"`)
	})
	t.Run("one that was emptied by hand", func(t *testing.T) {
		s.put(t, map[string]string{"ledger": ""})
		nothing(t, "EOF")
	})
}

func TestLedgerSettles(t *testing.T) {
	s := newLedgerStage(t)
	l := s.ledger(t, time.Now)
	p := budgets(99, 99, 99, time.Hour)
	type step struct {
		result gate.Result
		wrong  string
		is     gate.Result
	}
	for _, c := range []struct {
		name          string
		steps         []step
		tried, healed int
	}{
		{"done, then healed, then the same again", []step{{gate.ResultDone, "", gate.ResultDone}, {gate.ResultHealed, "", gate.ResultHealed}, {gate.ResultHealed, "", gate.ResultHealed}}, 1, 1},
		{"a verified one is not taken back", []step{{gate.ResultIneffective, "", gate.ResultIneffective}, {gate.ResultDone, "", gate.ResultIneffective}, {gate.ResultUnknown, "", gate.ResultIneffective},
			{gate.ResultHealed, "settled as ineffective", gate.ResultIneffective}}, 1, 0},
		{"unknown until somebody looked", []step{{gate.ResultUnknown, "", gate.ResultUnknown}, {gate.ResultDone, "", gate.ResultDone}, {gate.ResultWorsened, "", gate.ResultWorsened}}, 1, 0},
		{"what was refused cannot have been done", []step{{gate.ResultRefused, "", gate.ResultRefused}, {gate.ResultDone, "settled as refused", gate.ResultRefused}, {gate.ResultHealed, "settled as refused", gate.ResultRefused}}, 0, 0},
		{"what was done cannot have been refused", []step{{gate.ResultDone, "", gate.ResultDone}, {gate.ResultRefused, "settled as done", gate.ResultDone}}, 0, 0},
		{"what is no result", []step{{"great", "no result", ""}, {gate.ResultPending, "no result", ""}}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.empty(t)
			id := reserveOne(t, l, p)
			for _, step := range c.steps {
				err := l.Settle(t.Context(), id, step.result)
				if (err == nil) != (step.wrong == "") || err != nil && !strings.Contains(err.Error(), step.wrong) {
					t.Fatalf("settle as %s: got %v, want %q", step.result, err, step.wrong)
				}
				got, _, err := l.Read(t.Context())
				if err != nil || got.Entries[0].Result != step.is {
					t.Fatalf("after %s it is %q (%v), want %q", step.result, got.Entries[0].Result, err, step.is)
				}
			}
			_, tallies, err := l.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got gate.Tally
			for _, one := range tallies {
				got = one
			}
			if got.Tried != c.tried || got.Healed != c.healed {
				t.Errorf("tally %+v, want %d of %d", got, c.healed, c.tried)
			}
		})
	}
	t.Run("an entry that is not there", func(t *testing.T) {
		if err := l.Settle(t.Context(), "nobody", gate.ResultDone); err == nil || !strings.Contains(err.Error(), "no such entry") {
			t.Errorf("got %v", err)
		}
	})
}

// worsen reserves and settles until the breaker of a namespace should be open.
func worsen(t *testing.T, l *cluster.Ledger, namespace string) {
	t.Helper()
	for i := range 2 {
		id, refused, err := l.Reserve(t.Context(), budgets(99, 99, 99, time.Hour), eviction(namespace, fmt.Sprint("w", i)))
		if err != nil || refused != nil {
			t.Fatalf("refused %v, %v", refused, err)
		}
		if err := l.Settle(t.Context(), id, gate.ResultWorsened); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBreakersOpenAndOnlyAResetClosesThem(t *testing.T) {
	s := newLedgerStage(t)
	l := s.ledger(t, time.Now)
	p := budgets(99, 99, 99, time.Hour)
	reserve := func(t *testing.T, namespace string) string {
		t.Helper()
		_, refused, err := l.Reserve(t.Context(), p, eviction(namespace, "x"))
		if err != nil {
			t.Fatal(err)
		}
		if refused == nil {
			return ""
		}
		if refused.Rule != "breaker" {
			t.Fatalf("refused by %+v", *refused)
		}
		return refused.Text
	}
	worsen(t, l, "shop")
	if why := reserve(t, "shop"); !strings.Contains(why, "namespace shop") {
		t.Fatalf("in the namespace: %q", why)
	}
	if why := reserve(t, "bank"); why != "" {
		t.Fatalf("in another namespace: %q", why)
	}
	worsen(t, l, "bank")
	if why := reserve(t, "elsewhere"); !strings.Contains(why, "everything") {
		t.Fatalf("with two namespaces open: %q", why)
	}
	if err := l.Reset(t.Context(), "elsewhere", "by mistake"); !errors.Is(err, cluster.ErrNotOpen) {
		t.Fatalf("closing one that is not open: %v", err)
	}
	if err := l.Reset(t.Context(), "", "looked at both, a bad image"); err != nil {
		t.Fatal(err)
	}
	for _, namespace := range []string{"shop", "bank", "elsewhere"} {
		if why := reserve(t, namespace); why != "" {
			t.Fatalf("after the reset, in %s: %q", namespace, why)
		}
	}
	t.Run("what was looked at opens none again", func(t *testing.T) {
		id := reserveOne(t, l, p)
		if err := l.Settle(t.Context(), id, gate.ResultHealed); err != nil {
			t.Fatal(err)
		}
		if got, _, err := l.Read(t.Context()); err != nil || len(got.Open) != 0 {
			t.Errorf("open %v (%v)", got.Open, err)
		}
	})
	t.Run("what goes wrong from then on does", func(t *testing.T) {
		worsen(t, l, "shop")
		if why := reserve(t, "shop"); !strings.Contains(why, "namespace shop") {
			t.Errorf("got %q", why)
		}
	})
	t.Run("one namespace by itself", func(t *testing.T) {
		if err := l.Reset(t.Context(), "shop", "again"); err != nil {
			t.Fatal(err)
		}
		if got, _, err := l.Read(t.Context()); err != nil || len(got.Open) != 0 {
			t.Errorf("open %v (%v)", got.Open, err)
		}
		if reason := s.stored(t).Data["reset.namespace.shop"]; !strings.Contains(reason, `"why":"again"`) {
			t.Errorf("the reason is kept as %q", reason)
		}
	})
	t.Run("a result that changes after the reset", func(t *testing.T) {
		s.empty(t)
		var ids []string
		for i := range 5 {
			id, _, err := l.Reserve(t.Context(), p, eviction("shop", fmt.Sprint("w", i)))
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Settle(t.Context(), id, gate.ResultUnknown); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		if err := l.Reset(t.Context(), "shop", "nobody knows"); err != nil {
			t.Fatal(err)
		}
		for i, want := range []int{0, 1} {
			if err := l.Settle(t.Context(), ids[i], gate.ResultWorsened); err != nil {
				t.Fatal(err)
			}
			if got, _, err := l.Read(t.Context()); err != nil || len(got.Open) != want {
				t.Errorf("%d made worse: open %v (%v)", i+1, got.Open, err)
			}
		}
	})
}

func TestInstallingAgainLeavesTheLedgerAlone(t *testing.T) {
	s := newLedgerStage(t)
	l := s.ledger(t, time.Now)
	if err := s.kube.CoreV1().ConfigMaps(cluster.LedgerNamespace).Delete(t.Context(), cluster.LedgerName, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := cluster.Install(t.Context(), s.config, charts.Files, cluster.InstallOptions{}); err != nil {
			t.Fatal(err)
		}
		worsen(t, l, "shop")
		if err := l.Reset(t.Context(), "shop", "looked at it"); err != nil {
			t.Fatal(err)
		}
		worsen(t, l, "shop")
		before := s.stored(t).Data
		if err := cluster.Install(t.Context(), s.config, charts.Files, cluster.InstallOptions{}); err != nil {
			t.Fatal(err)
		}
		if after := s.stored(t).Data; fmt.Sprint(after) != fmt.Sprint(before) || len(after) != 3 {
			t.Errorf("the ledger was %v and is %v", before, after)
		}
		s.empty(t)
	}
}

func TestWhatIsToldTooLateIsNotReserved(t *testing.T) {
	s := newLedgerStage(t)
	for _, c := range []struct {
		name string
		// late makes it late, when the write has been answered
		late func(cancel context.CancelFunc, slept *time.Duration)
	}{
		{"because nobody waits any more", func(cancel context.CancelFunc, _ *time.Duration) { cancel() }},
		{"because the machine slept", func(_ context.CancelFunc, slept *time.Duration) { *slept = time.Minute }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.empty(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var slept time.Duration
			l := s.ledger(t, func() time.Time { return time.Now().Add(slept) }, func(next http.RoundTripper) http.RoundTripper {
				return roundTrip(func(r *http.Request) (*http.Response, error) {
					answer, err := next.RoundTrip(r)
					if r.Method == http.MethodPut {
						c.late(cancel, &slept)
					}
					return answer, err
				})
			})
			if id, refused, err := l.Reserve(ctx, budgets(9, 9, 9, time.Hour), eviction("a", "x")); err == nil || id != "" || refused != nil {
				t.Errorf("reserved %q, refused %v, %v", id, refused, err)
			}
			if got, _, err := s.ledger(t, time.Now).Read(t.Context()); err != nil || len(got.Entries) != 1 {
				t.Errorf("%d entries (%v), want the one that is spent", len(got.Entries), err)
			}
		})
	}
}

func TestClocksThatDifferReserveNothing(t *testing.T) {
	s := newLedgerStage(t)
	dated := func(change func(http.Header)) func(http.RoundTripper) http.RoundTripper {
		return func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				answer, err := next.RoundTrip(r)
				if err == nil {
					change(answer.Header)
				}
				return answer, err
			})
		}
	}
	off := func(d time.Duration) func(http.Header) {
		return func(h http.Header) { h.Set("Date", time.Now().Add(d).UTC().Format(http.TimeFormat)) }
	}
	for _, c := range []struct {
		name           string
		own            time.Duration
		date           func(http.Header)
		refused, wrong string
	}{
		{"both are right", 0, off(0), "", ""},
		{"the server is half a minute ahead", 0, off(30 * time.Second), "", ""},
		{"the server is two minutes ahead", 0, off(2 * time.Minute), "apart", ""},
		{"the server is two minutes behind", 0, off(-2 * time.Minute), "apart", ""},
		{"the process is two minutes ahead", 2 * time.Minute, off(0), "apart", ""},
		{"the process is two minutes behind", -2 * time.Minute, off(0), "apart", ""},
		{"the server says nothing", 0, func(h http.Header) { h.Del("Date") }, "", "no Date"},
		{"the server says something else", 0, func(h http.Header) { h.Set("Date", "noon") }, "", `"noon"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.empty(t)
			l := s.ledger(t, func() time.Time { return time.Now().Add(c.own) }, dated(c.date))
			id, refused, err := l.Reserve(t.Context(), budgets(9, 9, 9, time.Hour), eviction("a", "x"))
			switch {
			case c.wrong != "":
				if err == nil || !strings.Contains(err.Error(), c.wrong) {
					t.Errorf("got %v, want %q", err, c.wrong)
				}
			case err != nil || (refused == nil) != (c.refused == "") || (id == "") != (c.refused != ""):
				t.Errorf("id %q, refused %v, %v", id, refused, err)
			case refused != nil && (refused.Rule != "ledger" || !strings.Contains(refused.Text, c.refused)):
				t.Errorf("refused by %+v", *refused)
			}
			if got, _, err := s.ledger(t, time.Now).Read(t.Context()); err != nil || (len(got.Entries) == 1) != (id != "") {
				t.Errorf("%d entries (%v)", len(got.Entries), err)
			}
		})
	}
}

// Where the clocks jump apart while a write is under way, nobody can say that nothing was reserved: it may get through yet.
func TestNobodyIsRefusedWhileAWriteIsUnderWay(t *testing.T) {
	s := newLedgerStage(t)
	lost := false
	l := s.ledger(t, time.Now, func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodPut {
				lost = true
				return nil, errWire
			}
			answer, err := next.RoundTrip(r)
			if err == nil && lost {
				answer.Header.Set("Date", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
			}
			return answer, err
		})
	})
	id, refused, err := l.Reserve(t.Context(), budgets(9, 9, 9, time.Hour), eviction("a", "x"))
	if err == nil || !strings.Contains(err.Error(), "may still get through") || id != "" || refused != nil {
		t.Errorf("id %q, refused %v, %v", id, refused, err)
	}
}

func TestWhatIsForbiddenIsTriedOnce(t *testing.T) {
	s := newLedgerStage(t)
	writes := 0
	l := s.ledger(t, time.Now, func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodPut {
				return next.RoundTrip(r)
			}
			writes++
			return status(r, http.StatusForbidden, "Forbidden"), nil
		})
	})
	if _, _, err := l.Reserve(t.Context(), budgets(9, 9, 9, time.Hour), eviction("a", "x")); !apierrors.IsForbidden(err) || writes != 1 {
		t.Errorf("%d writes, %v", writes, err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
