package app

import (
	"fmt"
	"net/url"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func newRun() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Runs all parts in one process: for a laptop, a demo, a small cluster",
		Long: `Runs the webhook, the judge and act in one process, each under its own identity where a kubeconfig for it is given.

The API server must be able to reach this process: give --url https://HOST:PORT, or run in a pod behind the Service.
Nothing is registered before the webhook can answer. Without a Guardrail, Moorgate only observes. Run one of it: for
several replicas there are the commands webhook, judge and act.

An identity that may do more than it should does not start. Your own kubeconfig gives all three your rights, so to try it out on
a laptop say --allow-over-privileged: then only the guard in Moorgate's own transport stands between them and your workloads.`,
		Example: "  moorgate install\n  moorgate run --url https://127.0.0.1:9443 --allow-over-privileged",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd, o, "run", webhookPart(o), judgePart(o, ""), actPart(o, ""))
		},
	}
	o.common(cmd.Flags())
	o.weighing(cmd.Flags())
	o.serving(cmd.Flags())
	o.reading(cmd.Flags())
	o.judging(cmd.Flags())
	o.recording(cmd.Flags())
	o.remembering(cmd.Flags())
	o.acting(cmd.Flags())
	cmd.Flags().StringVar(&o.webhookKubeconfig, "webhook-kubeconfig", "", "kubeconfig of the webhook's identity (default: --kubeconfig)")
	cmd.Flags().StringVar(&o.judgeKubeconfig, "judge-kubeconfig", "", "kubeconfig of the judge's identity (default: --kubeconfig)")
	cmd.Flags().StringVar(&o.actKubeconfig, "act-kubeconfig", "", "kubeconfig of the identity that acts (default: --kubeconfig)")
	return cmd
}

func newWebhook() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "webhook",
		Short: "Serves the admission webhook alone",
		Long: `Serves the admission webhook: it reads informer caches, answers, and leaves Cases. It calls nothing while a request
waits. Every replica answers. A judge should run beside it: it writes verdicts to Cases and annotates rollouts.

--probes FILE lists the hosts outside of the cluster that a workload may name in its annotation moorgate.dev/depends-on
(external/payments-api). Each replica asks them by itself, in the background; a verdict is never held up by it:

  probes:
  - name: payments-api
    host: api.example.com
    port: 443
    tls: true
    http: {path: /healthz, status: [200, 204]}   # left out: a connection is enough
    every: 30s
    namespaces: [shop]                           # whose workloads are told; ["*"] for all
    private: false                               # true: the host has an address of a private network
  across:                                        # dependencies in another namespace that may be asked about
  - {from: shop, to: payments}

Only these hosts are asked. No token, cookie or other proof of who asks is sent, no redirect followed, no proxy used, and
addresses of this machine, link-local and metadata addresses are refused after the name was resolved and as it is dialled.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd, o, "webhook", webhookPart(o)) },
	}
	o.common(cmd.Flags())
	o.weighing(cmd.Flags())
	o.serving(cmd.Flags())
	cmd.Flags().StringVar(&o.recordsTo, "records-to", "", "https://HOST:PORT of the judge's --audit-listen: hand the records of the gate to its log, instead of keeping one here")
	return cmd
}

func newJudge() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "judge",
		Short: "Watches, compares with Git, keeps Cases and annotates rollouts",
		Long: `Watches the cluster: settles the webhook's Cases and annotates admitted rollouts, compares Deployments with the Git
repositories that GitSources name, and turns what fares badly, pods and workloads, nodes, claims, certificates and deliveries, into
Cases with a cause. It changes no workload. Of several
replicas one works, by a Lease; one that loses it ends, to be started again.

Beside its audit log (--audit-listen) it serves GET /v1/readiness/NAMESPACE/KIND/NAME to those who may get
cases.moorgate.dev in that namespace: {"score", "confidence", "verdict", "answer", "case", "template", "at", "findings"} of the Case
that speaks for the workload as it stands, or 404. KIND is of those that are scored (--kinds, --shapes). A score that could not be said is null. An AnalysisTemplate of Argo Rollouts asks so:
  metrics:
  - name: readiness
    successCondition: result >= 80
    failureLimit: 0
    provider:
      web:
        url: https://moorgate-judge.moorgate-system.svc:9444/v1/readiness/{{args.namespace}}/rollout/{{args.name}}
        headers:
        - {key: Authorization, value: "Bearer {{args.token}}"}
        jsonPath: "{$.score}"
with the token of a ServiceAccount in args from a Secret (valueFrom.secretKeyRef). The certificate is the judge's own; the roots to
trust are in the ConfigMap moorgate-system/moorgate-audit-anchors under ca.judge.

` + notifyHelp,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd, o, "judge", judgePart(o, judgeIdentity)) },
	}
	o.common(cmd.Flags())
	o.weighing(cmd.Flags())
	o.reading(cmd.Flags())
	o.judging(cmd.Flags())
	o.recording(cmd.Flags())
	return cmd
}

func checkURL(flag, raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return fmt.Errorf("--%s: %w", flag, err)
	}
	if u.Scheme != "https" || u.Hostname() == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" {
		return fmt.Errorf("--%s %q is not of the form https://HOST:PORT", flag, raw)
	}
	return nil
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
