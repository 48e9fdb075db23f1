package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate"
)

// diagnoseOptions are what diagnose is told.
type diagnoseOptions struct {
	namespace  string
	all        bool
	kubeconfig string
	output     string
	color      string
	failOn     string
	timeout    time.Duration
	settle     time.Duration // for tests; 0: as the judge
}

func newDiagnose() *cobra.Command {
	var o diagnoseOptions
	cmd := &cobra.Command{
		Use:   "diagnose [KIND/NAME...]",
		Short: "Shows what fares badly now, why, and what the Guardrails would let be done about it",
		Long: `Looks once at live state, as the judge does, with your own rights: which workloads show a symptom now, the cause with the evidence that
it rests on, what could be done, and what the Guardrails would say to each. Nothing is written: no Case, no record, no dry run, and no
model is asked. Each request that is no read is refused before it leaves this process. It needs no Moorgate in the cluster.

What you may not read is named. What only the judge knows (its ledger, Approvals, whether it is paused) is told as not known: an
item that is "open" is held by nothing else, and "held" or "no" stays so whatever the judge knows.

KIND/NAME is a workload, or what shows the symptom: deployment/web, pod/web-5d9c7-x2x4v. What has no namespace, such as a Node, is looked at
with -A or by its name.

-o json prints one object:
  {"findings": 1, "looked": 12, "unread": [...], "happenings": [{"title", "namespace", "symptom", "container", "revision", "subject": {...}, "cause",
    "confidence", "score", "case", "over", "failing": [...], "findings": [{"id", "text", "points", "evidence"}],
    "evidence": [{"id", "source", "text", "unread"}], "menu": [{"id", "verb", "reach", "text", "target": {...}, "chosen", "decision",
      "answer", "edits": [{"path", "old", "new"}], "reasons": [{"rule", "guardrail", "decision", "text", "unknown"}]}]}]}
Fields that do not apply are left out; none is renamed or taken away later. answer is no, held, open or allowed.

Exit codes: 0 nothing fares badly, 1 something does (--fail-on none: 0), 3 it could not be said: nothing is known to, and something
could not be read.`,
		Example: `  moorgate diagnose                         # the kubeconfig's namespace
  moorgate diagnose -A
  moorgate diagnose -n shop deployment/web
  moorgate diagnose -A -o json | jq -r '.happenings[] | [.namespace, .title, .cause] | @tsv'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			wanted, err := parseWanted(args)
			if err := errors.Join(err, o.check(wanted)); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), o.timeout)
			defer cancel()
			return diagnose(ctx, cmd, o, wanted)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.namespace, "namespace", "n", "", "namespace to look at (default: the kubeconfig's)")
	f.BoolVarP(&o.all, "all-namespaces", "A", false, "every namespace, and what has none")
	kubeconfigFlag(cmd, &o.kubeconfig)
	f.StringVarP(&o.output, "output", "o", "text", "text or json")
	f.StringVar(&o.color, "color", "auto", "auto (on a terminal, unless NO_COLOR is set), always or never")
	f.StringVar(&o.failOn, "fail-on", "any", "any: what fares badly is exit code 1; none: it is not")
	f.DurationVar(&o.timeout, "timeout", 5*time.Minute, "how long all of it may take")
	return cmd
}

func (o *diagnoseOptions) check(wanted wantedObjects) error {
	errs := []error{oneOf("output", o.output, "text", "json"), oneOf("color", o.color, "auto", "always", "never"), oneOf("fail-on", o.failOn, "any", "none")}
	if o.all && (o.namespace != "" || len(wanted) > 0) {
		errs = append(errs, errors.New("-A looks at everything: it goes with neither -n nor names"))
	}
	return errors.Join(errs...)
}

func diagnose(ctx context.Context, cmd *cobra.Command, o diagnoseOptions, wanted wantedObjects) error {
	config, err := restConfig(o.kubeconfig)
	if err != nil {
		return err
	}
	if err := reach(ctx, config); err != nil {
		return err
	}
	if o.namespace == "" && !o.all {
		o.namespace = currentNamespace(o.kubeconfig)
	}
	config = cluster.Guarded(config, cluster.Own{}) // whatever is no read stays here
	config.WarningHandler = rest.NoWarnings{}
	s, err := scheme()
	if err != nil {
		return err
	}
	c, err := client.New(config, client.Options{Scheme: s})
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	if err := wanted.there(ctx, c, config, o.namespace); err != nil {
		return err
	}
	waiting := newProgress(cmd.ErrOrStderr(), "")
	report, err := remediate.Scan{Reader: c, Now: time.Now, Settle: o.settle, Told: waiting.slowly}.Look(ctx, o.namespace, wanted.is)
	waiting.clear()
	if err != nil {
		return err
	}
	if err := printDiagnosis(cmd.OutOrStdout(), o, report); err != nil {
		return err
	}
	switch {
	case len(report.Findings) > 0 && o.failOn == "any":
		return exit(exitWarned)
	case len(report.Findings) == 0 && len(report.Unread) > 0:
		return exit(exitFailed)
	}
	return nil
}

// there is an error where something that somebody named is not there: that nothing fares badly would be no answer.
func (w wantedObjects) there(ctx context.Context, c client.Reader, config *rest.Config, namespace string) error {
	if len(w) == 0 {
		return nil
	}
	asks, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return fmt.Errorf("ask which kinds there are: %w", err)
	}
	groups, err := restmapper.GetAPIGroupResources(asks)
	if err != nil {
		return fmt.Errorf("ask which kinds there are: %w", err)
	}
	mapper := restmapper.NewDiscoveryRESTMapper(groups)
	for _, one := range w {
		kind, err := mapper.KindFor(schema.GroupVersionResource{Resource: one.kind})
		if meta.IsNoMatchError(err) {
			return fmt.Errorf("this cluster knows no kind %q", shown(one.kind))
		}
		if err != nil {
			return fmt.Errorf("find the kind %q: %w", shown(one.kind), err)
		}
		object := &metav1.PartialObjectMetadata{}
		object.SetGroupVersionKind(kind)
		switch err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: one.name}, object); {
		case apierrors.IsNotFound(err):
			return fmt.Errorf("there is no %s in namespace %s", gate.OneLine(one.kind+"/"+one.name, 320), namespace)
		case err != nil && !apierrors.IsForbidden(err): // who may not read it is told by what the scan finds, or could not read
			return fmt.Errorf("read %s: %w", gate.OneLine(one.kind+"/"+one.name, 320), err)
		}
	}
	return nil
}

// answerTo says in one word what the Guardrails would say to an item: whatever only the judge knows may still hold what is open.
func answerTo(c remediate.Considered) string {
	answer := gate.Allow
	for _, r := range c.Verdict.Reasons {
		if !onlyJudge(r) {
			answer = min(answer, r.Decision)
		}
	}
	switch {
	case answer == gate.Deny:
		return "no"
	case answer == gate.Hold:
		return "held"
	case c.Verdict.Decision != gate.Allow:
		return "open"
	}
	return "allowed"
}

// onlyJudge is whether a rule spoke because of what only the judge knows.
func onlyJudge(r gate.Reason) bool { return strings.Contains(r.Text, remediate.OnlyTheJudgeKnows) }

// causeOf is the id of the cause of a finding.
func causeOf(f remediate.Finding) string { return cmp.Or(f.Assessment.Cause, "not known") }
