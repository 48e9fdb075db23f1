package cluster_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"k8s.io/client-go/rest"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

// How the ledger is tried: so many permits in any window, and in the name of so many leaders.
const (
	linearWindow = 500 * time.Millisecond
	linearGrace  = 800 * time.Millisecond
	linearTotal  = 40
	linearPlace  = 25 // in one namespace
	linearOne    = 5  // on one workload
	leaders      = 5

	// longVar makes the tests of the ledger run for this long each, such as 10m.
	longVar = "MOORGATE_LEDGER_LONG"
)

// clocks say how wrong the server's clock and a leader's own are during one attempt.
type clocks func(*rand.Rand) (server, own time.Duration)

// jump is how far a clock is off: often not at all, mostly little, seldom more than nothing is reserved with.
func jump(r *rand.Rand) time.Duration {
	sign := time.Duration(1 - 2*r.IntN(2))
	switch n := r.IntN(40); {
	case n < 20:
		return 0
	case n < 36:
		return sign * time.Duration(r.Int64N(int64(2*time.Second)))
	case n < 38:
		return sign * time.Duration(r.Int64N(int64(50*time.Second)))
	}
	return sign * time.Hour
}

func TestLedgerIsLinearizable(t *testing.T) {
	s := newLedgerStage(t)
	for _, c := range []struct {
		name string
		off  clocks
	}{
		{"while the clocks of the leaders jump", func(r *rand.Rand) (time.Duration, time.Duration) { return 0, jump(r) }},
		{"while the clock of the server jumps", func(r *rand.Rand) (time.Duration, time.Duration) { return jump(r), 0 }},
		{"while now one clock jumps and now the other", func(r *rand.Rand) (time.Duration, time.Duration) {
			if r.IntN(2) == 0 {
				return 0, jump(r)
			}
			return jump(r), 0
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for end := time.Now().Add(longer(t, 1)); ; {
				s.empty(t)
				seed := rand.Uint64()
				t.Logf("seed %d", seed)
				history := s.compete(t, trial{seed: seed, long: 7 * time.Second, off: c.off})
				for _, problem := range s.problems(t, history) {
					t.Error(problem)
				}
				if told, refused := count(history); told < linearTotal/2 || refused == 0 {
					t.Errorf("hardly anything happened: %d told that they are reserved, %d refused", told, refused)
				}
				if t.Failed() || time.Now().After(end) {
					break
				}
			}
		})
	}
}

// A checker that never finds anything proves nothing.
func TestABrokenLedgerIsFoundOut(t *testing.T) {
	s := newLedgerStage(t)
	var ahead atomic.Int64
	for _, c := range []struct {
		name string
		trial
	}{
		{"without compare-and-swap entries are lost", trial{careless: true}},
		{"where both clocks run away at once a window holds too many", trial{workloads: 1, off: func(*rand.Rand) (time.Duration, time.Duration) {
			d := 3 * time.Second * time.Duration(ahead.Add(1))
			return d, d
		}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.empty(t)
			c.seed, c.long = 1, 2*time.Second
			if problems := s.problems(t, s.compete(t, c.trial)); len(problems) == 0 {
				t.Error("nothing was found")
			} else {
				t.Log(problems[0])
			}
		})
	}
}

func longer(t *testing.T, least time.Duration) time.Duration {
	t.Helper()
	text := os.Getenv(longVar)
	if text == "" {
		return least
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("%s: %v", longVar, err)
	}
	return d
}

// trial is how the leaders compete.
type trial struct {
	seed      uint64
	long      time.Duration
	off       clocks // nil: the clocks are right
	workloads int    // in each of two namespaces; 0: six
	careless  bool   // without preconditions
}

// compete has the leaders reserve for a while, under faults, and returns what each attempt came to.
func (s ledgerStage) compete(t *testing.T, c trial) []*attempt {
	t.Helper()
	if c.off == nil {
		c.off = func(*rand.Rand) (time.Duration, time.Duration) { return 0, 0 }
	}
	if c.workloads == 0 {
		c.workloads = 6
	}
	end := time.Now().Add(c.long)
	var late, running sync.WaitGroup
	histories := make([][]*attempt, leaders)
	for i := range leaders {
		running.Go(func() {
			l := &leader{stage: s, trial: c, number: i, random: rand.New(rand.NewPCG(c.seed, uint64(i))), late: &late}
			for n := 0; time.Now().Before(end) && !t.Failed(); n++ {
				histories[i] = append(histories[i], l.attempt(t, n))
				time.Sleep(time.Duration(l.random.Int64N(int64(20 * time.Millisecond))))
			}
		})
	}
	running.Wait()
	late.Wait()
	return slices.Concat(histories...)
}

// leader is one of several who believe that they lead.
type leader struct {
	trial
	stage  ledgerStage
	number int
	random *rand.Rand
	late   *sync.WaitGroup

	ledger      *cluster.Ledger
	now         *attempt // the one under way
	server, own time.Duration
	date        time.Time // that came last
}

// start is what a leader does when it begins, or begins again after a crash: it remembers nothing.
func (l *leader) start(t *testing.T) {
	t.Helper()
	wire := func(next http.RoundTripper) http.RoundTripper {
		if l.careless {
			next = carelessly(next)
		}
		return &wire{next: next, random: l.random, late: l.late, skew: func() time.Duration { return l.server }}
	}
	noted := func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			answer, err := next.RoundTrip(r)
			if err == nil {
				l.date, _ = http.ParseTime(answer.Header.Get("Date"))
			}
			return answer, err
		})
	}
	now := func() time.Time {
		own := time.Now().Add(l.own)
		l.now.clocks = append(l.now.clocks, reading{server: l.date, own: own.UTC().Round(0)})
		return own
	}
	if l.careless {
		l.stage.config = rest.CopyConfig(l.stage.config)
		l.stage.config.ContentType = "application/json" // in which a precondition is easy to find
	}
	l.ledger = l.stage.ledger(t, now, wire, noted)
	l.ledger.Grace = linearGrace
}

func (l *leader) attempt(t *testing.T, n int) *attempt {
	t.Helper()
	if l.ledger == nil || l.random.IntN(10) == 0 {
		l.start(t)
	}
	l.server, l.own = l.off(l.random)
	namespace := fmt.Sprint("n", l.random.IntN(2))
	a := &attempt{leader: l.number, namespace: namespace, workload: fmt.Sprint("w", l.random.IntN(l.workloads)), target: fmt.Sprint(l.number, "-", n)}
	l.now = a
	ctx := context.WithValue(t.Context(), attemptKey{}, a)
	if l.random.IntN(6) == 0 { // a crash in the middle
		crashing, cancel := context.WithTimeout(ctx, time.Duration(l.random.Int64N(int64(15*time.Millisecond))))
		defer cancel()
		ctx = crashing
	}
	next := eviction(a.namespace, a.workload)
	next.Target = a.target
	a.call = time.Now()
	id, refused, err := l.ledger.Reserve(ctx, linearPolicy(), next)
	a.end = time.Now()
	a.told, a.refused = err == nil && refused == nil, refused != nil
	if err == nil && (id == "") != (refused != nil) {
		t.Errorf("id %q and refused %v", id, refused)
	}
	if a.told && l.random.IntN(4) == 0 { // so that others meet conflicts
		_ = l.ledger.Settle(ctx, id, gate.ResultDone)
	}
	return a
}

func linearPolicy() gate.Policy { return budgets(linearTotal, linearPlace, linearOne, linearWindow) }

// problems are what is wrong with a history, seen in three ways: what was told is there and what was refused is not; no window
// of true time holds more than there may be; and there is one order in which all of it happens by the rules.
func (s ledgerStage) problems(t *testing.T, history []*attempt) []string {
	t.Helper()
	l, _, err := s.ledger(t, time.Now).Read(t.Context())
	if err != nil {
		return []string{err.Error()}
	}
	stamps := map[string]time.Time{}
	for _, e := range l.Entries {
		stamps[e.Target] = e.At
	}
	var problems []string
	spent := 0
	for _, a := range history {
		a.stamp = stamps[a.target]
		switch {
		case a.told && a.stamp.IsZero():
			problems = append(problems, fmt.Sprintf("%s was told that it is reserved, and it is not in the ledger", a.target))
		case a.refused && !a.stamp.IsZero():
			problems = append(problems, fmt.Sprintf("%s was refused, and it is in the ledger", a.target))
		case !a.told && !a.refused && !a.stamp.IsZero():
			spent++
		}
	}
	told, refused := count(history)
	t.Logf("%d attempts: %d told that they are reserved, %d refused, %d spent without a word, %d failed", len(history), told, refused, spent, len(history)-told-refused-spent)
	problems = append(problems, overWindows(history)...)
	if len(problems) > 0 {
		return problems
	}
	if got := porcupine.CheckOperationsTimeout(model, operations(history), time.Minute); got != porcupine.Ok {
		problems = append(problems, fmt.Sprintf("linearizable: %s", got))
	}
	return problems
}

func count(history []*attempt) (told, refused int) {
	for _, a := range history {
		if a.told {
			told++
		}
		if a.refused {
			refused++
		}
	}
	return told, refused
}

// overWindows are the windows of true time in which more were told that they are reserved than there may be.
func overWindows(history []*attempt) []string {
	var problems []string
	ends := map[string][]time.Time{}
	limit := map[string]int{}
	for _, a := range history {
		if !a.told {
			continue
		}
		for of, n := range map[string]int{"in all": linearTotal, "in " + a.namespace: linearPlace, "on " + a.namespace + a.workload: linearOne} {
			ends[of], limit[of] = append(ends[of], a.end), n
		}
	}
	for of, times := range ends {
		slices.SortFunc(times, time.Time.Compare)
		for i := limit[of]; i < len(times); i++ {
			if within := times[i].Sub(times[i-limit[of]]); within < linearWindow {
				problems = append(problems, fmt.Sprintf("%d %s within %s, and there may be %d in %s", limit[of]+1, of, within, limit[of], linearWindow))
			}
		}
	}
	return problems
}

// operations are the attempts as porcupine reads them. One that failed counts if it is in the ledger: it got there at some
// time until the API server had answered its write, where that answer was seen. One that is not there did nothing.
func operations(history []*attempt) []porcupine.Operation {
	var operations []porcupine.Operation
	for _, a := range history {
		o := porcupine.Operation{ClientId: a.leader, Input: a, Output: a, Call: a.call.UnixNano(), Return: a.end.UnixNano()}
		if !a.told && !a.refused {
			if a.stamp.IsZero() {
				continue
			}
			if o.Return = math.MaxInt64; !a.landed.IsZero() {
				o.Return = a.landed.UnixNano()
			}
		}
		operations = append(operations, o)
	}
	return operations
}

// counted is one entry in the model's state.
type counted struct {
	namespace, workload string
	stamp               time.Time
}

// model is the ledger in one sentence: a permit is given exactly where fewer than there may be are younger than a window, by
// the slower clock, and it is stamped by the faster one.
var model = porcupine.Model{
	Init: func() any { return []counted(nil) },
	Step: func(state, input, _ any) (bool, any) {
		entries, a := state.([]counted), input.(*attempt)
		if a.refused {
			last := a.clocks[len(a.clocks)-1]
			return !last.room(entries, a), entries
		}
		for _, r := range a.clocks {
			if r.late().Equal(a.stamp) && r.room(entries, a) {
				return true, append(slices.Clip(entries), counted{a.namespace, a.workload, a.stamp})
			}
		}
		return false, nil
	},
	Equal: func(x, y any) bool { return slices.Equal(x.([]counted), y.([]counted)) },
}

func (r reading) late() time.Time {
	if r.server.After(r.own) {
		return r.server
	}
	return r.own
}

// room is whether one more may be reserved when the clocks say this.
func (r reading) room(entries []counted, a *attempt) bool {
	early := r.server
	if r.own.Before(early) {
		early = r.own
	}
	if r.late().Sub(early) > time.Minute {
		return false
	}
	total, place, one := 0, 0, 0
	for _, e := range entries {
		if early.Sub(e.stamp) >= linearWindow+linearGrace+time.Second {
			continue
		}
		total++
		if e.namespace == a.namespace {
			place++
			if e.workload == a.workload {
				one++
			}
		}
	}
	return total < linearTotal && place < linearPlace && one < linearOne
}

// carelessly takes the precondition off every write.
func carelessly(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPut {
			withoutVersion(r)
			time.Sleep(20 * time.Millisecond) // so that others write in between
		}
		return next.RoundTrip(r)
	})
}
