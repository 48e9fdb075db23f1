package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
	"moorgate.dev/remediate"
	"moorgate.dev/webhook"
	"moorgate.dev/webhook/probe"
)

// process is what the parts of one running Moorgate share.
type process struct {
	options
	log     recorder // a metered one
	logger  *slog.Logger
	ready   readiness
	metrics *metrics
	spans   *tracing // nil: no spans are sent
	models  *models  // nil: none is asked
	aside   *flow.Aside
	ahead   *flow.Aside  // of those whose client waits
	passage *redact.Door // where the log is not kept here
	// readiness answers beside the log, where a judge is among the parts.
	readiness *readinessServer
	// alerts are taken beside it, and bell is what they ring, where a judge is among the parts.
	alerts  *alertServer
	bell    *remediate.Bell
	probes  *probe.Prober    // nil: no host outside is asked
	offered *webhook.Offered // of one of the parts

	auditing sync.Once // for the parts that share one log
}

// part is something that runs until the process ends: a face or two under one identity.
type part struct {
	name      string
	identity  string                 // a kubeconfig; empty: the process's own
	own       cluster.Own            // what its identity writes without a Permit
	forbidden []right                // what its identity must not be able to do
	trim      func(any) (any, error) // of what its caches hold, beside slim; nil: nothing
	lease     string                 // what one replica at a time holds, in our own namespace; empty: every replica works
	add       func(ctx context.Context, p *process, mgr ctrl.Manager) error
}

var errStill = errors.New("still filling")

const shutdownTime = 20 * time.Second

// serve runs parts, each under its own identity, until ctx ends or one fails.
func serve(cmd *cobra.Command, o options, role string, parts ...part) error {
	if err := o.check(); err != nil {
		return err
	}
	logger := o.logger(cmd.ErrOrStderr())
	libraries := o.libraryLogger(cmd.ErrOrStderr())
	ctrl.SetLogger(logr.FromSlogHandler(libraries.Handler()))
	klog.SetSlogLogger(libraries)
	log, err := openRecorder(cmd.Context(), o, role, cmd.OutOrStdout(), logger)
	if err != nil {
		return err
	}
	counted := newMetrics()
	p := &process{options: o, log: metered{log, counted}, logger: logger, metrics: counted}
	p.ready.add("audit log", log.state)
	if p.passage, err = openDoor(""); err != nil {
		return errors.Join(err, log.close())
	}
	if p.spans, err = openTracing(cmd.Context(), o.tracing, role, logger); err == nil {
		err = p.prepareModels(cmd.Context())
	}
	if err == nil {
		err = p.prepareProbes()
	}
	if err == nil {
		err = p.run(cmd.Context(), role, parts)
	}
	if lost := p.spans.close(cmd.Context()); lost != nil {
		logger.Warn("some spans were not sent", "error", lost)
	}
	if closeErr := log.close(); closeErr != nil {
		err = errors.Join(err, fmt.Errorf("close the audit log: %w", closeErr))
	}
	return err
}

func (p *process) run(ctx context.Context, role string, parts []part) error {
	if err := p.note(ctx, "started as "+role+" "+version()); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	start := func(name string, run func(context.Context) error) {
		running.Go(func() {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				cancel(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	var complete atomic.Bool
	p.ready.add("parts", func(context.Context) error {
		if !complete.Load() {
			return errors.New("being put together")
		}
		return nil
	})
	start("health", p.serveHealth)
	start("audit log", p.log.run)
	if p.probes != nil {
		start("probes", p.probes.Start)
		start("list of probes", p.followProbes)
	}
	for _, part := range parts {
		mgr, err := p.manager(ctx, part)
		if err == nil {
			err = part.add(ctx, p, mgr)
		}
		if err != nil {
			cancel(fmt.Errorf("set up %s: %w", part.name, err))
			break
		}
		start(part.name, mgr.Start)
	}
	complete.Store(ctx.Err() == nil)
	if len(p.paused) > 0 {
		p.logger.WarnContext(ctx, "paused: nothing is touched while this process runs", "because", p.paused)
	}
	p.logger.InfoContext(ctx, "moorgate runs", "as", role, "version", version(), "audit", absolute(p.auditDir))
	<-ctx.Done()
	running.Wait()
	err := p.note(context.WithoutCancel(ctx), "stopped")
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

func (p *process) note(ctx context.Context, text string) error {
	if _, err := p.log.Append(ctx, gate.Record{Kind: gate.RecordNote, Text: text}); err != nil {
		return fmt.Errorf("write to the audit log: %w", err)
	}
	return nil
}

// manager runs the controllers and caches of one part under its identity.
func (p *process) manager(ctx context.Context, part part) (ctrl.Manager, error) {
	s, err := scheme()
	if err != nil {
		return nil, err
	}
	config, err := restConfig(part.identity, p.kubeconfig)
	if err != nil {
		return nil, err
	}
	if err := reach(ctx, config); err != nil {
		return nil, err
	}
	if err := p.refuseExcess(ctx, part, config); err != nil {
		return nil, err
	}
	config = cluster.Guarded(config, part.own) // every client of this part is made of the manager's config
	grace := shutdownTime
	mgr, err := ctrl.NewManager(config, ctrl.Options{Scheme: s, Metrics: server.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		GracefulShutdownTimeout: &grace, Cache: cache.Options{DefaultTransform: part.slim}, Client: client.Options{Cache: &client.CacheOptions{DisableFor: seldom()}},
		LeaderElection: part.lease != "", LeaderElectionID: part.lease, LeaderElectionNamespace: ownNamespace, LeaderElectionReleaseOnCancel: true})
	if err != nil {
		return nil, fmt.Errorf("prepare caches and controllers: %w", err)
	}
	p.ready.add(part.name+"'s caches", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		if !mgr.GetCache().WaitForCacheSync(ctx) {
			return errStill
		}
		return nil
	})
	return mgr, nil
}

// seldom are the kinds of which one is read now and then: no cache is kept of all there are.
func seldom() []client.Object { return []client.Object{&batchv1.Job{}, &batchv1.CronJob{}} }

// reach fails early and clearly where there is no API server, instead of in a retry loop.
func reach(ctx context.Context, config *rest.Config) error {
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return fmt.Errorf("connect to the API server: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, config.Host+"/version", nil)
	if err != nil {
		return fmt.Errorf("connect to the API server at %s: %w", config.Host, err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("connect to the API server at %s (is it up, and is this the right kubeconfig?): %w", config.Host, err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode == http.StatusUnauthorized {
		return fmt.Errorf("connect to the API server at %s: it does not know this identity (%s)", config.Host, resp.Status)
	}
	return nil
}
