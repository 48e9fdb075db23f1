package witness

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// wantedEvery is how often it is looked whether there is anything to be witnessed.
const wantedEvery = 5 * time.Second

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
		lists := cache.ToListWatcherWithWatchListSemantics(cache.NewListWatchFromClient(k.served(clients), k.resource, "", fields.Everything()), clients)
		reflector := cache.NewReflectorWithOptions(lists, k.object(), &feed{book: w.book, kind: k}, cache.ReflectorOptions{Name: "witness " + k.resource})
		running.Go(func() { reflector.RunWithContext(ctx) })
	}
	running.Wait()
	return nil
}

// feed is what a reflector fills: it hands on what it is given, and keeps none.
type feed struct {
	book *Book
	kind *kind
}

var _ cache.ReflectorStore = (*feed)(nil)

func (f *feed) Add(o any) error    { return f.hand(o, false) }
func (f *feed) Update(o any) error { return f.hand(o, false) }
func (f *feed) Delete(o any) error { return f.hand(o, true) }
func (f *feed) Resync() error      { return nil }

func (f *feed) Replace(all []any, _ string) error {
	names := make(map[string]bool, len(all))
	for _, o := range all {
		if object, ok := o.(client.Object); ok {
			names[f.kind.key(object.GetNamespace(), object.GetName())] = true
			f.book.seen(f.kind, object, false)
		}
	}
	f.book.left(f.kind, names)
	return nil
}

func (f *feed) hand(o any, gone bool) error {
	object, ok := o.(client.Object)
	if !ok {
		return fmt.Errorf("watch %s: %T is none", f.kind.resource, o)
	}
	f.book.seen(f.kind, object, gone)
	return nil
}
