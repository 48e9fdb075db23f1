package remediate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

const (
	turnFor  = 10 * time.Second // of each sweep, for one namespace
	turnPart = 12               // the part of the time between sweeps, if that is longer
	turnLeft = time.Second      // what the last look of a turn may take at least
	maxShort = 10               // namespaces that are told by name
)

// turns shares the one goroutine's time between namespaces: what somebody does in one must not keep others from being looked
// at. One goroutine uses it.
type turns struct {
	each  time.Duration
	spent map[string]time.Duration
	short map[string]bool   // the namespaces whose time was up
	next  map[string]string // the Case that a namespace's next turn begins with
}

func newTurns(sweep time.Duration) turns {
	return turns{each: max(turnFor, sweep/turnPart), spent: map[string]time.Duration{}, short: map[string]bool{}, next: map[string]string{}}
}

// anew begins another round.
func (t *turns) anew() { clear(t.spent) }

// left is how much time a namespace has left in this round.
func (t *turns) left(namespace string) time.Duration {
	left := t.each - t.spent[namespace]
	if left <= 0 {
		t.short[namespace] = true
	}
	return left
}

// took counts the time that a look took. A clock that was set back counts nothing.
func (t *turns) took(namespace string, d time.Duration) { t.spent[namespace] += max(0, d) }

// overflow tells whose time was up since it was asked last; empty for nobody's.
func (t *turns) overflow() string {
	names := slices.Sorted(maps.Keys(t.short))
	clear(t.short)
	if len(names) == 0 {
		return ""
	}
	text := "a namespace's share of the time was up, and what is left there waits for the next sweep: " + strings.Join(names[:min(len(names), maxShort)], ", ")
	if more := len(names) - maxShort; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// visit does one piece of work in a namespace, in the time that the namespace has left, and logs what fails: the next sweep
// tries it again. It returns false if there was no time for it.
func (p *patrol) visit(ctx context.Context, namespace, what string, do func(context.Context) error) bool {
	left := p.turns.left(namespace)
	if left <= 0 || ctx.Err() != nil {
		return false
	}
	began := p.Now()
	working, cancel := context.WithTimeout(ctx, max(left, turnLeft))
	defer func() {
		cancel()
		p.turns.took(namespace, p.Now().Sub(began))
	}()
	err := flow.Shielded(p.Logger, what, func() error { return do(working) })
	if err != nil && ctx.Err() == nil && !errors.Is(err, flow.ErrPanicked) {
		p.Logger.Warn(what, "namespace", namespace, "error", gate.OneLine(err.Error(), 1024))
	}
	return true
}
