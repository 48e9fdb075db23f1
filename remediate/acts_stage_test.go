package remediate_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/charts"
	"moorgate.dev/internal/audit"
	ours "moorgate.dev/internal/cluster"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate"
)

// The points at which a process that acts may die.
const (
	beforeIntent   = "before the intent"
	afterUse       = "after the approvals, before the claim"
	afterIntent    = "after the intent, before the claim"
	afterClaim     = "after the claim, before the request"
	afterRequest   = "after the request, without a reply"
	afterReply     = "after the reply, before the outcome"
	afterOutcome   = "after the outcome, before the ledger"
	afterSettled   = "after the ledger, before the Case"
	afterVerified  = "after the verification, before the ledger"
	beforeNothing  = ""
	evictionSuffix = "/eviction"
)

// crew is everything that one process is made of that acts, with the real ledger, hand, guard, approvals and log.
type crew struct {
	acts *acting.Acts
	mgr  ctrl.Manager
	log  *audit.Log
}

// assembly says how to make a crew.
type assembly struct {
	config    *rest.Config
	namespace string
	dir       string           // of the log
	clock     func() time.Time // of everything but the ledger, whose clock the API server's is compared with
	at        func(point string)
	logger    *slog.Logger
	change    func(*acting.Acts, *remediate.Hands)
	answer    func(next http.RoundTripper, req *http.Request) (*http.Response, error) // to an action; nil: as it is
}

func (a assembly) make() (*crew, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	base := rest.CopyConfig(a.config)
	base.Wrap(func(next http.RoundTripper) http.RoundTripper { return dying{next, a.at, a.answer} })
	guarded := ours.Guarded(base, ours.OwnOfAct())
	skip, grace := true, time.Second
	mgr, err := ctrl.NewManager(guarded, ctrl.Options{Scheme: scheme, Metrics: server.Options{BindAddress: "0"}, HealthProbeBindAddress: "0", GracefulShutdownTimeout: &grace,
		Controller: config.Controller{SkipNameValidation: &skip}, Cache: cache.Options{DefaultNamespaces: map[string]cache.Config{a.namespace: {}}}})
	if err != nil {
		return nil, err
	}
	live, err := client.New(guarded, client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	hand, err := ours.NewHand(guarded)
	if err != nil {
		return nil, err
	}
	ledger, err := ours.NewLedger(guarded, time.Now)
	if err != nil {
		return nil, err
	}
	fences, err := ours.VouchingFences(charts.Files)
	if err != nil {
		return nil, err
	}
	approvals := ours.Approvals{Reader: live, Writer: live, Fences: fences, Now: time.Now}
	log, err := audit.Open(a.dir, audit.Options{Now: a.clock, Name: "act"})
	if err != nil {
		return nil, err
	}
	evictions := &remediate.Hands{Reader: mgr.GetCache(), Client: live, Evict: ours.Eviction, Now: a.clock, HealthyDelay: 2 * time.Second, Steady: time.Second, HandsOff: 10 * time.Second,
		Circumstances: ours.Circumstances{Reader: mgr.GetCache(), Ledger: ledger.Read,
			Approvals: approvals.For,
			Paused:    func(context.Context) gate.Fact[[]string] { return gate.Known[[]string](nil) }}}
	acts := &acting.Acts{Face: evictions, Client: live, Log: dyingLog{log, a.at}, Cases: ours.Cases{Client: live, Now: a.clock},
		Guardrails: ours.Guardrails{Reader: mgr.GetCache(), Now: a.clock}, Actor: dyingActor{hand, a.at}, Reserve: ledger.Reserve, Ledger: ledger.Read,
		Settle: func(ctx context.Context, id string, r gate.Result) error {
			if r.Verified() {
				a.at(afterVerified)
			}
			err := ledger.Settle(ctx, id, r)
			a.at(afterSettled)
			return err
		},
		Use: func(ctx context.Context, namespace string, given []gate.Approval, reservation string) (*gate.Reason, error) {
			refused, err := approvals.Use(ctx, namespace, given, reservation)
			a.at(afterUse)
			return refused, err
		},
		Unresolved: func() []gate.Record {
			var open []gate.Record
			for _, e := range log.Unresolved() {
				open = append(open, e.Record)
			}
			return open
		},
		Now: a.clock, Logger: a.logger, Every: 300 * time.Millisecond, Grace: 3 * time.Second, Within: 1500 * time.Millisecond}
	if a.change != nil {
		a.change(acts, evictions)
	}
	return &crew{acts: acts, mgr: mgr, log: log}, errors.Join(evictions.Complete(), acts.SetUp(mgr))
}

// run acts until ctx ends.
func (c *crew) run(ctx context.Context) error {
	return errors.Join(c.mgr.Start(ctx), c.log.Close())
}

// dying is a transport that dies with its process when an action was answered.
type dying struct {
	next   http.RoundTripper
	at     func(string)
	answer func(http.RoundTripper, *http.Request) (*http.Response, error)
}

func (d dying) RoundTrip(req *http.Request) (*http.Response, error) {
	amends := req.Method == http.MethodPatch && strings.Contains(req.URL.Path, "/apis/apps/") && !strings.Contains(req.URL.RawQuery, "dryRun")
	if !strings.HasSuffix(req.URL.Path, evictionSuffix) && !amends {
		return d.next.RoundTrip(req)
	}
	if d.answer != nil {
		return d.answer(d.next, req)
	}
	resp, err := d.next.RoundTrip(req)
	d.at(afterRequest)
	return resp, err
}

type dyingLog struct {
	flow.Log
	at func(string)
}

func (l dyingLog) Append(ctx context.Context, r gate.Record) (gate.Position, error) {
	if r.Kind == gate.RecordIntent {
		l.at(beforeIntent)
	}
	at, err := l.Log.Append(ctx, r)
	switch r.Kind {
	case gate.RecordIntent:
		l.at(afterIntent)
	case gate.RecordOutcome:
		l.at(afterOutcome)
	}
	return at, err
}

type dyingActor struct {
	flow.Actor
	at func(string)
}

func (a dyingActor) Act(ctx context.Context, permit gate.Permit, plan gate.Action) (gate.Outcome, error) {
	a.at(afterClaim)
	outcome, err := a.Actor.Act(ctx, permit, plan)
	a.at(afterReply)
	return outcome, err
}

// read returns every record of a log.
func read(dir string) ([]gate.Record, error) {
	var all []gate.Record
	for e, err := range audit.Read(dir) {
		if err != nil {
			return nil, fmt.Errorf("read log %s: %w", dir, err)
		}
		all = append(all, e.Record)
	}
	return all, nil
}
