package advise

import (
	"sync"
	"time"
)

// What is kept of the past. Days and months are forgotten by how many came after them and not by the clock, so that one which
// jumps ahead and back does not open a budget anew.
const (
	daysKept   = 4
	monthsKept = 3
	casesKept  = 8       // days on which anything was asked, since a Case was last: longer than a Case lives
	casesMost  = 100_000 // more at once are refused
)

// Spend is what models cost lately in this process, by Case, namespace, day and month. All Limits of a process share one, because
// budgets hold only where everything is counted. It is safe for use by several goroutines.
type Spend struct {
	limits Limits
	turns  chan struct{} // nil: any number at once

	mu     sync.Mutex
	days   shelf[day]
	months shelf[account]
	cases  map[string]*caseSpend
	begun  []time.Time // the calls of the last minute, where there is a limit
	under  int
	above  int
	gen    int
}

type day struct {
	account
	namespaces map[string]*account
}

type caseSpend struct {
	account
	gen int // when it last was asked about
}

// Figures are what a Spend has counted, for metrics and readiness.
type Figures struct {
	DayTokens, DayTokensHeld         int64
	DayMicroUSD, MonthMicroUSD       int64
	Under                            int // calls under way
	Above                            int // calls of which the endpoint reported more than can be
	Cases                            int // that are remembered
	DayTokensBudget                  int64
	DayMicroBudget, MonthMicroBudget int64
}

// NewSpend is a Spend of nothing. Replay tells it what was spent before this process began.
func NewSpend(limits Limits) *Spend {
	s := &Spend{limits: limits, cases: map[string]*caseSpend{}}
	if limits.Concurrent > 0 {
		s.turns = make(chan struct{}, limits.Concurrent)
	}
	return s
}

// Figures are what was counted for the day and month of now.
func (s *Spend) Figures(now time.Time) Figures {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := Figures{Under: s.under, Above: s.above, Cases: len(s.cases), DayTokensBudget: int64(s.limits.TokensPerDay),
		DayMicroBudget: s.limits.MicroUSDPerDay, MonthMicroBudget: s.limits.MicroUSDPerMonth}
	if d := s.days.get(dayOf(now)); d != nil {
		f.DayTokens, f.DayTokensHeld, f.DayMicroUSD = d.spent.tokens, d.held.tokens, d.spent.micro
	}
	if m := s.months.get(monthOf(now)); m != nil {
		f.MonthMicroUSD = m.spent.micro
	}
	return f
}

// accounts are all that a call at a time counts against. The caller holds the lock.
func (s *Spend) accounts(o owner, at time.Time) []*account {
	d, fresh := s.days.open(dayOf(at), daysKept)
	if fresh {
		d.namespaces = map[string]*account{}
		s.gen++
		s.forget()
	}
	m, _ := s.months.open(monthOf(at), monthsKept)
	n := d.namespaces[o.namespace]
	if n == nil {
		n = &account{}
		d.namespaces[o.namespace] = n
	}
	c := s.cases[o.of]
	if c == nil {
		c = &caseSpend{}
		s.cases[o.of] = c
	}
	c.gen = s.gen
	return []*account{&c.account, n, &d.account, m}
}

// forget drops Cases that nobody asked about for long.
func (s *Spend) forget() {
	for name, c := range s.cases {
		if s.gen-c.gen > casesKept && c.held == (amount{}) {
			delete(s.cases, name)
		}
	}
}

// shelf keeps the newest few of something by name.
type shelf[T any] struct {
	names []string // in the order in which they came
	on    map[string]*T
}

func (s *shelf[T]) get(name string) *T { return s.on[name] }

// open returns what has that name, and whether it is new. Whoever holds one that is dropped may still write to it.
func (s *shelf[T]) open(name string, kept int) (*T, bool) {
	if v := s.on[name]; v != nil {
		return v, false
	}
	if s.on == nil {
		s.on = map[string]*T{}
	}
	if len(s.names) >= kept {
		delete(s.on, s.names[0])
		s.names = s.names[1:]
	}
	v := new(T)
	s.on[name], s.names = v, append(s.names, name)
	return v, true
}
