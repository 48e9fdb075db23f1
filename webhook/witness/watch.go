package witness

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	wantedEvery = 5 * time.Second // how often it is looked whether there is anything to be witnessed
	watchAgain  = time.Second     // how long a watch that ended waits before it begins again
)

// Watch shows a Book what was stored. It keeps nothing of it.
type Watch struct {
	config *rest.Config
	book   *Book
	wanted func(context.Context) bool
}

// NewWatch has a book told of all versions of the tracked kinds, from when wanted says that something declares objects.
func NewWatch(config *rest.Config, book *Book, wanted func(context.Context) bool) *Watch {
	return &Watch{config: config, book: book, wanted: wanted}
}

// NeedLeaderElection says that every replica watches for itself.
func (w *Watch) NeedLeaderElection() bool { return false }

// Start watches until ctx ends.
func (w *Watch) Start(ctx context.Context) error {
	ticker := time.NewTicker(wantedEvery)
	defer ticker.Stop()
	for !w.wanted(ctx) {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
	config := rest.CopyConfig(w.config)
	config.ContentType, config.AcceptContentTypes = "application/vnd.kubernetes.protobuf", "application/vnd.kubernetes.protobuf,application/json"
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("prepare to watch what people change: %w", err)
	}
	var running sync.WaitGroup
	for i := range kinds {
		k := &kinds[i]
		f := feed{book: w.book, kind: k, from: cache.ToListerWatcherWithContext(cache.NewListWatchFromClient(k.served(clients), k.resource, metav1.NamespaceAll, fields.Everything()))}
		running.Go(func() { f.run(ctx) })
	}
	running.Wait()
	return nil
}

// feed hands on the versions of all objects of a kind as they come, and keeps none. It begins with what is written from now on: to list
// what there is would hold all of it in memory at once, for nothing. Where the watch was broken for longer than the API server
// remembers, it begins anew, and what came in between is lost.
type feed struct {
	book *Book
	kind *kind
	from cache.ListerWatcherWithContext
}

// run watches until ctx ends, and begins again whenever the watch does.
func (f feed) run(ctx context.Context) {
	version := ""
	for ctx.Err() == nil {
		var err error
		if version == "" {
			version, err = f.now(ctx)
		}
		if err == nil {
			version, err = f.watch(ctx, version)
		}
		if err != nil && ctx.Err() == nil {
			f.book.Logger.WarnContext(ctx, "what people change is not seen for a while", "resource", f.kind.resource, "error", err)
		}
		select {
		case <-time.After(watchAgain):
		case <-ctx.Done():
		}
	}
}

// now is the version that a watch begins from. One object is read for it, and thrown away.
func (f feed) now(ctx context.Context) (string, error) {
	list, err := f.from.ListWithContext(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return "", fmt.Errorf("look from when to watch %s: %w", f.kind.resource, err)
	}
	m, err := meta.ListAccessor(list)
	if err != nil {
		return "", fmt.Errorf("look from when to watch %s: %w", f.kind.resource, err)
	}
	return m.GetResourceVersion(), nil
}

// watch hands on what comes after a version until the watch ends, and answers where to go on; from anew where that is empty.
func (f feed) watch(ctx context.Context, version string) (string, error) {
	watching, err := f.from.WatchWithContext(ctx, metav1.ListOptions{ResourceVersion: version, AllowWatchBookmarks: true})
	if err != nil {
		return f.onward(version, err)
	}
	defer watching.Stop()
	for event := range watching.ResultChan() {
		o, ok := event.Object.(client.Object)
		if !ok {
			return f.onward(version, apierrors.FromObject(event.Object))
		}
		version = o.GetResourceVersion()
		if event.Type != watch.Bookmark {
			f.book.seen(f.kind, o, event.Type == watch.Deleted)
		}
	}
	return version, nil
}

// onward is where a watch goes on that failed: where it was, unless the API server has forgotten that.
func (f feed) onward(version string, err error) (string, error) {
	if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
		version = ""
	}
	return version, fmt.Errorf("watch %s: %w", f.kind.resource, err)
}
