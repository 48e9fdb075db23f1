package app

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/flow"
	"moorgate.dev/remediate"
)

const actIdentity = "moorgate-act"

func newAct() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "act",
		Short: "Carries out what is permitted, and looks whether it helped",
		Long: `Carries out what Guardrails permit: in this version, to evict one failing pod at a time, to take a Deployment back to the
revision before, of which pods are available now, to open a pull request at GitHub by which Git learns what somebody changed
in the cluster, and to keep Flux from undoing that while people decide, where one of them has approved it.

From a Case it takes only which happening it is and the digest of the plan. It looks at the cluster itself, decides again,
reserves the action in the ledger, writes the intent to its audit log, claims the Case, and only then sends the one request
that its permit is good for. Afterwards it looks whether the workload healed, or what people made of the pull request.

It holds no right to evict or to go back anywhere until somebody gives it one, namespace by namespace, by moorgate install
--enable evict --enable roll-back --namespace NAMESPACE or by
  kubectl -n NAMESPACE create rolebinding moorgate-act-evict --clusterrole=moorgate-act-evict \
    --serviceaccount=moorgate-system:moorgate-act
Neither does it hold a delivery anywhere until it is given moorgate-act-hold likewise, by --enable hold.
Pull requests are opened where --github-token-file or a GitHub App is given and a Guardrail's mode is Propose or more. The token
needs contents: write, pull requests: write and issues: write, and nothing else: none is ever merged. There is one for an object
whatever of it has drifted; it is updated in place and withdrawn when the drift is gone, and one that people close stays closed
until a value changes.

Of several replicas one works, by a Lease; one that loses it ends, to be started again. To stop everything: moorgate pause.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd, o, actRole, actPart(o, actIdentity)) },
	}
	o.common(cmd.Flags())
	o.reading(cmd.Flags())
	o.recording(cmd.Flags())
	o.remembering(cmd.Flags())
	o.acting(cmd.Flags())
	return cmd
}

// actPart is what carries out permitted actions.
func actPart(o options, lease string) part {
	return part{name: actRole, identity: o.actKubeconfig, own: cluster.OwnOfAct(), forbidden: forbidden(neverAct), lease: lease, add: func(ctx context.Context, p *process, mgr ctrl.Manager) error {
		if err := addAudit(ctx, p, mgr, actRole); err != nil {
			return err
		}
		live, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme()})
		if err != nil {
			return fmt.Errorf("prepare to act: %w", err)
		}
		if err := addGitAnchors(p, mgr, cluster.Anchors{Client: live}); err != nil {
			return err
		}
		return p.addActs(ctx, mgr, live)
	}}
}

// addActs adds what acts: on workloads, and on Git where a GitHub is given. What it acts on it reads without a cache.
func (p *process) addActs(ctx context.Context, mgr ctrl.Manager, live client.Client) error {
	hand, err := cluster.NewHand(mgr.GetConfig())
	if err != nil {
		return err
	}
	ledger, err := cluster.NewLedger(mgr.GetConfig(), time.Now)
	if err != nil {
		return err
	}
	approvals, err := approvalsOf(live)
	if err != nil {
		return err
	}
	log, ok := ownLog(p.log)
	if !ok {
		return fmt.Errorf("act needs an audit log of its own")
	}
	seen := p.circumstances(mgr.GetCache(), live, ledger, approvals)
	hands := &remediate.Hands{Reader: mgr.GetCache(), Client: live, Circumstances: seen, Evict: cluster.Eviction, Now: time.Now, HealthyDelay: p.healthyDelay}
	if err := hands.Complete(); err != nil {
		return err
	}
	acts := func(face acting.Face, actor flow.Actor) *acting.Acts {
		return &acting.Acts{Face: face, Client: live, Log: p.log, Cases: cluster.Cases{Client: live, Now: time.Now},
			Guardrails: cluster.Guardrails{Reader: mgr.GetCache(), Now: time.Now}, Actor: actor, Reserve: ledger.Reserve, Settle: ledger.Settle, Ledger: ledger.Read,
			Use: approvals.Use, Unresolved: log.unresolved, Now: time.Now, Logger: p.logger.With("face", face.Name()), Every: p.actEvery}
	}
	if err := acts(hands, hand).SetUp(mgr); err != nil {
		return err
	}
	return p.addProposals(ctx, mgr, live, seen, hand, acts)
}

// circumstances are what the rules about acting ask for, as judge and act both see it.
func (p *process) circumstances(cached client.Reader, live client.Client, ledger *cluster.Ledger, approvals cluster.Approvals) cluster.Circumstances {
	return cluster.Circumstances{Reader: cached, Ledger: ledger.Read, Approvals: approvals.For, Paused: p.whyPaused,
		Brakes: cluster.Cases{Client: live, Now: time.Now}.Brakes}
}

// approvalsOf reads people's words without a cache, which would show what was said a moment ago.
func approvalsOf(live client.Client) (cluster.Approvals, error) {
	fences, err := cluster.VouchingFences(charts.Files)
	if err != nil {
		return cluster.Approvals{}, err
	}
	return cluster.Approvals{Reader: live, Writer: live, Fences: fences, Now: time.Now}, nil
}
