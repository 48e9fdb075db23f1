package advise

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits bound what all calls of this process cost together. 0: no bound of that kind. Days and months are UTC's.
type Limits struct {
	TokensPerDay     int
	MicroUSDPerDay   int64
	MicroUSDPerMonth int64
	Concurrent       int // calls under way at once
	CallsPerMinute   int
	// Prices say what tokens cost. A tier that is not in it has no known price, and where a budget of money is set it is not asked.
	Prices map[Tier]Price
}

// Price is in USD for a million tokens, which is in micro-USD for one.
type Price struct{ In, Cached, Out float64 }

// MicroUSD is what a call costs, rounded up. What was cached costs what other input does, where it has no rate of its own.
func (p Price) MicroUSD(u Usage) int64 {
	cached := min(max(u.Cached, 0), max(u.In, 0))
	rate := p.Cached
	if rate == 0 {
		rate = p.In
	}
	return ceil(float64(max(u.In, 0)-cached)*p.In + float64(cached)*rate + float64(max(u.Out, 0))*p.Out)
}

// most is the most that tokens can cost, of which nobody knows which way they went.
func (p Price) most(tokens int64) int64 { return ceil(float64(tokens) * max(p.In, p.Cached, p.Out, 0)) }

func ceil(f float64) int64 {
	if f = math.Ceil(f); f < math.MaxInt64 {
		return int64(max(f, 0))
	}
	return math.MaxInt64
}

// overhead is how many tokens an endpoint may add to a prompt: roles, separators, the frame that it puts around a schema.
const overhead = 256

// Bound is the most that a call can cost: no tokenizer makes more tokens than there are bytes. It is what Reserved of a record has
// to hold.
func Bound(p Prompt) Usage {
	return Usage{In: sent(p.System) + sent(p.User) + sent(string(p.Schema)) + overhead, Out: max(p.MaxTokens, 0)}
}

// sent is how many bytes a text has once it is sent: what is no UTF-8 becomes U+FFFD, which has three.
func sent(s string) int {
	n := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			n += 2
		}
		n, i = n+size, i+size
	}
	return n
}

// account is one budget's spending, in tokens and micro-USD. Spent only grows, and stops at the largest number; what is held for
// calls under way comes and goes.
type account struct{ spent, held amount }

type amount struct{ tokens, micro int64 }

func (a amount) plus(b amount) amount {
	return amount{saturated(a.tokens, b.tokens), saturated(a.micro, b.micro)}
}

func (a amount) minus(b amount) amount { return amount{a.tokens - b.tokens, a.micro - b.micro} }

// saturated adds numbers that are not below 0: an endpoint that reports nonsense must not wrap a budget around.
func saturated(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// owner is whom a call counts against: its Case, and the Case's namespace, which is also what a record of it names.
type owner struct{ of, namespace string }

func ownerOf(correlation, namespace string) owner {
	if in, _, both := strings.Cut(correlation, "/"); both {
		namespace = in
	}
	return owner{of: correlation, namespace: namespace}
}

// The forms of days and months, which are their names in messages too.
const (
	dayForm   = time.DateOnly
	monthForm = "2006-01"
)

func dayOf(t time.Time) string   { return t.UTC().Format(dayForm) }
func monthOf(t time.Time) string { return t.UTC().Format(monthForm) }

// nextDay and nextMonth are when a budget is free again.
func nextDay(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC)
}

func nextMonth(t time.Time) time.Time {
	y, m, _ := t.UTC().Date()
	return time.Date(y, m+1, 1, 0, 0, 0, 0, time.UTC)
}
