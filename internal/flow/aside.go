package flow

import (
	"context"
	"sync"

	"moorgate.dev/internal/gate"
)

// Aside does slow work, such as asking a model, aside from what must go on: so many pieces at once while others wait, and for one
// key one at a time. What there is no room for is not done; whoever wants it asks again when it looks the next time.
type Aside struct {
	ctx  context.Context // of the process: whoever asks for work does not wait for it
	turn chan struct{}
	work sync.WaitGroup

	lock sync.Mutex
	busy map[string]bool // that wait or are at work
	room int
}

// NewAside makes an Aside that works until ctx ends, on so many pieces at once while at most room more wait.
func NewAside(ctx context.Context, most, room int) *Aside {
	return &Aside{ctx: ctx, turn: make(chan struct{}, most), busy: map[string]bool{}, room: most + room}
}

// Do has a piece of work done, and reports whether it will be: not where the same key waits or is at work, or there is no room.
func (a *Aside) Do(key string, work func(context.Context)) bool {
	a.lock.Lock()
	defer a.lock.Unlock()
	if a.busy[key] || len(a.busy) >= a.room || a.ctx.Err() != nil {
		return false
	}
	a.busy[key] = true
	a.work.Go(func() {
		defer a.done(key)
		select {
		case a.turn <- struct{}{}:
			defer func() { <-a.turn }()
			work(a.ctx)
		case <-a.ctx.Done():
		}
	})
	return true
}

func (a *Aside) done(key string) {
	a.lock.Lock()
	defer a.lock.Unlock()
	delete(a.busy, key)
}

// Wait waits for what has begun.
func (a *Aside) Wait() { a.work.Wait() }

// Waiting is the advisor without a model while one may be asked aside: it says why it stands alone for now.
func Waiting(checks Advisor) Advisor {
	return AdvisorFunc(func(ctx context.Context, q Question) gate.Assessment {
		a := checks.Advise(ctx, q)
		asks, why := Asks(q.Asking, a)
		if asks {
			why = "a model is being asked"
		}
		a.Alone = why
		return a
	})
}

// Asks is whether a model is to be asked about what an advisor without one said, and why not.
func Asks(p gate.Asking, said gate.Assessment) (asks bool, why string) {
	switch ask := p.Ask; {
	case ask == gate.AskNever:
		return false, "the Guardrail asks no model"
	case ask == gate.AskUnsettled && said.Open == "":
		return false, "nothing was left open"
	}
	return true, ""
}
