package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/drift"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/forge"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source/render"
	"moorgate.dev/remediate"
	"moorgate.dev/webhook"
)

// judgePart is what watches and writes verdicts: the webhook's Cases and annotations, drift, and failing workloads.
func judgePart(o options, lease string) part {
	return part{name: "judge", identity: o.judgeKubeconfig, own: cluster.OwnOfJudge(), forbidden: forbidden(neverJudge), lease: lease, add: func(ctx context.Context, p *process, mgr ctrl.Manager) error {
		prober, err := addProber(mgr)
		if err != nil {
			return err
		}
		sight, err := newSight(ctx, mgr, prober, p)
		if err != nil {
			return err
		}
		ahead := &webhook.Ahead{Sight: sight, Kinds: p.scored, Reader: mgr.GetClient(), Open: cluster.Cases{Client: mgr.GetClient(), Now: time.Now}.Open, Away: p.models.away, Door: p.door()}
		sight.Around = webhook.Around{Pods: mgr.GetCache(), Volumes: mgr.GetAPIReader()}.Look
		p.models.remember(mgr.GetAPIReader())
		keeper := webhook.Keeper{Sight: sight, Log: p.log, Kinds: p.scored, Client: mgr.GetClient(), Events: mgr.GetEventRecorder("moorgate"), Logger: p.logger, Beside: p.models.beside(), Aside: p.aside, Ahead: p.ahead, Door: p.door(),
			Paused: func() gate.Fact[[]string] { return p.whyPaused(ctx) }}
		p.readiness = &readinessServer{of: keeper.Readiness, kinds: p.scored, logger: p.logger, ahead: ahead.Ask}
		p.bell = &remediate.Bell{}
		p.alerts = &alertServer{bell: p.bell, count: p.metrics.alert}
		if err := addAudit(ctx, p, mgr, judgeRole); err != nil {
			return err
		}
		hand, err := cluster.NewHand(mgr.GetConfig())
		if err != nil {
			return err
		}
		annotator := &webhook.Annotator{Keeper: keeper, Actor: hand, Gate: webhook.GateOf(mgr.GetAPIReader(), "")}
		for _, setUp := range []func(ctrl.Manager) error{(&webhook.Settler{Keeper: keeper}).SetUp, (&webhook.Follower{Keeper: keeper, Hashes: &webhook.Hashes{}}).SetUp, annotator.SetUp,
			cluster.GuardrailStatus{Client: mgr.GetClient(), Now: time.Now}.SetUp} {
			if err := setUp(mgr); err != nil {
				return err
			}
		}
		if err := addAdvising(mgr, p); err != nil {
			return err
		}
		if err := mgr.Add(cluster.Expiry{Client: mgr.GetClient(), Now: time.Now, Logger: p.logger}); err != nil {
			return err
		}
		seen, err := p.judgeSees(mgr)
		if err != nil {
			return err
		}
		if err := addDetector(mgr, p, seen); err != nil {
			return err
		}
		if err := p.addNotify(mgr); err != nil {
			return err
		}
		return addWatcher(mgr, p, seen, prober.Ask)
	}}
}

// addAdvising has the judge tell the webhook whether a model can be asked.
func addAdvising(mgr ctrl.Manager, p *process) error {
	live, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme()})
	if err != nil {
		return fmt.Errorf("prepare to say whether a model can be asked: %w", err)
	}
	return mgr.Add(&webhook.Advising{Client: live, Namespace: ownNamespace, Away: p.models.away, Now: time.Now, Failed: func(err error) {
		p.logger.Warn("the gate cannot be told whether a model can be asked, so it waits for none", "error", err)
	}})
}

// judgeSees is what the judge sees of what the rules about acting ask for, so that its verdict names what stands in the way.
func (p *process) judgeSees(mgr ctrl.Manager) (cluster.Circumstances, error) {
	live, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme()})
	if err != nil {
		return cluster.Circumstances{}, fmt.Errorf("prepare to look at the ledger and at Approvals: %w", err)
	}
	ledger, err := cluster.NewLedger(mgr.GetConfig(), time.Now)
	if err != nil {
		return cluster.Circumstances{}, err
	}
	approvals, err := approvalsOf(live)
	if err != nil {
		return cluster.Circumstances{}, err
	}
	return p.circumstances(mgr.GetCache(), live, ledger, approvals), nil
}

// addDetector adds the drift face. It reads without the cache: what is compared must be what the API server has now.
func addDetector(mgr ctrl.Manager, p *process, seen cluster.Circumstances) error {
	config := rest.CopyConfig(mgr.GetConfig())
	config.WarningHandler = rest.NoWarnings{} // dry runs ask other webhooks too, and their warnings are for whoever applies
	live, err := client.New(config, client.Options{Scheme: mgr.GetScheme()})
	if err != nil {
		return fmt.Errorf("prepare to compare with Git: %w", err)
	}
	d := &drift.Detector{Client: live, Log: p.log, Cases: cluster.Cases{Client: live, Now: time.Now}, Guardrails: cluster.Guardrails{Reader: mgr.GetCache(), Now: time.Now},
		Circumstances: seen, Beside: p.models.beside(), Aside: p.aside, Door: p.door(), Now: time.Now, Interval: p.driftEvery, HelmReleases: p.helmReleases,
		Git: gitReader(p.localGit), Past: gitPast(p.localGit), Passed: p.passed, Served: servedBy(config),
		Events: mgr.GetEventRecorder("moorgate")}
	if err := widen(d, config, p.secrets, p.moreKinds); err != nil {
		return err
	}
	if d.Tell, err = p.addFluxEvents(mgr); err != nil {
		return err
	}
	p.metrics.drift.watch(d.Standing, d.DeliveryCounts)
	if err := errors.Join(d.SetUp(mgr), drift.Witnesses{Detector: d}.SetUp(mgr)); err != nil {
		return err
	}
	return d.SetUpDeliveries(mgr, func(err error) {
		p.logger.Warn("not all that Flux and Argo CD deliver is compared with Git", "error", err)
	})
}

// gitReader is how the drift face reads repositories.
func gitReader(local bool) func(context.Context, drift.Repository, string) (drift.Tree, error) {
	git := forge.Reader{Local: local, Beyond: render.Needs, Beside: render.Beside, Shelf: &forge.Shelf{}, Apps: &forge.Apps{Now: time.Now}}
	return func(ctx context.Context, r drift.Repository, known string) (drift.Tree, error) {
		tree, err := git.Read(ctx, forge.Repository(r), known)
		return drift.Tree(tree), err
	}
}

// gitPast is how the drift face reads what repositories held before.
func gitPast(local bool) func(context.Context, drift.Repository, string, []string) (drift.Past, error) {
	git := forge.Reader{Local: local, Apps: &forge.Apps{Now: time.Now}}
	return func(ctx context.Context, r drift.Repository, commit string, files []string) (drift.Past, error) {
		past, err := git.Past(ctx, forge.Repository(r), commit, files)
		return drift.Past(past), err
	}
}

// addWatcher adds the remediation face. Its Cases are read and written without the cache, which lags behind what was just
// opened.
func addWatcher(mgr ctrl.Manager, p *process, seen cluster.Circumstances, secrets func(context.Context, string, string) gate.Fact[bool]) error {
	events, err := client.NewWithWatch(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme()})
	if err != nil {
		return fmt.Errorf("prepare to watch Events: %w", err)
	}
	pods, err := kubernetes.NewForConfig(mgr.GetConfig())
	if err != nil {
		return fmt.Errorf("prepare to read logs: %w", err)
	}
	w := remediate.Watcher{Beside: p.models.beside(), Door: p.door(), Logs: logsOf(pods), Reader: mgr.GetCache(), Events: events, Log: p.log, Cases: cluster.Cases{Client: events, Now: time.Now},
		Guardrails: cluster.Guardrails{Reader: mgr.GetCache(), Now: time.Now}, Circumstances: seen, Secrets: secrets, Now: time.Now, Bell: p.bell,
		Logger: p.logger.With("face", "remediate")}
	return mgr.Add(manager.RunnableFunc(w.Run))
}

// newSight is how a part looks at rollouts: from its own informer caches, which it has begin now.
func newSight(ctx context.Context, mgr ctrl.Manager, secrets webhook.SecretNames, p *process) (webhook.Sight, error) {
	if err := webhook.WatchWorld(ctx, mgr.GetCache()); err != nil {
		return webhook.Sight{}, err
	}
	var guardrail unstructured.Unstructured
	guardrail.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Guardrail"))
	if _, err := mgr.GetCache().GetInformer(ctx, &guardrail, cache.BlockUntilSynced(false)); err != nil {
		return webhook.Sight{}, fmt.Errorf("watch Guardrails (is Moorgate installed? moorgate install): %w", err)
	}
	nodes := webhook.NewNodes()
	if err := nodes.Watch(ctx, mgr.GetCache()); err != nil {
		return webhook.Sight{}, err
	}
	pods, err := webhook.PodsOf(ctx, mgr.GetCache())
	if err != nil {
		return webhook.Sight{}, err
	}
	memory := &webhook.Memory{}
	if err := memory.Watch(ctx, mgr.GetCache()); err != nil {
		return webhook.Sight{}, err
	}
	offered := &webhook.Offered{Informers: mgr.GetCache(), Mapper: mgr.GetRESTMapper(), Logger: p.logger}
	p.offered = offered
	if err := mgr.Add(offered); err != nil {
		return webhook.Sight{}, fmt.Errorf("look for optional kinds: %w", err)
	}
	world := webhook.World{Reader: mgr.GetCache(), Pods: pods, Secrets: secrets, Nodes: nodes, Offered: offered, Hashes: &webhook.Hashes{}, Memory: memory, Now: time.Now}
	if p.probes != nil {
		world.Outside = p.probes
	}
	labels := func(ctx context.Context, namespace string) gate.Fact[map[string]string] {
		return cluster.NamespaceLabels(ctx, mgr.GetCache(), namespace)
	}
	return webhook.Sight{Policy: cluster.Guardrails{Reader: mgr.GetCache(), Parsed: &cluster.Parsed{}, Now: time.Now}.Policy, Look: world.Look, Labels: labels, Now: time.Now}, nil
}
