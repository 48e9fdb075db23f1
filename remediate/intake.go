package remediate

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// subject is a pod, or another object, that somebody should look at; without a kind, all pods of a namespace.
type subject struct{ kind, namespace, name, uid string }

func (s subject) String() string {
	return strings.Join([]string{s.namespace, s.kind, s.name, s.uid}, "/")
}

// intake collects the pods to look at and hands each out once it has waited: a burst of events is one look. It is bounded;
// what does not fit is counted and left to the sweep.
type intake struct {
	max  int
	news chan struct{} // holds something where one came in and none waited

	mu    sync.Mutex
	since map[subject]time.Time
	lost  int
}

func newIntake(limit int) *intake {
	return &intake{max: limit, news: make(chan struct{}, 1), since: map[subject]time.Time{}}
}

// add notes a pod; one that waits already keeps its place. False: there is no room.
func (i *intake) add(s subject, now time.Time) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if _, waits := i.since[s]; waits {
		return true
	}
	if len(i.since) >= i.max {
		i.lost++
		return false
	}
	if len(i.since) == 0 {
		select {
		case i.news <- struct{}{}:
		default:
		}
	}
	i.since[s] = now
	return true
}

// rest is how long it takes until the first has waited long enough; false: none waits.
func (i *intake) rest(now time.Time, wait time.Duration) (time.Duration, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	first, some := time.Duration(0), false
	for _, since := range i.since {
		if left := wait - now.Sub(since); !some || left < first {
			first, some = left, true
		}
	}
	return first, some
}

// due takes out the pods that have waited long enough, in a stable order.
func (i *intake) due(now time.Time, wait time.Duration) []subject {
	i.mu.Lock()
	defer i.mu.Unlock()
	var due []subject
	for s, since := range i.since {
		if now.Sub(since) >= wait {
			due = append(due, s)
			delete(i.since, s)
		}
	}
	slices.SortFunc(due, func(a, b subject) int { return strings.Compare(a.String(), b.String()) })
	return due
}

// overflow is how many did not fit since it was asked last.
func (i *intake) overflow() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := i.lost
	i.lost = 0
	return n
}

// judgement is when a happening was judged, on what it looked like, and when somebody looked last.
type judgement struct {
	at, looked time.Time
	shape      string
	plan       string // the digest of what was chosen
}

// memory remembers the judgements, so that what lasts and does not change is judged once in a while and not at each event.
// It is bounded; when full it forgets what was judged longest ago, which is then merely judged again. One goroutine uses it.
type memory struct {
	max       int
	window    time.Duration
	judged    map[string]judgement
	forgotten int
}

func newMemory(limit int, window time.Duration) *memory {
	return &memory{max: limit, window: window, judged: map[string]judgement{}}
}

// looked is whether somebody looked at the happening less than d ago.
func (m *memory) looked(k Key, now time.Time, d time.Duration) bool {
	j, known := m.judged[k.String()]
	return known && now.Sub(j.looked) < d
}

// knows is whether the happening was judged within the window when it looked the same. It counts as a look.
func (m *memory) knows(k Key, shape string, now time.Time) bool {
	j, known := m.judged[k.String()]
	if !known || j.shape != shape || now.Sub(j.at) >= m.window {
		return false
	}
	j.looked = now
	m.judged[k.String()] = j
	return true
}

// plan is the digest of what was chosen when the happening was judged last, and whether anybody remembers. Empty: nothing was.
func (m *memory) plan(k Key) (string, bool) {
	j, known := m.judged[k.String()]
	return j.plan, known
}

// keep remembers a judgement.
func (m *memory) keep(k Key, shape, plan string, now time.Time) {
	if _, known := m.judged[k.String()]; !known && len(m.judged) >= m.max {
		m.makeRoom(now)
	}
	m.judged[k.String()] = judgement{at: now, looked: now, shape: shape, plan: plan}
}

// forget makes the happening new again: it ended.
func (m *memory) forget(k Key) { delete(m.judged, k.String()) }

func (m *memory) makeRoom(now time.Time) {
	oldest, at := "", now
	for key, j := range m.judged {
		if now.Sub(j.at) >= m.window {
			delete(m.judged, key)
			continue
		}
		if oldest == "" || j.at.Before(at) {
			oldest, at = key, j.at
		}
	}
	if len(m.judged) >= m.max {
		delete(m.judged, oldest)
		m.forgotten++
	}
}

// overflow is how many were forgotten before their time since it was asked last.
func (m *memory) overflow() int {
	n := m.forgotten
	m.forgotten = 0
	return n
}
