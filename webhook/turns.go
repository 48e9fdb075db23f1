package webhook

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// turnBudget is how long a rollout waits for its turn. Together with the look and the record it stays within the time that
// the API server gives.
const turnBudget = 500 * time.Millisecond

// turns bounds how many rollouts are weighed side by side: a flood would leave nobody an answer in time, and no memory. Dry
// runs cost their sender nothing, so they take no more than half of the places. Who gets no turn is let in and not scored,
// also under Enforce, because a failure of ours never denies; the judge finds it afterwards, as a rollout that slipped
// through. The zero turns are ready to use.
type turns struct {
	size int // 0: two for each processor

	once     sync.Once
	all, dry chan struct{}
}

// take waits for a turn until ctx ends. Whoever gets one has to call done.
func (t *turns) take(ctx context.Context, dry bool) (done func(), err error) {
	t.once.Do(func() {
		if t.size == 0 {
			t.size = 2 * runtime.GOMAXPROCS(0)
		}
		t.all, t.dry = make(chan struct{}, t.size), make(chan struct{}, max(1, t.size/2))
	})
	places := []chan struct{}{t.all}
	if dry {
		places = []chan struct{}{t.dry, t.all}
	}
	var taken []chan struct{}
	done = func() {
		for _, place := range taken {
			<-place
		}
	}
	for _, place := range places {
		select {
		case place <- struct{}{}:
			taken = append(taken, place)
		case <-ctx.Done():
			done()
			return nil, fmt.Errorf("too many rollouts are being looked at: %w", ctx.Err())
		}
	}
	return done, nil
}
