package remediate

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/flow"
)

const (
	pageSize     = 200              // events in memory at once, at most: notes of 76 KB were seen
	watchSeconds = 300              // a watch that hangs is given up after this
	slack        = time.Minute      // by which the clocks of those who write events may be off
	pause        = time.Second      // between two watches
	pauseMax     = 30 * time.Second // between two lists that fail
)

// follower lists and watches the Warning events of the cluster and keeps none of them. The API server keeps no watch cache
// for events, so a watch that was away for long starts over with a list; what is older than the moment when the stream broke
// has been seen, or is left to the sweep.
type follower struct {
	events client.WithWatch
	now    func() time.Time
	logger *slog.Logger
	take   func(Trigger)
}

var warnings = client.MatchingFields{"type": corev1.EventTypeWarning}

// run follows until ctx ends.
func (f follower) run(ctx context.Context) {
	since := f.now()
	backoff := fresh()
	for ctx.Err() == nil {
		err := flow.Shielded(f.logger, "follow the Warning events", func() error {
			version, err := f.list(ctx, since)
			if err != nil {
				return err
			}
			backoff = fresh()
			defer func() { since = f.now().Add(-slack) }()
			return f.watch(ctx, version)
		})
		if ctx.Err() != nil {
			return
		}
		f.logger.Info("list the Warning events again", "because", err)
		sleep(ctx, backoff.Step())
	}
}

func fresh() wait.Backoff {
	return wait.Backoff{Duration: pause, Factor: 2, Jitter: 0.2, Steps: 8, Cap: pauseMax}
}

// list takes every event that is not older than since, a page at a time, and returns where a watch goes on. A list that is
// cut short because its page expired is an error: the next one starts over.
func (f follower) list(ctx context.Context, since time.Time) (string, error) {
	next := ""
	for {
		var page corev1.EventList
		if err := f.events.List(ctx, &page, warnings, client.Limit(pageSize), client.Continue(next)); err != nil {
			return "", fmt.Errorf("list Warning events: %w", err)
		}
		for i := range page.Items {
			if t := Read(&page.Items[i]); !t.At.Before(since.Truncate(time.Second)) {
				f.take(t)
			}
		}
		if next = page.Continue; next == "" {
			return page.ResourceVersion, nil
		}
	}
}

// watch takes every event that is new or changed, whatever its stamps say: it happens now. It returns why it ended.
func (f follower) watch(ctx context.Context, version string) error {
	for {
		seconds := int64(watchSeconds)
		stream, err := f.events.Watch(ctx, &corev1.EventList{}, warnings,
			&client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: version, TimeoutSeconds: &seconds}})
		if err != nil {
			return fmt.Errorf("watch Warning events: %w", err)
		}
		version, err = f.drain(ctx, stream, version)
		stream.Stop()
		if err != nil {
			return err
		}
		sleep(ctx, pause)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// drain reads a stream to its end. A new event and an update of an old one, a count or a series, are the same to it.
func (f follower) drain(ctx context.Context, stream watch.Interface, version string) (string, error) {
	for {
		select {
		case <-ctx.Done():
			return version, ctx.Err()
		case event, open := <-stream.ResultChan():
			if !open {
				return version, nil
			}
			if event.Type == watch.Error {
				return version, fmt.Errorf("watch Warning events: %w", apierrors.FromObject(event.Object))
			}
			e, ok := event.Object.(*corev1.Event)
			if !ok {
				continue
			}
			version = e.ResourceVersion
			if event.Type == watch.Added || event.Type == watch.Modified {
				f.take(Read(e))
			}
		}
	}
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
