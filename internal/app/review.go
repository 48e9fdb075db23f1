package app

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook"
)

// reviewOptions are what review is told.
type reviewOptions struct {
	files      []string
	namespace  string
	kubeconfig string
	offline    bool
	guardrails []string
	output     string
	failOnWarn bool
	timeout    time.Duration
	model      string
	shapes     string
	probes     string
	warm       bool
	moorgate   logFlags // where --warm asks
}

func newReview() *cobra.Command {
	var o reviewOptions
	cmd := &cobra.Command{
		Use:   "review -f FILE",
		Short: "Scores rollouts before anything is applied",
		Long: `Scores the Deployments, StatefulSets, DaemonSets, Jobs, CronJobs, Pods, Rollouts of Argo and what --shapes
describes in the files as the gate would, and prints the verdict with its reasons.
Nothing is applied, and no record or Case is left.

Against a cluster (the default) the files are looked at among the live objects, with your own rights; what you may not read is
unknown, and said. --offline looks at the files alone: nodes, quotas and whatever else they do not hold is unknown, and without
a Guardrail no confidence is asked for.

With --model FILE a model is asked about each change that the checks let pass: it may lower the score and add what it found, and
never raise it. What it is shown holds no value of an environment variable, an annotation or an argument.

With --probes FILE (moorgate webhook --help shows one) the hosts on it that serve these namespaces are asked once whether they are
there: from here, which may see others than the cluster does.

With --warm the gate is readied for what comes: Moorgate has its model asked now, and what it says waits, for an hour, until
the same change is applied; the gate then answers at once, with the model's reasons. It goes to a running judge (--server, its
--audit-listen) with a bearer token, and takes the right to patch the workload in its namespace. Nothing is let in or refused by it.
What is to be applied must be what was reviewed: a field that kubectl takes away as it applies makes it another change.

-o markdown is for a comment on a pull request. Its first line is ` + reviewMarker + `, by which CI finds the
comment that it made before and writes over it. It stays below GitHub's limit, and says what was left out.

Exit codes: 0 nothing is denied, 1 something is warned about and --fail-on-warn was given, 2 something would be denied by its
score (whether or not a Guardrail enforces it), 3 it could not be said.`,
		Example: `  moorgate review -f deploy/
  kustomize build overlays/production | moorgate review -f - -n shop
  moorgate review -f app.yaml --offline --guardrail guardrail.yaml -o json
  moorgate review -f deploy/ -o markdown > review.md
  moorgate review -f deploy/ --warm --server https://moorgate-judge.moorgate-system.svc:9444`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("output", o.output, "text", "json", "markdown"); err != nil {
				return err
			}
			if err := o.checkWarm(cmd.Flags().Changed("timeout")); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), o.timeout)
			defer cancel()
			return review(ctx, cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringSliceVarP(&o.files, "filename", "f", nil, "files or folders with manifests; - is standard input")
	f.StringVarP(&o.namespace, "namespace", "n", "", "namespace of objects that name none (default: the kubeconfig's)")
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig of the cluster (default: $KUBECONFIG or ~/.kube/config)")
	f.BoolVar(&o.offline, "offline", false, "ask no cluster")
	f.StringSliceVar(&o.guardrails, "guardrail", nil, "with --offline: files with the Guardrails to decide by")
	f.StringVarP(&o.output, "output", "o", "text", "text, json, or markdown for a comment on a pull request")
	f.StringVar(&o.model, "model", "", "file that says where models are: ask them too (moorgate model check --help shows one)")
	f.StringVar(&o.shapes, "shapes", "", "file that says where other kinds keep their pod template (moorgate install --help shows one): score those too")
	f.BoolVar(&o.failOnWarn, "fail-on-warn", false, "exit with 1 when something is warned about")
	f.DurationVar(&o.timeout, "timeout", time.Minute, "how long the whole review may take (with --warm: two minutes)")
	f.StringVar(&o.probes, "probes", "", "file that lists the hosts outside of the cluster that workloads may depend on: ask each once")
	o.addWarm(f)
	_ = cmd.MarkFlagRequired("filename")
	return cmd
}

// reviewed is one rollout with its verdict, or why there is none.
type reviewed struct {
	ref       gate.Ref
	judgement flow.Judgement
	note      string   // what stood in the way of looking closer
	ahead     *aheadOf // with --warm: what came of it
	err       error
}

func review(ctx context.Context, cmd *cobra.Command, o reviewOptions) error {
	if o.namespace == "" {
		o.namespace = "default"
		if !o.offline {
			o.namespace = currentNamespace(o.kubeconfig)
		}
	}
	objects, err := readManifests(o.files, cmd.InOrStdin())
	if err != nil {
		return err
	}
	r, err := newReviewer(ctx, o, objects)
	if err != nil {
		return err
	}
	shapes, err := readShapes(o.shapes)
	if err != nil {
		return err
	}
	r.kinds = webhook.EveryKind(shapes)
	if err := r.asks(o.model); err != nil {
		return err
	}
	if o.warm {
		r.tried = map[string]client.Object{}
	}
	var results []reviewed
	for _, u := range objects {
		if r.kinds.Scores(u) {
			results = append(results, r.review(ctx, u))
		}
	}
	if len(results) == 0 {
		return fmt.Errorf("nothing among the %d objects in %v is scored; scored are %s, and other kinds by --shapes", len(objects), o.files, r.kinds.Names())
	}
	if o.warm {
		if err := r.warm(ctx, &o.moorgate, cmd.ErrOrStderr(), results); err != nil {
			return err
		}
	}
	if err := printReviews(cmd.OutOrStdout(), o.output, results); err != nil {
		return err
	}
	return verdictCode(results, o.failOnWarn)
}

// verdictCode is the exit code of the worst result. A denial weighs more than what could not be said: it is certain.
func verdictCode(results []reviewed, failOnWarn bool) error {
	worst := exitOK
	rank := map[int]int{exitOK: 0, exitWarned: 1, exitFailed: 2, exitDenied: 3}
	for _, r := range results {
		code := exitOK
		switch {
		case r.err != nil:
			code = exitFailed
		case r.judgement.Verdict.Decision == gate.Deny:
			code = exitDenied
		case r.ahead.failed():
			code = exitFailed
		case r.judgement.Verdict.Decision == gate.Hold && failOnWarn:
			code = exitWarned
		}
		if rank[code] > rank[worst] {
			worst = code
		}
	}
	if worst == exitOK {
		return nil
	}
	return exit(worst)
}
