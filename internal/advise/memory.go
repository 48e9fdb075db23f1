package advise

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"moorgate.dev/internal/flow"
)

// Memory shares what models said among questions of the same shape: a storm in which a hundred workloads fail alike is asked about
// once. What is remembered is what was said, and never what was made of it: it is held against the question at hand each time. A
// failure is remembered too, for a shorter time, so that an endpoint that is down is not asked for every Case.
type Memory struct {
	now   func() time.Time
	keeps time.Duration
	most  int

	lock    sync.Mutex
	entries map[string]*sharing
}

// How long what was said is shared, and how many answers are kept.
const (
	memoryKeeps    = 15 * time.Minute
	memoryFailures = time.Minute
	memoryMost     = 1000
)

// sharing is one answer, or the wait for one.
type sharing struct {
	done  chan struct{} // closed once there is an answer
	said  looks
	at    time.Time // of the answer
	until time.Time
}

// NewMemory makes an empty Memory.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, keeps: memoryKeeps, most: memoryMost, entries: map[string]*sharing{}}
}

// recall is what was said about a question of this shape, if that is remembered. It never waits.
func (m *Memory) recall(key string) (looks, bool) {
	if m == nil || key == "" {
		return looks{}, false
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	e, ok := m.entries[key]
	if !ok || e.at.IsZero() || !m.now().Before(e.until) {
		return looks{}, false
	}
	return e.said, true
}

// share is what was said about questions of this shape; where nobody knows, ask is called, once for all that wait for it.
func (m *Memory) share(ctx context.Context, key string, ask func() looks) looks {
	if m == nil || key == "" {
		return ask()
	}
	e, first := m.claim(key)
	if !first {
		select {
		case <-e.done:
			return e.said
		case <-ctx.Done():
			return looks{failed: &Failure{Kind: FailedTime, Text: "another question of the same shape was asked, and no answer came in time"}}
		}
	}
	said := looks{failed: &Failure{Kind: FailedContent, Text: "asking ended without an answer"}}
	defer func() { m.keep(e, said) }() // also where ask panics: nobody may wait for ever
	said = ask()
	return said
}

// claim is the entry of a key, and whether the caller is the one who has to fill it.
func (m *Memory) claim(key string) (*sharing, bool) {
	m.lock.Lock()
	defer m.lock.Unlock()
	now := m.now()
	if e, ok := m.entries[key]; ok && (e.at.IsZero() || now.Before(e.until)) {
		return e, false
	}
	if len(m.entries) >= m.most {
		m.forget(now)
	}
	e := &sharing{done: make(chan struct{})}
	m.entries[key] = e
	return e, true
}

// forget drops what has expired and, where that is too little, what is oldest.
func (m *Memory) forget(now time.Time) {
	oldest := ""
	for key, e := range m.entries {
		switch {
		case e.at.IsZero():
		case !now.Before(e.until):
			delete(m.entries, key)
		case oldest == "" || e.at.Before(m.entries[oldest].at):
			oldest = key
		}
	}
	if len(m.entries) >= m.most && oldest != "" {
		delete(m.entries, oldest)
	}
}

func (m *Memory) keep(e *sharing, said looks) {
	m.lock.Lock()
	defer m.lock.Unlock()
	e.said, e.at = said, m.now()
	e.until = e.at.Add(m.keeps)
	if said.failed != nil {
		e.until = e.at.Add(min(memoryFailures, m.keeps))
	}
	close(e.done)
}

// shape is the key of a question: what an answer to it rests on. Empty: it is shared with nobody. Nothing is shared between namespaces,
// whose owners may not trust each other: one could write a log that ends like another's and steers the answer before.
func shape(q flow.Question) string {
	if q.Shape == "" {
		return ""
	}
	var menu, claims []string
	for _, a := range q.Facts.Menu {
		menu = append(menu, a.ID+"\x00"+a.Verb)
	}
	for c, holds := range q.Claims {
		value, known := holds.Get()
		b, _ := json.Marshal([]any{c.Kind, known, value}) // what it is about differs from one workload to the next
		claims = append(claims, string(b))
	}
	slices.Sort(claims)
	sum := sha256.Sum256([]byte(strings.Join([]string{string(q.Signal.Face), q.Signal.Subject.Namespace, q.Shape, q.Asking.Expert.String(), strings.Join(menu, "\x01"), strings.Join(claims, "\x01")}, "\x02")))
	return hex.EncodeToString(sum[:])
}
