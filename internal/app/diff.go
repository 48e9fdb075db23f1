package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/drift"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
)

// diffOptions are what diff is told.
type diffOptions struct {
	namespace  string
	all        bool
	folder     string
	localGit   bool
	helm       bool
	secrets    bool
	moreKinds  []string
	kubeconfig string
	output     string
	color      string
	timeout    time.Duration
	passes     string
	passed     drift.Passed // of passes
}

func newDiff() *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:   "diff [KIND/NAME...]",
		Short: "Shows where the cluster no longer says what Git says, who changed it, and why",
		Long: `Compares what Git says with what is live, as the judge does, with your own rights. For each field that differs it
says which file and line of Git declare it, which field manager owns it and since when, and for each object what the drift
rules make of it and the Case, if the judge keeps one. Nothing is changed, and no record or Case is left.

Git is the head of the branch that each GitSource of the namespace names, and the commit that Flux (Kustomization) or Argo CD
(Application) applied last of what they deliver to the namespace: a newer commit is not delivered yet, and no difference. Or it
is a folder of yours (-f), without any of these: a folder's files have no time, so it is often not known whether Git or the
cluster is ahead.

Who: a field manager's name is its own word, not a proof. When: its last change of any field. Values that may be secret are
masked. What the API server fills in, another way to write a quantity and what an autoscaler sets is no difference.

It needs the right to get the objects, and to patch them, for a dry run, which stores nothing. Without the second it
says what managedFields tell: the fields that a person owns and that are written in another way in Git.

-o json prints one object:
  {"differ": 1, "orphans": 0, "unread": 0, "sources": [{"namespace", "source", "url", "commit", "suspended", "ahead", "compared", "left": [...], "error",
    "objects": [{"subject": {...}, "place", "absent", "orphan", "byOwners", "unread": [...], "cause", "confidence", "case", "decision",
      "findings": [{"id", "text", "evidence"}],
      "changes": [{"path", "git", "live", "masked", "missing", "added", "place", "ahead",
        "owner": {"manager", "operation", "subresource", "time", "party"}}]}]}]}
Fields that do not apply are left out; none is renamed or taken away later. git and live are JSON values.

Exit codes: 0 nothing differs, 1 something differs, 3 it could not be said: nothing is known to differ, and something could
not be read.`,
		Example: `  moorgate diff                                # the kubeconfig's namespace
  moorgate diff -A -o json | jq '.sources[].objects[].changes[].path'
  moorgate diff -n shop deployment/web
  moorgate diff -n shop -f deploy/             # a local checkout, no GitSource needed
  moorgate diff -n shop -o markdown >> report.md`,
		RunE: func(cmd *cobra.Command, args []string) error {
			wanted, err := parseWanted(args)
			if err := errors.Join(err, o.check()); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), o.timeout)
			defer cancel()
			return diff(ctx, cmd, o, wanted)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.namespace, "namespace", "n", "", "namespace to compare (default: the kubeconfig's)")
	f.BoolVarP(&o.all, "all-namespaces", "A", false, "every namespace that has a GitSource, or that Flux or Argo CD delivers to")
	f.StringVarP(&o.folder, "filename", "f", "", "folder or file with what Git says, instead of what GitSources name")
	f.BoolVar(&o.helm, "helm-releases", false, helmReleasesUsage)
	f.BoolVar(&o.secrets, "secrets", false, secretsUsage)
	f.StringSliceVar(&o.moreKinds, "more-kinds", nil, moreKindsUsage)
	f.BoolVar(&o.localGit, "local-git", false, "let GitSources name file:// repositories and addresses of this machine")
	kubeconfigFlag(cmd, &o.kubeconfig)
	passedFlag(f, &o.passes)
	f.StringVarP(&o.output, "output", "o", "text", "text, json or markdown")
	f.StringVar(&o.color, "color", "auto", "auto (on a terminal, unless NO_COLOR is set), always or never")
	f.DurationVar(&o.timeout, "timeout", 5*time.Minute, "how long all of it may take")
	return cmd
}

func (o *diffOptions) check() error {
	passed, err := passedOf(o.passes)
	o.passed = passed
	errs := []error{err, oneOf("output", o.output, "text", "json", "markdown"), oneOf("color", o.color, "auto", "always", "never")}
	if o.all && (o.folder != "" || o.namespace != "") {
		errs = append(errs, errors.New("-A is about all GitSources: it goes with neither -n nor -f"))
	}
	return errors.Join(errs...)
}

// compared is what came of one GitSource, or of a folder.
type compared struct {
	namespace, source, url string
	report                 drift.Report
	err                    error
}

func diff(ctx context.Context, cmd *cobra.Command, o diffOptions, wanted wantedObjects) error {
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
	detector, err := lookout(config, o)
	if err != nil {
		return err
	}
	places, err := o.places(ctx, detector, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	waiting := newProgress(cmd.ErrOrStderr(), "objects")
	for i := range places {
		p := &places[i]
		waiting.slowly(p.name() + ": reading Git")
		p.report, p.err = detector.Look(ctx, drift.Asked{Namespace: p.namespace, Source: p.source, From: p.from, Secret: p.secret, Delivered: p.delivered, Others: p.others, Wanted: func(n source.Name) bool { return wanted.is(n.Kind, n.Name) },
			Told: func(done, all int) { waiting.slowly(fmt.Sprintf("%s: %d of %d compared", p.name(), done, all)) }})
	}
	waiting.clear()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("stopped before everything was compared: %w", context.Cause(ctx))
	}
	if err := wanted.missed(places); err != nil {
		return err
	}
	if err := printDiff(cmd.OutOrStdout(), o, places); err != nil {
		return err
	}
	return diffCode(places)
}

// lookout is a Detector that only looks.
func lookout(config *rest.Config, o diffOptions) (*drift.Detector, error) {
	s, err := scheme()
	if err != nil {
		return nil, err
	}
	config = cluster.Guarded(config, cluster.OwnOfDiff())
	config.WarningHandler = rest.NoWarnings{} // dry runs ask other webhooks too, and their warnings are for whoever applies
	c, err := client.New(config, client.Options{Scheme: s})
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	d := &drift.Detector{Client: c, Git: gitReader(o.localGit), HelmReleases: o.helm, Now: time.Now, Passed: o.passed, Served: servedBy(config)}
	if err := widen(d, config, o.secrets, o.moreKinds); err != nil {
		return nil, err
	}
	if o.folder != "" {
		d.Git = func(context.Context, drift.Repository, string) (drift.Tree, error) { return readFolder(o.folder) }
	}
	return d, nil
}

// diffCode is the exit code. A difference weighs more than what could not be said: it is certain.
func diffCode(places []place) error {
	n := tally(places)
	switch {
	case n.differ+n.orphans > 0:
		return exit(exitWarned)
	case n.unread > 0:
		return exit(exitFailed)
	}
	return nil
}

// counts are how many objects were compared, differ, were left behind by a delivery, and could not be read. A source that could not be read
// counts as one that could not.
type counts struct{ compared, differ, orphans, unread int }

func tally(places []place) (n counts) {
	for _, p := range places {
		if p.err != nil {
			n.unread++
		}
		n.compared += p.report.Compared
		for _, s := range p.report.Sights {
			switch {
			case s.Orphan != "":
				n.orphans++
			case s.Absent || len(s.Changes) > 0:
				n.differ++
			case len(s.Unread) > 0:
				n.unread++
			}
		}
	}
	return n
}

// wantedObjects are the objects that somebody named, by kind and name in lower case.
type wantedObjects []struct{ kind, name string }

// shortKinds are the names that kubectl has for kinds.
var shortKinds = map[string]string{"deploy": "deployment", "sts": "statefulset", "ds": "daemonset", "cj": "cronjob", "cm": "configmap", "svc": "service",
	"sa": "serviceaccount", "ing": "ingress", "netpol": "networkpolicy", "pdb": "poddisruptionbudget", "hpa": "horizontalpodautoscaler",
	"pvc": "persistentvolumeclaim", "limits": "limitrange", "quota": "resourcequota"}

func parseWanted(args []string) (wantedObjects, error) {
	var w wantedObjects
	for _, arg := range args {
		kind, name, ok := strings.Cut(arg, "/")
		if !ok || kind == "" || name == "" {
			return nil, fmt.Errorf("%q is not of the form KIND/NAME", arg)
		}
		kind = strings.ToLower(kind)
		if long, short := shortKinds[kind]; short {
			kind = long
		}
		w = append(w, struct{ kind, name string }{kind, name})
	}
	return w, nil
}

func (w wantedObjects) is(kind, name string) bool {
	kind = strings.ToLower(kind)
	return len(w) == 0 || slices.ContainsFunc(w, func(one struct{ kind, name string }) bool {
		return one.name == name && (one.kind == kind || one.kind == kind+"s" || one.kind == kind+"es" || strings.TrimSuffix(one.kind, "ies")+"y" == kind)
	})
}

// missed is an error where what somebody named is declared nowhere.
func (w wantedObjects) missed(places []place) error {
	n := tally(places)
	if len(w) == 0 || n.compared+n.differ+n.orphans+n.unread > 0 {
		return nil
	}
	return errors.New("Git declares nothing of that name there, of a kind that is compared: " + gate.OneLine(w[0].kind+"/"+w[0].name, 320))
}
