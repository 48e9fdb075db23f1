package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

const casesTime = 30 * time.Second // for reading; watching takes as long as it takes

// casesOptions are what cases is told.
type casesOptions struct {
	kubeconfig string
	namespace  string
	all        bool
	face       string
	waiting    bool
	fail       bool
	watch      bool
	output     string
}

func newCases() *cobra.Command {
	var o casesOptions
	cmd := &cobra.Command{
		Use:   "cases",
		Short: "Lists Cases, what needs a human first",
		Long: `Lists the Cases of a namespace, or of all: what happened to what, why, what was decided, how sure that is, and what waits for whom.
What needs a human comes first: an action of which nobody knows how it ended or that made things worse, then what is to be approved,
pull requests to be reviewed, and what somebody should look at. Then comes what waits for a model or for Moorgate itself, and last
what is over. moorgate case NAME tells one Case in full.

SCORE is how sound the rollout or the chosen action looks, SURE how sure Moorgate is of that, both from 0 to 100; - where nobody could say.
It takes the right to list Cases (ClusterRole moorgate-readiness). --watch without the right to watch them lists them every 5 seconds.

Exit codes: 0 they are listed; 1 something waits for a human, with --fail-on-waiting; 3 they could not be read.`,
		Example: `  moorgate cases -A
  moorgate cases -n shop --waiting --watch
  moorgate cases -A -o json | jq '.[] | select(.waits.for == "human") | .name'
  moorgate cases similar remediate-web-1a2b3c4d5e6f -n shop`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return o.run(cmd)
		},
	}
	f := cmd.Flags()
	kubeconfigFlag(cmd, &o.kubeconfig)
	f.StringVarP(&o.namespace, "namespace", "n", "", "namespace to list (default: the kubeconfig's)")
	f.BoolVarP(&o.all, "all-namespaces", "A", false, "list every namespace")
	f.StringVar(&o.face, "face", "", "only those of webhook, drift or remediate")
	f.BoolVar(&o.waiting, "waiting", false, "only those that wait for a human")
	f.BoolVar(&o.fail, "fail-on-waiting", false, "end with exit code 1 if something waits for a human")
	f.BoolVarP(&o.watch, "watch", "w", false, "go on with each Case that comes or of which something here changes, until ctrl-C")
	f.StringVarP(&o.output, "output", "o", "", "json (one list; with --watch a line for each Case), wide or name")
	cmd.AddCommand(newCasesSimilar())
	return cmd
}

func (o casesOptions) check() error {
	var errs []error
	if o.all && o.namespace != "" {
		errs = append(errs, errors.New("--namespace and --all-namespaces exclude each other"))
	}
	if o.watch && o.fail {
		errs = append(errs, errors.New("--fail-on-waiting asks how things are now, and --watch does not end by itself: give one of them"))
	}
	errs = append(errs, oneOf("output", o.output, "", "json", "wide", "name"),
		oneOf("face", o.face, "", string(gate.FaceWebhook), string(gate.FaceDrift), string(gate.FaceRemediate)))
	return errors.Join(errs...)
}

func (o casesOptions) run(cmd *cobra.Command) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), casesTime)
	defer cancel()
	from, err := personsClient(ctx, o.kubeconfig)
	if err != nil {
		return err
	}
	if o.namespace == "" && !o.all {
		o.namespace = currentNamespace(o.kubeconfig)
	}
	found, version, err := listCases(ctx, from, o.namespace)
	if err != nil {
		return err
	}
	list := o.lines(found)
	p := &casesPage{options: o, w: cmd.OutOrStdout(), paint: painter(cmd.OutOrStdout()), now: time.Now}
	if err := p.first(list); err != nil {
		return err
	}
	if len(list) == 0 && o.output != "json" {
		if _, err := fmt.Fprintln(cmd.ErrOrStderr(), o.none(len(found))); err != nil {
			return fmt.Errorf("print the Cases: %w", err)
		}
	}
	if o.watch {
		return p.follow(cmd.Context(), from, found, version)
	}
	for _, l := range list {
		if o.fail && l.Waits.For == forHuman {
			return exit(exitWarned)
		}
	}
	return nil
}

// none says that nothing is listed.
func (o casesOptions) none(others int) string {
	where := "in any namespace"
	if o.namespace != "" {
		where = "in namespace " + shown(o.namespace)
	}
	if others > 0 {
		return fmt.Sprintf("none of the %s %s is one of those", count(others, "Case"), where)
	}
	return "there are no Cases " + where
}

// lines are those that are wanted, in the order in which they are told.
func (o casesOptions) lines(found []v1alpha1.Case) []caseLine {
	var list []caseLine
	for i := range found {
		if l := lineOf(&found[i]); o.wants(l) {
			list = append(list, l)
		}
	}
	return sortLines(list)
}

func (o casesOptions) wants(l caseLine) bool {
	return (o.face == "" || o.face == l.Face) && (!o.waiting || l.Waits.For == forHuman)
}
