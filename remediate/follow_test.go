package remediate

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// stage is an API server that serves the given pages, and one stream after the other.
type stage struct {
	client.WithWatch
	pages   [][]corev1.Event
	streams []*watch.FakeWatcher
	lists   int
	from    []string // the resource versions that watches began at
	down    int      // lists that fail
}

func (s *stage) List(_ context.Context, list client.ObjectList, opts ...client.ListOption) error {
	if s.down > 0 {
		s.down--
		return errors.New("connection refused")
	}
	var o client.ListOptions
	o.ApplyOptions(opts)
	if o.FieldSelector.String() != "type=Warning" || o.Limit != pageSize {
		return errors.New("not the list that was promised")
	}
	events := list.(*corev1.EventList)
	events.ResourceVersion = "100"
	if o.Continue == "" {
		s.lists++
		if len(s.pages) > 1 {
			events.Continue = "more"
		}
		events.Items = s.pages[0]
		return nil
	}
	events.Items = s.pages[1]
	return nil
}

func (s *stage) Watch(ctx context.Context, _ client.ObjectList, opts ...client.ListOption) (watch.Interface, error) {
	var o client.ListOptions
	o.ApplyOptions(opts)
	s.from = append(s.from, o.Raw.ResourceVersion)
	if len(s.streams) == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	stream := s.streams[0]
	s.streams = s.streams[1:]
	return stream, nil
}

func warning(name, version string, at time.Time) corev1.Event {
	return corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: name, ResourceVersion: version}, Reason: name, LastTimestamp: metav1.NewTime(at)}
}

// follow runs a follower over the stage until play returns, and names what it took.
func follow(t *testing.T, s *stage, play func()) (taken []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := follower{events: s, now: time.Now, logger: slog.New(slog.DiscardHandler), take: func(t Trigger) { taken = append(taken, t.Reason) }}
	done := make(chan struct{})
	go func() { defer close(done); f.run(ctx) }()
	synctest.Wait()
	play()
	synctest.Wait()
	cancel()
	<-done
	return taken
}

func TestFollowTakesWhatIsNewAndWhatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream := watch.NewFake()
		now := time.Now()
		s := &stage{streams: []*watch.FakeWatcher{stream}, pages: [][]corev1.Event{
			{warning("old", "1", now.Add(-time.Hour)), warning("timeless", "2", time.Time{})}, {warning("new", "3", now.Add(time.Second))}}}
		got := follow(t, s, func() {
			updated, added := warning("updated", "101", now.Add(-time.Hour)), warning("added", "102", time.Time{})
			stream.Modify(&updated)
			stream.Add(&added)
			stream.Delete(&added)
		})
		if !slices.Equal(got, []string{"new", "updated", "added"}) {
			t.Errorf("took %v", got)
		}
	})
}

func TestFollowGoesOnWhereAWatchEndedAndListsAgainWhereItBroke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := watch.NewFake(), watch.NewFake()
		s := &stage{streams: []*watch.FakeWatcher{first, second}, pages: [][]corev1.Event{{}}}
		got := follow(t, s, func() {
			e := warning("added", "101", time.Time{})
			first.Add(&e)
			first.Stop() // the server's own time limit
			time.Sleep(2 * pause)
			synctest.Wait()
			// What happened while the stream was broken is taken, what was seen before it is not.
			s.pages = [][]corev1.Event{{warning("before", "7", time.Now().Add(-2*slack)), warning("meanwhile", "8", time.Now())}}
			second.Error(&metav1.Status{Status: metav1.StatusFailure, Code: 410, Reason: metav1.StatusReasonExpired})
			time.Sleep(10 * time.Second)
		})
		if !slices.Equal(got, []string{"added", "meanwhile"}) || s.lists != 2 || !slices.Equal(s.from, []string{"100", "101", "100"}) {
			t.Errorf("took %v in %d lists, watched from %v", got, s.lists, s.from)
		}
	})
}

func TestFollowWaitsLongerForAServerThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{down: 1000, pages: [][]corev1.Event{{}}}
		follow(t, s, func() { time.Sleep(10 * time.Minute) })
		if asked := 1000 - s.down; asked < 10 || asked > 40 {
			t.Errorf("it asked %d times in 10 minutes", asked)
		}
	})
}
