package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/certs"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/webhook"
	"moorgate.dev/webhook/witness"
)

const (
	// queuedCases is how many Cases may wait to be opened. At a few kilobytes each this is bounded memory; a full queue is
	// said in the answer.
	queuedCases = 1024

	certificateSecret = "moorgate-webhook-certificate"
	certificateLook   = time.Minute // how often the certificate and the registration are looked after
	certificateTry    = 2 * time.Second
	closeTime         = 5 * time.Second
)

// webhookPart is what answers the API server.
func webhookPart(o options) part {
	return part{name: "webhook", identity: o.webhookKubeconfig, own: cluster.OwnOfWebhook(), forbidden: forbidden(neverWebhook), trim: (&webhook.Lean{}).Trim, add: func(ctx context.Context, p *process, mgr ctrl.Manager) error {
		prober, err := addProber(mgr)
		if err != nil {
			return err
		}
		sight, err := newSight(ctx, mgr, prober, p)
		if err != nil {
			return err
		}
		opener, err := cluster.Terse(mgr.GetClient(), mgr.GetConfig(), mgr.GetHTTPClient())
		if err != nil {
			return err
		}
		queue := webhook.NewQueue(cluster.Cases{Client: opener, Now: time.Now}, queuedCases, p.logger)
		if err := mgr.Add(queue); err != nil {
			return err
		}
		if _, err := mgr.GetCache().GetInformer(ctx, &v1alpha1.Case{}, cache.BlockUntilSynced(false)); err != nil {
			return fmt.Errorf("watch Cases: %w", err)
		}
		advice := &webhook.Advice{Reader: mgr.GetAPIReader(), Namespace: ownNamespace, Now: time.Now}
		if err := mgr.Add(advice); err != nil {
			return err
		}
		seen, err := newObserver(ctx, mgr, p)
		if err != nil {
			return err
		}
		return addGate(mgr, p, seen, &webhook.Handler{Sight: sight, Log: p.log, Kinds: p.scored, Queue: queue, Waits: &webhook.Waits{Now: time.Now}, Secrets: prober,
			Cases: mgr.GetCache(), Advice: advice, Door: p.door(), Own: ownUsers(), Logger: p.logger.With("face", "webhook")})
	}}
}

// addGate adds the TLS server, its certificate, and the registration that follows once the server can answer.
func addGate(mgr ctrl.Manager, p *process, seen *observer, handler *webhook.Handler) error {
	authority, err := p.authority(mgr.GetConfig())
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(p.listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("--listen: port %q is not a number", port)
	}
	server := ctrlwebhook.NewServer(ctrlwebhook.Options{Host: host, Port: number,
		TLSOpts: []func(*tls.Config){func(c *tls.Config) { c.GetCertificate, c.MinVersion = authority.GetCertificate, tls.VersionTLS12 }}})
	server.Register(webhook.Path, &webhook.Endpoint{Handler: handler, Logger: p.logger})
	if seen != nil {
		server.Register(witness.Path, &webhook.Endpoint{Handler: seen.handler, Logger: p.logger})
	}
	g := &gateway{process: p, seen: seen, authority: authority, server: server, client: mgr.GetClient(), reader: mgr.GetAPIReader(), synced: mgr.GetCache().WaitForCacheSync,
		ticker: time.NewTicker(certificateLook)}
	p.ready.tell(g.told)
	p.ready.add("certificate", func(context.Context) error { return authority.Ready() })
	p.ready.add("webhook", g.state)
	return errors.Join(mgr.Add(server), mgr.Add(g))
}

// gateway looks after the certificate and registers the webhook, in this order: certificate, caches, server, registration.
// Until then the API server asks nobody, rather than somebody who cannot answer.
type gateway struct {
	*process
	seen       *observer
	authority  *certs.Authority
	server     ctrlwebhook.Server
	client     client.Client
	synced     func(context.Context) bool
	registered atomic.Bool
	reader     client.Reader // without a cache: the identity may read its own registration alone
	disarmed   atomic.Value  // a string: who keeps the registration empty, and why
	ticker     *time.Ticker
}

var _ manager.LeaderElectionRunnable = (*gateway)(nil)

// NeedLeaderElection says that every replica answers.
func (g *gateway) NeedLeaderElection() bool { return false }

func (g *gateway) state(context.Context) error {
	if !g.registered.Load() {
		return errors.New("not registered with the API server yet")
	}
	return g.server.StartedChecker()(nil)
}

// Start runs until ctx ends.
func (g *gateway) Start(ctx context.Context) error {
	defer g.ticker.Stop()
	if !g.until(ctx, "make the serving certificate", func() error { _, err := g.authority.Ensure(ctx); return err }) {
		return nil
	}
	if !g.synced(ctx) || !g.until(ctx, "", func() error { return g.server.StartedChecker()(nil) }) {
		return nil
	}
	debug.FreeOSMemory() // filling the caches takes twice what they hold
	g.authority.Publish = g.register
	if !g.until(ctx, "register the webhook", func() error { _, err := g.authority.Ensure(ctx); return err }) {
		return nil
	}
	g.registered.Store(true)
	if g.told() == "" {
		g.logger.InfoContext(ctx, "the gate is open for questions", "listen", g.listen, "registration", webhook.RegistrationName)
	}
	g.authority.Ticks = g.ticker.C
	err := g.authority.Run(ctx)
	g.close(ctx)
	return err
}

// close takes the registration back where nobody else answers under this address: behind a Service other replicas do, and a
// Service without any fails fast. The API server would ask an address that is gone for every rollout.
func (g *gateway) close(ctx context.Context) {
	if g.url == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	if err := webhook.Deregister(ctx, g.client); err != nil {
		g.logger.WarnContext(ctx, "the registration stays behind; kubectl delete validatingwebhookconfiguration moorgate removes it", "error", err)
	}
}

// until tries until it succeeds or ctx ends; each failure is logged under the name of what is tried.
func (g *gateway) until(ctx context.Context, what string, try func() error) bool {
	for {
		err := try()
		if err == nil {
			return true
		}
		pause := certificateTry
		if what == "" {
			pause = certificateTry / 20
		} else {
			g.logger.WarnContext(ctx, "could not "+what+"; trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
	}
}

func (g *gateway) register(ctx context.Context, caBundle []byte) error {
	if kept, err := g.keptEmpty(ctx); kept || err != nil {
		return err
	}
	o := webhook.RegistrationOptions{CABundle: caBundle, Own: ownUsers(), Kinds: g.scored}
	if g.url != "" {
		o.URL = strings.TrimSuffix(g.url, "/") + webhook.Path
	} else {
		namespace, name, _ := strings.Cut(g.service, "/")
		path := webhook.Path
		o.Service = &admissionregistrationv1.ServiceReference{Namespace: namespace, Name: name, Path: &path}
	}
	config := webhook.Registration(o)
	if g.seen != nil {
		every := wantedLook
		if g.seen.wanted(ctx) {
			config.Webhooks, every = append(config.Webhooks, witness.Hook(o, g.delivery)), certificateLook
		}
		g.ticker.Reset(every)
	}
	return webhook.Register(ctx, g.client, config)
}

// authority makes the serving certificate for the names under which the API server calls.
func (p *process) authority(config *rest.Config) (*certs.Authority, error) {
	a := &certs.Authority{Now: time.Now, Report: func(b certs.Bundle, err error) {
		if err != nil {
			p.logger.Error("the serving certificate could not be looked after; the old one serves on", "error", err)
			return
		}
		p.logger.Info("the serving certificate was renewed", "because", b.Renewed, "until", b.NotAfter)
	}}
	if p.certsDir != "" {
		a.Store = certs.Folder(p.certsDir)
	} else {
		store, err := certs.NewSecret(config, client.ObjectKey{Namespace: ownNamespace, Name: certificateSecret})
		if err != nil {
			return nil, err
		}
		a.Store = store
	}
	if p.url == "" {
		namespace, name, ok := strings.Cut(p.service, "/")
		if !ok {
			return nil, fmt.Errorf("--service %q is not of the form NAMESPACE/NAME", p.service)
		}
		a.DNSNames = []string{name + "." + namespace + ".svc", name + "." + namespace + ".svc.cluster.local"}
		return a, nil
	}
	u, err := url.Parse(p.url)
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil {
		a.IPs = []net.IP{ip}
	} else {
		a.DNSNames = []string{u.Hostname()}
	}
	return a, nil
}
