package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

// pauseTime is for the whole command, with every write that must be tried again.
const pauseTime = time.Minute

type pauseOptions struct {
	kubeconfig, reason, output string
}

func newPause() *cobra.Command {
	var o pauseOptions
	cmd := &cobra.Command{
		Use:   "pause --reason TEXT [GUARDRAIL...]",
		Short: "Stops everything that Moorgate does, or what it does under some Guardrails",
		Long: `Stops live actions, pull requests and annotations on rollouts, within seconds and in every process, until moorgate resume.
What was sent to the API server already is not taken back. Judging, Cases and the audit log go on.

Without names it stops everything, by a Guardrail of its own (moorgate-pause) that selects every namespace. Rollouts are
answered as before. With names it stops what those Guardrails apply to, and they refuse no rollout any more: what they
would refuse is let in with a warning.

It takes the right to get and patch guardrails.moorgate.dev, and for everything to create them too.`,
		Example: "  moorgate pause --reason \"incident 4711\"\n  moorgate pause --reason \"release day\" production",
		RunE: func(cmd *cobra.Command, names []string) error {
			return withPauses(cmd, o, func(ctx context.Context, p pauses) error { return p.pause(ctx, names) })
		},
	}
	o.flags(cmd, "why, for those who find it stopped; your name is put before it")
	_ = cmd.MarkFlagRequired("reason")
	return cmd
}

func newResume() *cobra.Command {
	var o pauseOptions
	cmd := &cobra.Command{
		Use:   "resume [--reason TEXT] [GUARDRAIL...]",
		Short: "Lets Moorgate go on after a pause",
		Long: `Takes the reasons to pause out of the Guardrail moorgate-pause, or of those that are named: the one given, whoever gave it,
or all of them. Guardrails that somebody else has paused for another reason stay paused, and are listed.`,
		Example: "  moorgate resume --reason \"incident 4711\"\n  moorgate resume production",
		RunE: func(cmd *cobra.Command, names []string) error {
			return withPauses(cmd, o, func(ctx context.Context, p pauses) error { return p.resume(ctx, names) })
		},
	}
	o.flags(cmd, "only this reason, as it was given to pause (default: all)")
	return cmd
}

func (o *pauseOptions) flags(cmd *cobra.Command, reason string) {
	cmd.Flags().StringVar(&o.reason, "reason", "", reason)
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", "text or json")
	cmd.Flags().StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig to use (default: $KUBECONFIG or ~/.kube/config)")
}

// pauses is one run of pause or resume.
type pauses struct {
	cluster.Pauses
	out    io.Writer
	output string
	reason string
	who    string
}

func withPauses(cmd *cobra.Command, o pauseOptions, do func(context.Context, pauses) error) error {
	if err := oneOf("output", o.output, "text", "json"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), pauseTime)
	defer cancel()
	c, err := personsClient(ctx, o.kubeconfig)
	if err != nil {
		return err
	}
	return do(ctx, pauses{Pauses: cluster.Pauses{Client: c}, out: cmd.OutOrStdout(), output: o.output, reason: strings.TrimSpace(o.reason), who: whoAmI(ctx, c)})
}

// personsClient is a client with the rights of whoever runs this, of an API server that answers.
func personsClient(ctx context.Context, kubeconfig string) (client.WithWatch, error) {
	config, err := restConfig(kubeconfig)
	if err != nil {
		return nil, err
	}
	if err := reach(ctx, config); err != nil {
		return nil, err
	}
	s, err := scheme()
	if err != nil {
		return nil, err
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: s})
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return c, nil
}

// whoAmI is the name under which the API server knows whoever runs this. Nobody is kept from stopping Moorgate because the
// API server would not say.
func whoAmI(ctx context.Context, c client.Client) string {
	var review authenticationv1.SelfSubjectReview
	if err := c.Create(ctx, &review); err != nil || review.Status.UserInfo.Username == "" {
		return "somebody"
	}
	return gate.OneLine(review.Status.UserInfo.Username, 100)
}

func (p pauses) pause(ctx context.Context, names []string) error {
	if p.reason == "" {
		return errors.New("give --reason: whoever finds Moorgate stopped will want to know why")
	}
	r := pauseReport{Reason: p.who + ": " + gate.OneLine(p.reason, 4*len(p.reason)), Resume: p.resumeCommand(names)}
	var errs []error
	for _, name := range orEverything(names) {
		added, err := p.Add(ctx, name, r.Reason)
		if err != nil {
			errs = append(errs, p.plainly(err))
			continue
		}
		r.Paused = append(r.Paused, pausedRail{Guardrail: name, Everything: name == cluster.PauseName, Already: !added})
	}
	r.StillRefusing = p.refusing(ctx)
	return errors.Join(append(errs, p.print(r, len(r.Paused) > 0))...)
}

func (p pauses) resume(ctx context.Context, names []string) error {
	var r resumeReport
	var errs []error
	for _, name := range orEverything(names) {
		removed, left, err := p.Remove(ctx, name, p.means)
		if err != nil {
			errs = append(errs, p.plainly(err))
			continue
		}
		r.Resumed = append(r.Resumed, resumedRail{Guardrail: name, Everything: name == cluster.PauseName, Removed: removed, Left: left})
	}
	all, err := p.List(ctx)
	if err != nil {
		errs = append(errs, p.plainly(err))
	}
	for i := range all {
		if reasons := cluster.Paused(&all[i]); len(reasons) > 0 {
			r.StillPaused = append(r.StillPaused, stillPaused{Guardrail: all[i].GetName(), Reasons: reasons})
		}
	}
	return errors.Join(append(errs, p.print(r, len(r.Resumed) > 0))...)
}

// means reports whether an entry is one that --reason names: the words as they were given, whoever gave them.
func (p pauses) means(entry string) bool {
	_, words, _ := strings.Cut(entry, ": ")
	return p.reason == "" || entry == p.reason || words == p.reason
}

func orEverything(names []string) []string {
	if len(names) == 0 {
		return []string{cluster.PauseName}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// refusing are the Guardrails that refuse rollouts, also now.
func (p pauses) refusing(ctx context.Context) []string {
	all, err := p.List(ctx)
	if err != nil {
		return nil // what is stopped is stopped; this is only to be helpful
	}
	var names []string
	for i := range all {
		mode, _, _ := unstructured.NestedString(all[i].Object, "spec", "admission", "mode")
		if mode == gate.AdmissionEnforce.String() && len(cluster.Paused(&all[i])) == 0 {
			names = append(names, all[i].GetName())
		}
	}
	return names
}

// plainly is an error with what to do about it.
func (p pauses) plainly(err error) error {
	switch {
	case meta.IsNoMatchError(err):
		return fmt.Errorf("%w: the cluster does not know Guardrails; is Moorgate installed? (moorgate install)", err)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%w\n  you are %s and may not: ask somebody who may get, create, patch and delete guardrails.moorgate.dev, or scale Moorgate down", err, p.who)
	case apierrors.IsNotFound(err):
		return fmt.Errorf("%w (kubectl get guardrails lists them; without a name everything is meant)", err)
	case apierrors.IsConflict(err):
		return fmt.Errorf("%w: others kept changing it; try again", err)
	}
	return err
}
