package witness

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
	"moorgate.dev/webhook"
)

const (
	// writesMost and writesSize bound what is kept of writes that no watch has shown yet.
	writesMost = 1024
	writesSize = 64 << 20 // bytes
	writesEach = 32       // of one object: each version that the watch shows is held against all of them
	// standsMost bounds how many writes are watched at a time whether they are put back.
	standsMost = 512
	waitMost   = 15 * time.Second
	// standsFor is how long a write has to stand before it is told as one that nobody put back. Argo looks again after five seconds.
	standsFor = 8 * time.Second
	lookEvery = 250 * time.Millisecond
	// objectMost and namespaceMost are how many Cases there are in an hour of one object, and in one namespace.
	objectMost    = 8
	namespaceMost = 100
)

// Book keeps what people did until it is known what became of it. All fields are needed but StandsFor.
type Book struct {
	Now   func() time.Time
	Offer func(webhook.Opening) bool
	Door  *redact.Door
	// Tracked is whether something declares what is in a namespace. Objects that carry the mark of a delivery tool are tracked
	// wherever they are.
	Tracked func(namespace string) bool
	Logger  *slog.Logger
	// StandsFor, where above 0, is in place of eight seconds.
	StandsFor time.Duration

	mu      sync.Mutex // of what requests touch: held for moments
	waiting map[string][]*write
	count   int
	size    int
	lost    int // writes that there was no room for

	work   sync.Mutex // of what the watch and the clock touch; taken before mu
	marker marker
	stands map[string][]*stand
	upheld int // how many stands there are
	caps   caps
}

// take notes a write that is being asked for.
func (b *Book) take(w *write) {
	if w.name == "" {
		w.name = nameIn(w)
	}
	w.user = gate.OneLine(w.user, userMost)
	w.bytes = w.size()
	at := w.kind.key(w.namespace, w.name)
	b.mu.Lock()
	defer b.mu.Unlock()
	if w.name == "" || b.count >= writesMost || b.size+w.bytes > writesSize || len(b.waiting[at]) >= writesEach {
		b.lost++ // a flood: what is not told is no loss of anybody's write
		return
	}
	if b.waiting == nil {
		b.waiting = map[string][]*write{}
	}
	b.waiting[at] = append(b.waiting[at], w)
	b.count++
	b.size += w.bytes
}

// nameIn is the name inside of the object, for requests that name none: a generated one, or one of many that are deleted at once.
func nameIn(w *write) string {
	var o metav1.PartialObjectMetadata
	for _, raw := range [][]byte{w.after, w.before} {
		if len(raw) > 0 && json.Unmarshal(raw, &o) == nil {
			return o.Name
		}
	}
	return ""
}

func (k *kind) key(namespace, name string) string {
	return k.group + "/" + k.resource + "/" + namespace + "/" + name
}

// remove takes writes out of those that wait. The caller holds mu.
func (b *Book) remove(at string, out func(*write) bool) {
	b.waiting[at] = slices.DeleteFunc(b.waiting[at], func(w *write) bool {
		if !out(w) {
			return false
		}
		b.count--
		b.size -= w.bytes
		return true
	})
	if len(b.waiting[at]) == 0 {
		delete(b.waiting, at)
	}
}

// seen is told of every version of every object, in order, and of every one that is gone.
func (b *Book) seen(k *kind, o client.Object, gone bool) {
	at := k.key(o.GetNamespace(), o.GetName())
	b.work.Lock()
	defer b.work.Unlock()
	b.mu.Lock()
	waiting := slices.Clone(b.waiting[at])
	b.mu.Unlock()
	if len(waiting) == 0 && len(b.stands[at]) == 0 {
		return
	}
	var stored *write // a version is one write, however often it was asked about
	asked := map[*write]bool{}
	for _, w := range waiting {
		if w.storedAs(o, gone) {
			stored, asked[w] = w, true
		}
	}
	b.undo(at, o, gone, stored)
	if stored == nil {
		return
	}
	b.mu.Lock()
	b.remove(at, func(w *write) bool { return asked[w] })
	b.mu.Unlock()
	b.stood(at, stored, o)
}

// Start looks after what waits and what stands until ctx ends; then it tells what was stored by then.
func (b *Book) Start(ctx context.Context) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			b.look(false)
		case <-ctx.Done():
			b.look(true)
			return nil
		}
	}
}

// NeedLeaderElection says that every replica tells of what it was asked about.
func (b *Book) NeedLeaderElection() bool { return false }

// look forgets writes that were never stored, and tells of those that stand.
func (b *Book) look(all bool) {
	b.work.Lock()
	defer b.work.Unlock()
	now := b.Now()
	b.mu.Lock()
	for at := range b.waiting {
		b.remove(at, func(w *write) bool { return now.Sub(w.at) > waitMost })
	}
	b.caps.untold += b.lost
	b.lost = 0
	b.mu.Unlock()
	for at, stands := range b.stands {
		b.keep(at, slices.DeleteFunc(stands, func(s *stand) bool {
			if !all && now.Before(s.until) {
				return false
			}
			b.tell(s, "")
			return true
		}))
	}
	if unsaid := b.caps.turn(now); unsaid > 0 {
		b.Logger.Warn("people changed more than is told of in an hour", "untold", unsaid)
	}
}
