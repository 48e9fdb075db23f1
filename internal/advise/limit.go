package advise

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Limit is a Model that asks another within budgets of tokens and money, at most so many at once and so many a minute. The most
// that a call can cost is reserved before it and settled after it, so that no budget is ever overspent; only an endpoint that
// reports more than can be makes it so, which is counted and said. Waiting for a turn ends with the context.
//
// A call counts for the day on which it was sent.
type Limit struct {
	Model Model
	Spend *Spend // of the process
	Now   func() time.Time
}

// Ask asks the model, or says which budget is in the way and when it is free again.
func (l *Limit) Ask(ctx context.Context, p Prompt) (Answer, error) {
	bound := Bound(p)
	c := call{prompt: p, owner: ownerOf(p.Case, p.Namespace), bound: bound}
	price, priced := l.Spend.limits.Prices[p.Tier]
	// The dearest way is that nothing was cached, or that cached tokens cost more.
	c.price, c.priced = price, priced
	c.most = amount{int64(bound.Total()), Price{In: max(price.In, price.Cached), Out: price.Out}.MicroUSD(bound)}
	if err := l.Spend.fits(c, l.Now()); err != nil {
		return Answer{}, err // before waiting for a turn that is of no use
	}
	leave, err := l.Spend.turn(ctx)
	if err != nil {
		return Answer{}, err
	}
	defer leave()
	if err := l.Spend.pace(ctx, l.Now); err != nil {
		return Answer{}, err
	}
	held, err := l.Spend.reserve(c, l.Now())
	if err != nil {
		return Answer{}, err
	}
	settled := false
	defer func() {
		if !settled { // it panicked
			l.Spend.settle(held, c.most, c.most)
		}
	}()
	answer, err := l.Model.Ask(ctx, p)
	answer, cost, err := c.cost(answer, err)
	l.Spend.settle(held, c.most, cost)
	settled = true
	return answer, err
}

// call is a call to a model, with the most that it can cost.
type call struct {
	prompt Prompt
	owner  owner
	bound  Usage
	most   amount
	price  Price
	priced bool
}

// cost is what a call came to. Where nobody can know, it is all that was reserved, and answer or failure say so.
func (c call) cost(a Answer, err error) (Answer, amount, error) {
	if err == nil {
		if a.Usage.In <= 0 || a.Usage.Out < 0 {
			a.Usage, a.MicroUSD = c.bound, c.most.micro
			a.Degraded = append(a.Degraded, fmt.Sprintf("it does not say what it cost: %d tokens count as spent, the most that can be", c.most.tokens))
			return a, c.most, nil
		}
		if tokens(a.Usage) > c.most.tokens {
			a.Degraded = append(a.Degraded, fmt.Sprintf("it counted %d tokens where no more than %d can be", tokens(a.Usage), c.most.tokens))
		}
		a.MicroUSD = max(a.MicroUSD, c.price.MicroUSD(a.Usage))
		return a, amount{tokens(a.Usage), a.MicroUSD}, nil
	}
	var f *Failure
	if !errors.As(err, &f) {
		f = &Failure{Kind: FailedContent, Text: err.Error()}
	}
	failed := *f // it may be shared
	switch {
	case tokens(f.Usage) > 0:
		failed.MicroUSD = max(f.MicroUSD, c.price.MicroUSD(f.Usage))
	case costsNothing(f.Kind):
		failed.MicroUSD = max(f.MicroUSD, 0)
	default:
		failed.Usage, failed.MicroUSD = c.bound, max(f.MicroUSD, c.most.micro)
		failed.Text += fmt.Sprintf(" (it may have cost something: %d tokens count as spent, the most that can be)", c.most.tokens)
	}
	return a, amount{tokens(failed.Usage), failed.MicroUSD}, &failed
}

// tokens is Usage.Total without wrapping around, and never below 0.
func tokens(u Usage) int64 { return saturated(int64(max(u.In, 0)), int64(max(u.Out, 0))) }

// costsNothing is whether nothing was sent, or what was sent was turned away before a model saw it.
func costsNothing(k FailureKind) bool {
	switch k {
	case FailedBudget, FailedConcurrency, FailedBreaker, FailedRecord, FailedCassette, FailedReach, FailedTLS,
		FailedKey, FailedModel, FailedRequest, FailedRate, FailedQuota, FailedRedirect:
		return true
	}
	return false
}
