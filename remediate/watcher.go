package remediate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
)

// The bounds of what is kept in memory.
const (
	maxWaiting = 4096 // pods to look at
	maxKnown   = 4096 // happenings that were judged lately
	maxRoots   = 1024 // controllers of one namespace whose workload is known
	allRoots   = 16384
)

// rootsFor is how long it is believed which workload a controller belongs to.
const rootsFor = 10 * time.Minute

// settles is how long a container has to run and be ready before it counts as well, where nothing else is said.
const settles = 2 * time.Minute

// breath is the least time between two looks at what waits, so that many events are few looks.
const breath = 50 * time.Millisecond

// Watcher watches a cluster for workloads that fare badly and keeps a Case for each.
type Watcher struct {
	// Reader reads pods and ReplicaSets, and finds the Cases to look at. Each sweep lists every pod: in a large cluster it
	// should be an informer cache. What it lists is never changed, and a cache need not copy it.
	Reader client.Reader
	// Owners reads the metadata of owners, of whatever kind, with their managedFields, and lists GitSources and ReplicaSets. It
	// must not be an informer cache: one that may not watch a kind never answers, where the API server says no at once.
	// Default Events.
	Owners client.Reader
	// Events lists and watches Warning events, from the API server and never from a cache.
	Events client.WithWatch
	Log    flow.Log
	// Cases reads and writes Cases without a cache: one lags behind what was just said on a Case, which would be said again.
	Cases      cluster.Cases
	Guardrails cluster.Guardrails
	// Circumstances are what a verdict on acting rests on besides the happening. Without them it is held.
	Circumstances cluster.Circumstances
	// Beside has a model asked about what the causes could not settle, after the Case says what they found. nil: none is asked.
	Beside flow.Beside
	// Door is what everything passes that is collected for a model; nil: nothing of it comes through.
	Door *redact.Door
	// Logs reads the last bytes of a container's log, at most so many, wherever a line begins. nil: no log is read.
	Logs func(ctx context.Context, pod gate.Ref, container string, previous bool, bytes int64) ([]byte, error)
	// Secrets asks whether a Secret exists, which nobody here may read. nil: none is asked about.
	Secrets func(ctx context.Context, namespace, name string) gate.Fact[bool]
	// Bell is what others ring to have something looked at. nil: nobody does.
	Bell   *Bell
	Now    func() time.Time
	Logger *slog.Logger

	// Wait is how long a pod waits before somebody looks, so that a burst is one look. Default 5 s.
	Wait time.Duration
	// Sweep is how often every pod and every open Case is looked at. Default 2 min.
	Sweep time.Duration
	// Settle is how long a container has to run and be ready before it counts as well. Default 2 min.
	Settle time.Duration
	// Again is after how long a happening that lasts and looks the same is judged again. Default 30 min. One that looks
	// different, with another cause or menu, is judged again at the next sweep.
	Again time.Duration
}

// Run watches until ctx ends. It returns an error only if it cannot begin: what fails later is logged and tried again by
// the next sweep.
func (w Watcher) Run(ctx context.Context) error {
	if err := w.complete(); err != nil {
		return err
	}
	p := &patrol{Watcher: w, eye: eye{reader: w.Reader, owners: w.Owners, settle: w.Settle, secrets: w.Secrets, roots: newRoots(maxRoots, allRoots, rootsFor)},
		intake: newIntake(maxWaiting), memory: newMemory(maxKnown, w.Again), turns: newTurns(w.Sweep), told: map[types.UID]string{},
		shares: newShares(), unwell: map[string]*ground{}, opened: map[string]int{}, counsel: newCounsel(ctx)}
	f := follower{events: w.Events, now: w.Now, logger: w.Logger, take: p.take}
	w.Bell.heardBy(p.rung)
	defer w.Bell.heardBy(nil)
	var following sync.WaitGroup
	following.Go(func() { f.run(ctx) })
	p.run(ctx)
	following.Wait()
	p.counsel.aside.Wait()
	return nil
}

func (w *Watcher) complete() error {
	if w.Reader == nil || w.Events == nil || w.Log == nil || w.Cases.Client == nil || w.Guardrails.Reader == nil || w.Now == nil || w.Logger == nil {
		return errors.New("start to watch workloads: Reader, Events, Log, Cases, Guardrails, Now and Logger are all needed")
	}
	if w.Owners == nil {
		w.Owners = w.Events
	}
	if w.Cases.Now == nil {
		w.Cases.Now = w.Now
	}
	for d, standard := range map[*time.Duration]time.Duration{&w.Wait: 5 * time.Second, &w.Sweep: 2 * time.Minute,
		&w.Settle: settles, &w.Again: 30 * time.Minute} {
		if *d < 0 {
			return fmt.Errorf("start to watch workloads: %s is not a time to wait", *d)
		}
		if *d == 0 {
			*d = standard
		}
	}
	return nil
}

// patrol is a Watcher at work. One goroutine looks and judges; the events only add to the intake.
type patrol struct {
	Watcher
	eye     eye
	intake  *intake
	memory  *memory
	turns   turns
	shares  *shares
	unwell  map[string]*ground   // the nodes that are, by name
	opened  map[string]int       // Cases that are open in a namespace
	told    map[types.UID]string // how a Case ended that is recorded and could not be written on the Case
	counsel *counsel             // about what a model is asked, outside of the one goroutine
}

// take is where events come in.
func (p *patrol) take(t Trigger) {
	if t.ours() {
		p.intake.add(subject{kind: t.Kind, namespace: t.Namespace, name: t.Name, uid: t.UID}, p.Now())
	}
}

// rung is where the bell is heard. What is named without a kind is a whole namespace. False: there is no room.
func (p *patrol) rung(t Trigger) bool {
	return p.intake.add(subject{kind: t.Kind, namespace: t.Namespace, name: t.Name}, p.Now())
}

func (p *patrol) run(ctx context.Context) {
	p.sweep(ctx)
	look, sweep := time.NewTimer(p.Wait), time.NewTicker(p.Sweep)
	defer look.Stop()
	defer sweep.Stop()
	for {
		if rest, some := p.intake.rest(p.Now(), p.Wait); some {
			look.Reset(min(max(rest, breath), p.Wait)) // a clock that was set back makes nobody wait longer
		}
		select {
		case <-ctx.Done():
			return
		case <-sweep.C:
			p.sweep(ctx)
		case <-p.intake.news:
		case <-look.C:
			p.lookAll(ctx)
		}
	}
}

// lookAll looks at what has waited long enough. Those for which there is no time are found by the next sweep.
// What several share is told before each of them is judged: so all are looked at first, as many at a time as are remembered with ease.
func (p *patrol) lookAll(ctx context.Context) {
	for some := range slices.Chunk(p.intake.due(p.Now(), p.Wait), maxTogether) {
		var seen []sight
		for _, s := range some {
			p.visit(ctx, s.namespace, "look at what may fare badly", func(ctx context.Context) error { return p.look(ctx, s, &seen) })
		}
		p.tellShared(ctx)
		for _, s := range seen {
			p.visit(ctx, s.key.Root.Namespace, "judge what fares badly", func(ctx context.Context) error { return p.judge(ctx, s) })
		}
		p.tellShared(ctx)
	}
}

// maxTogether is how many are looked at before what was seen is judged.
const maxTogether = 128

// say tells what went past the bounds, in the log for people and in the record.
func (p *patrol) say(ctx context.Context) {
	var texts []string
	if waiting, known := p.intake.overflow(), p.memory.overflow(); waiting+known > 0 {
		texts = append(texts, fmt.Sprintf("more happens than is kept in memory: %d pods and other objects were left to the sweep, %d happenings may be judged again early", waiting, known))
	}
	if text := p.turns.overflow(); text != "" {
		texts = append(texts, text)
	}
	texts = append(texts, p.shares.crowded()...)
	for _, text := range texts {
		p.Logger.Warn(text)
		if _, err := p.Log.Append(ctx, gate.Record{Kind: gate.RecordNote, Text: text}); err != nil {
			p.Logger.Error("write down that much happens", "error", err)
		}
	}
}
