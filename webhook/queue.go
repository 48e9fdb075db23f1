package webhook

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

const (
	openTries   = 5
	openTimeout = 10 * time.Second
	openPause   = 250 * time.Millisecond // before the second try, doubling
	drainTime   = 5 * time.Second        // for what is left when the process stops
)

// Opening is a Case that is to be opened.
type Opening struct {
	Signal gate.Signal
	Answer *v1alpha1.Answer
	Labels map[string]string
	// Witness is what a person was seen to do, where the Case is about that and about no answer.
	Witness *v1alpha1.Witness
	// Ends: the Case was opened when the client was asked to wait; this is what it was answered in the end.
	Ends bool
}

// Queue opens Cases outside of requests. It is bounded and in memory: an admitted rollout whose Case is lost with the process
// is found by the judge, which opens one that says so.
type Queue struct {
	cases  cluster.Cases
	log    *slog.Logger
	opened chan Opening

	mu      sync.RWMutex // between Offer and the end
	stopped bool
}

// NewQueue returns a Queue that holds at most size Cases.
func NewQueue(cases cluster.Cases, size int, log *slog.Logger) *Queue {
	return &Queue{cases: cases, log: log, opened: make(chan Opening, size)}
}

// Offer queues a Case and never blocks. It answers false when the queue is full, and once it has stopped: what it takes, it
// tries to open.
func (q *Queue) Offer(o Opening) bool {
	q.mu.RLock()
	defer q.mu.RUnlock()
	if q.stopped {
		return false
	}
	select {
	case q.opened <- o:
		return true
	default:
		return false
	}
}

// Start opens Cases until ctx ends, and then for a few seconds those that are left.
func (q *Queue) Start(ctx context.Context) error {
	for {
		select {
		case o := <-q.opened:
			q.open(ctx, o)
		case <-ctx.Done():
			q.drain(context.WithoutCancel(ctx))
			return nil
		}
	}
}

// NeedLeaderElection says that every replica opens the Cases of its own answers.
func (q *Queue) NeedLeaderElection() bool { return false }

// drain opens what is left, and what requests still under way add, until nothing is or the time is up. Then it takes nothing
// more.
func (q *Queue) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	for ctx.Err() == nil {
		select {
		case o := <-q.opened:
			q.open(ctx, o)
			continue
		default:
		}
		if q.stop(false) {
			return
		}
	}
	q.stop(true)
	for {
		select {
		case o := <-q.opened:
			q.log.WarnContext(ctx, "a Case could not be opened before the process stopped", "case", cluster.CaseRef(o.Signal))
		default:
			return
		}
	}
}

// stop has the queue take nothing more, if it is empty or if it must. It answers whether it stopped.
func (q *Queue) stop(must bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = q.stopped || must || len(q.opened) == 0
	return q.stopped
}

// open tries a few times. A namespace that goes away takes its Cases with it: nothing is tried again there.
func (q *Queue) open(ctx context.Context, o Opening) {
	pause := openPause
	for try := 1; ; try++ {
		err := q.try(ctx, o)
		if err == nil {
			return
		}
		final := apierrors.IsNotFound(err) || apierrors.IsForbidden(err) || apierrors.IsInvalid(err)
		if final || try == openTries || errors.Is(ctx.Err(), context.DeadlineExceeded) {
			q.log.WarnContext(ctx, "a Case could not be opened", "case", cluster.CaseRef(o.Signal), "tries", try, "error", err)
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause *= 2
	}
}

func (q *Queue) try(ctx context.Context, o Opening) error {
	// A Case that is being opened when the process stops is still opened.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), openTimeout)
	defer cancel()
	if o.Ends {
		err := q.end(ctx, o)
		if !apierrors.IsNotFound(err) {
			return err
		}
	}
	if o.Witness != nil {
		_, _, err := q.cases.OpenWitnessed(ctx, o.Signal, o.Witness)
		return err
	}
	_, _, err := q.cases.Open(ctx, o.Signal, o.Answer, o.Labels)
	return err
}

// end writes the answer onto the Case of a wait.
func (q *Queue) end(ctx context.Context, o Opening) error {
	key := client.ObjectKey{Namespace: o.Signal.Subject.Namespace, Name: o.Signal.CaseName()}
	return q.cases.Keep(ctx, key, func(st *v1alpha1.CaseStatus) {
		st.Opinion, st.Answer, st.Summary = o.Answer.Opinion, o.Answer.Said, cluster.Summary(o.Answer.Opinion)
		st.Subject = o.Signal.Subject.Kind + "/" + o.Signal.Subject.Name
	})
}
