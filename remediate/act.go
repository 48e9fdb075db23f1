package remediate

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

// Acts carries out what is permitted about the Cases of this face, one action at a time, and looks afterwards whether it
// helped. In this version that is to evict one pod.
//
// From a Case it takes nothing but which happening it is and the digest of the plan that was chosen. It looks at the world
// itself, writes the menu itself, and has the guardrail decide again; where these do not come to the same plan, it is held.
// Nothing of what it does outlives the process but in the log, the ledger and the Case, so that any other process can take over.
type Acts struct {
	// Reader reads pods and ReplicaSets for a first look, in which most is held. It may be an informer cache.
	Reader client.Reader
	// Client reads without a cache: what is acted on must be what the API server has now.
	Client client.Reader
	// Owners is as in Watcher. Default Client.
	Owners client.Reader
	Log    flow.Log
	// Cases reads and writes Cases without a cache.
	Cases cluster.Cases
	// Guardrails may read from a cache. Just before acting they are read through Client.
	Guardrails    cluster.Guardrails
	Circumstances cluster.Circumstances

	// Actor does what a Permit allows, and Evict says what the request is that evicts a pod.
	Actor flow.Actor
	Evict func(pod gate.Ref) (gate.Request, error)
	// Reserve spends from the budgets, and Settle says in the ledger what came of it.
	Reserve func(ctx context.Context, p gate.Policy, next gate.Spent) (id string, refused *gate.Reason, err error)
	Settle  func(ctx context.Context, id string, r gate.Result) error
	// Use uses up approvals for a reservation.
	Use func(ctx context.Context, namespace string, given []gate.Approval, reservation string) (refused *gate.Reason, err error)
	// Unresolved are the intents of which Log does not say what came of them. nil: there are never any.
	Unresolved func() []gate.Record

	Now    func() time.Time
	Logger *slog.Logger

	// Every is how often a Case on which something may be done is looked at. What wakes it earlier are the Case itself,
	// Approvals and Guardrails. Default 30 s.
	Every time.Duration
	// HealthyDelay is how long after an action it is looked at whether it helped. Default 2 min.
	HealthyDelay time.Duration
	// Steady is how long a container has to run and be ready before it counts as well. Default 1 min, and at most half of HealthyDelay.
	Steady time.Duration
	// Grace is how long an intent without an outcome has to be seen before it is found out what became of it: whoever made it may
	// be about to carry it out, for as long as Within, and the API server may be at it for a minute more. It is counted from when
	// this process saw it first, by its own clock. Default 2 min, and never less than twice Within.
	Grace time.Duration
	// Within is how long after it was reserved an action may still be begun. Default 30 s.
	Within time.Duration

	lock  sync.Mutex // held while anything is looked at: one at a time
	self  string     // the id of Log, once it is known
	seen  *sightings // of intents that somebody else may be carrying out
	words *sightings // of humans, as far as they are recorded
	first eye
}

// complete checks that nothing is missing, and fills in what may be left out.
func (a *Acts) complete() error {
	if a.Reader == nil || a.Client == nil || a.Log == nil || a.Cases.Client == nil || a.Guardrails.Reader == nil || a.Actor == nil ||
		a.Evict == nil || a.Reserve == nil || a.Settle == nil || a.Use == nil || a.Now == nil || a.Logger == nil {
		return errors.New("start to act on Cases: Reader, Client, Log, Cases, Guardrails, Actor, Evict, Reserve, Settle, Use, Now and Logger are all needed")
	}
	if a.Owners == nil {
		a.Owners = a.Client
	}
	if a.Cases.Now == nil {
		a.Cases.Now = a.Now
	}
	for d, standard := range map[*time.Duration]time.Duration{&a.Every: 30 * time.Second, &a.HealthyDelay: 2 * time.Minute,
		&a.Grace: 2 * time.Minute, &a.Within: 30 * time.Second} {
		if *d < 0 {
			return fmt.Errorf("start to act on Cases: %s is not a time to wait", *d)
		}
		if *d == 0 {
			*d = standard
		}
	}
	if a.Steady == 0 {
		a.Steady = min(time.Minute, a.HealthyDelay/2) // what is looked at after HealthyDelay must be able to count as well
	}
	a.Grace = max(a.Grace, 2*a.Within)
	a.seen, a.words = newSightings(maxKnown), newSightings(maxKnown)
	a.first = eye{reader: a.Reader, owners: a.Owners, settle: a.Steady, roots: newRoots(maxRoots, allRoots, rootsFor)}
	return nil
}

// Reconcile looks at one Case and does what there is to do about it. What fails is logged and tried again after Every: an
// error would be tried again at once, and then ever more rarely.
func (a *Acts) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	a.lock.Lock()
	defer a.lock.Unlock()
	var next time.Duration
	err := shielded(a.Logger, "act on a Case", func() (err error) {
		next, err = a.visit(ctx, req.NamespacedName)
		return err
	})
	if err != nil && ctx.Err() == nil {
		if !errors.Is(err, errPanicked) {
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
	k, ok := keyOf(&c)
	if !ok || c.Spec.Signal.Face != string(gate.FaceRemediate) || c.Name != signalOf(k).CaseName() {
		return 0, nil // it is not what its name says
	}
	if err := a.introduce(ctx); err != nil {
		return 0, err
	}
	switch phase(&c) {
	case v1alpha1.PhaseActing:
		return a.recover(ctx, &c)
	case v1alpha1.PhaseActed:
		return a.verify(ctx, &c, k)
	}
	return a.consider(ctx, &c, k)
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
