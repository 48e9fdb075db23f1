package acting

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// Acts carries out what is permitted about the Cases of one face, one action at a time, and looks afterwards whether it helped.
//
// From a Case it takes nothing but which happening it is and the digest of the plan that was chosen. The face looks at the world
// and writes the menu, and the guardrail decides again; where these do not come to the same plan, it is held.
type Acts struct {
	Face Face
	// Client reads without a cache. Guardrails are read through it just before acting.
	Client client.Reader
	Log    flow.Log
	// Cases reads and writes Cases without a cache.
	Cases cluster.Cases
	// Guardrails may read from a cache.
	Guardrails cluster.Guardrails

	// Actor does what a Permit allows.
	Actor flow.Actor
	// Reserve spends from the budgets, Settle says in the ledger what came of it, and Ledger reads it. nil: there is none to ask.
	Reserve func(ctx context.Context, p gate.Policy, next gate.Spent) (id string, refused *gate.Reason, err error)
	Settle  func(ctx context.Context, id string, r gate.Result) error
	Ledger  func(ctx context.Context) (gate.Ledger, []gate.Tally, error)
	// Use uses up approvals for a reservation.
	Use func(ctx context.Context, namespace string, given []gate.Approval, reservation string) (refused *gate.Reason, err error)
	// Unresolved are the intents of which Log does not say what came of them. nil: there are never any.
	Unresolved func() []gate.Record

	Now    func() time.Time
	Logger *slog.Logger

	// Every is how often a Case on which something may be done is looked at. What wakes it earlier are the Case itself,
	// Approvals and Guardrails. Default 30 s.
	Every time.Duration
	// Grace is how long an intent without an outcome has to be seen before it is found out what became of it: whoever made it may
	// be about to carry it out, for as long as Within, and the other side may be at it for a minute more. It is counted from when
	// this process saw it first, by its own clock. Default 2 min, and never less than twice Within.
	Grace time.Duration
	// Within is how long after it was reserved an action may still be begun. Default 30 s.
	Within time.Duration

	lock  sync.Mutex // held while anything is looked at: one at a time
	self  string     // the id of Log, once it is known
	seen  *sightings // of intents that somebody else may be carrying out
	words *sightings // of humans, as far as they are recorded
}

const maxKnown = 4096

// Complete checks that nothing is missing, and fills in what may be left out.
func (a *Acts) Complete() error {
	if a.Face == nil || a.Client == nil || a.Log == nil || a.Cases.Client == nil || a.Guardrails.Reader == nil || a.Actor == nil ||
		a.Reserve == nil || a.Settle == nil || a.Use == nil || a.Now == nil || a.Logger == nil {
		return errors.New("start to act on Cases: Face, Client, Log, Cases, Guardrails, Actor, Reserve, Settle, Use, Now and Logger are all needed")
	}
	if a.Cases.Now == nil {
		a.Cases.Now = a.Now
	}
	for d, standard := range map[*time.Duration]time.Duration{&a.Every: 30 * time.Second, &a.Grace: 2 * time.Minute, &a.Within: 30 * time.Second} {
		if *d < 0 {
			return fmt.Errorf("start to act on Cases: %s is not a time to wait", *d)
		}
		if *d == 0 {
			*d = standard
		}
	}
	a.Grace = max(a.Grace, 2*a.Within)
	a.seen, a.words = newSightings(maxKnown), newSightings(maxKnown)
	return nil
}

// Reconcile looks at one Case and does what there is to do about it. What fails is logged and tried again after Every: an
// error would be tried again at once, and then ever more rarely.
func (a *Acts) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	a.lock.Lock()
	defer a.lock.Unlock()
	var next time.Duration
	err := flow.Shielded(a.Logger, "act on a Case", func() (err error) {
		next, err = a.visit(ctx, req.NamespacedName)
		return err
	})
	if err != nil && ctx.Err() == nil {
		if !errors.Is(err, flow.ErrPanicked) {
			a.Logger.Warn("act on a Case", "case", req.String(), "error", gate.OneLine(err.Error(), 1024))
		}
		next = a.Every
	}
	return reconcile.Result{RequeueAfter: next}, nil
}

// visit does what a Case's phase asks for, and returns when to look again; 0 is when something wakes it.
func (a *Acts) visit(ctx context.Context, key client.ObjectKey) (time.Duration, error) {
	var c v1alpha1.Case
	if err := a.Cases.Client.Get(ctx, key, &c); err != nil {
		return 0, client.IgnoreNotFound(err)
	}
	if c.Spec.Signal.Face != string(a.Face.Name()) || !a.Face.Ours(&c) {
		return 0, nil // it is not what its name says
	}
	if err := a.introduce(ctx); err != nil {
		return 0, err
	}
	switch phase(&c) {
	case v1alpha1.PhaseActing:
		return a.recover(ctx, &c)
	case v1alpha1.PhaseActed:
		return a.verify(ctx, &c)
	}
	if a.leftOpen(&c) {
		return a.verify(ctx, &c)
	}
	return a.consider(ctx, &c)
}

// leftOpen is whether something may still be open in Git, though what it was about is over: it was to be made anew, and that was held
// or refused. What is done live leaves nothing open.
func (a *Acts) leftOpen(c *v1alpha1.Case) bool {
	p := phase(c)
	return a.Face.Reach() == gate.ReachGit && a.Face.Over(c) && c.Status.Acting != nil && c.Status.Acting.Intent != nil &&
		(p == v1alpha1.PhaseHeld || p == v1alpha1.PhaseRefused)
}

// introduce notes once that this process may act from now on. By where that note stands the log's id is known.
func (a *Acts) introduce(ctx context.Context) error {
	if a.self != "" {
		return nil
	}
	at, err := a.Log.Append(ctx, gate.Record{Kind: gate.RecordNote, Text: "ready to act on Cases"})
	if err != nil {
		return fmt.Errorf("write to the audit log, so nothing is done: %w", err)
	}
	a.self = at.Log
	return nil
}

func phase(c *v1alpha1.Case) string {
	if c.Status.Acting == nil {
		return ""
	}
	return c.Status.Acting.Phase
}

// Chosen is the digest of the one action that was chosen for a Case, if it reaches just so far. Nothing else of it is believed.
func Chosen(c *v1alpha1.Case, reach gate.Reach) (string, bool) {
	if len(c.Status.Chosen) != 1 {
		return "", false
	}
	for _, m := range c.Status.Menu {
		if m.ID == c.Status.Chosen[0] {
			return m.Digest, m.Reach == reach.String()
		}
	}
	return "", false
}
