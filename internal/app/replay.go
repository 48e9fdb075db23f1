package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// replayOptions are what replay is told.
type replayOptions struct {
	logs       logFlags
	guardrails []string
	namespaces []string
	since      string
	output     string
	all        bool
	failOnMore bool
}

func newReplay() *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Decides the recorded past again, under other Guardrails or to check that it comes out the same",
		Long: `Decides every question in the audit logs again and prints what would be different. Nothing is asked of a cluster and nothing
is done: facts and opinions are those that were recorded.

With --policy the decisions are made under the Guardrails in these files, and under no others. It shows how many questions
would be permitted, held and denied, before and after; what follows from that for rollouts, pull requests and live actions;
and each change with its reasons, the weightiest first: what Moorgate would newly do by itself comes before all else. So a
week of mode Observe can be judged before Automatic is switched on. Budgets and cool-downs are weighed against what was really
done at the time, plus what this replay would have begun by itself.

Without --policy every decision is made again under the Guardrails that were recorded with it, and must come out as recorded.
That checks a new version of Moorgate against its past.

Which Guardrails apply to a happening is decided by the labels that its namespace had. Where a record does not hold them, and
the Guardrails select by more than kubernetes.io/metadata.name, name a file with the Namespaces (--namespaces); otherwise such
records are counted as not decided again.

Exit codes: 0 it is said above; 2 with --fail-on-more something would be done or let in that was not, without --policy some
decision comes out otherwise than recorded; 3 it could not be said: the log is damaged or unreadable, the replay was
interrupted, or (with --fail-on-more) some record could not be decided again.`,
		Example: `  moorgate replay --policy automatic.yaml --since 7d
  moorgate replay --policy team-a.yaml --policy team-b.yaml --dir judge/audit --dir act/audit --all
  moorgate replay --policy guardrails.yaml --fail-on-more   # in CI, for a change to that file
  moorgate replay                                           # do all decisions come out as they were recorded?`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("output", o.output, "text", "json"); err != nil {
				return err
			}
			return o.run(cmd)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.guardrails, "policy", nil, "file with the Guardrails to decide by (repeatable; default: those recorded)")
	o.logs.add(f)
	f.StringArrayVar(&o.namespaces, "namespaces", nil, "file with Namespaces, for records that do not hold their labels (kubectl get namespaces -o yaml)")
	f.StringVar(&o.since, "since", "", "only what was decided since then: 7d, 36h, 2026-11-20, 2026-11-20T08:00:00Z")
	f.StringVarP(&o.output, "output", "o", "text", "text or json")
	f.BoolVar(&o.all, "all", false, "print every change, not only the weightiest")
	f.BoolVar(&o.failOnMore, "fail-on-more", false, "with --policy: exit with 2 when something would be done or let in that was not")
	return cmd
}

func (o replayOptions) run(cmd *cobra.Command) error {
	r, err := o.replayer(cmd)
	if err != nil {
		return err
	}
	from, err := o.logs.entries(cmd.Context())
	if err != nil {
		return err
	}
	progress := newProgress(cmd.ErrOrStderr(), "decisions")
	err = r.run(cmd.Context(), from, progress.at)
	progress.clear()
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if r.decisions == 0 && r.damaged == 0 && r.partial == nil {
		return fmt.Errorf("%s in %s hold no decision since %s", count(r.read, "record"), o.logs.names(), orBeginning(r.since))
	}
	if err := r.print(cmd.OutOrStdout(), o); err != nil {
		return err
	}
	return r.code(o.failOnMore)
}

// replayer makes ready what the decisions are made with.
func (o replayOptions) replayer(cmd *cobra.Command) (*replayer, error) {
	since, err := parseSince(o.since, time.Now())
	if err != nil {
		return nil, err
	}
	if o.failOnMore && len(o.guardrails) == 0 {
		return nil, errors.New("--fail-on-more compares with other Guardrails: name a file with --policy")
	}
	r := &replayer{since: since, anew: len(o.guardrails) > 0}
	if !r.anew {
		return r, nil
	}
	if r.guardrails, err = readGuardrails(o.guardrails, nil); err != nil {
		return nil, err
	}
	if len(r.guardrails) == 0 {
		return nil, fmt.Errorf("there is no Guardrail in %v", o.guardrails)
	}
	seen := map[string]bool{}
	for _, g := range r.guardrails {
		if seen[g.GetName()] {
			return nil, fmt.Errorf("two of the files in %v hold a Guardrail %s: a cluster has one of that name", o.guardrails, g.GetName())
		}
		seen[g.GetName()] = true
	}
	namespaces, err := readManifests(o.namespaces, cmd.InOrStdin())
	if err != nil {
		return nil, err
	}
	r.namespaces = labelsByName(namespaces)
	return r, nil
}

func orBeginning(since time.Time) string {
	if since.IsZero() {
		return "the beginning"
	}
	return stamp(since)
}
