package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook"
)

const armLook = time.Second

func newDisarm() *cobra.Command {
	var kubeconfig, reason string
	cmd := &cobra.Command{
		Use:   "disarm --reason TEXT",
		Short: "Takes the gate out of the way of every rollout, until moorgate arm",
		Long: `Empties the registration of the webhook and says in it who did so, when and why. The API server asks Moorgate about no rollout
any more; rollouts go in at once, and unjudged. Nor does it tell Moorgate what people change, where that was asked for (--witness): until
it is armed again nobody is named. Drift, remediation, Cases and the audit log go on (moorgate pause stops acting).
No gateway fills the registration again before moorgate arm; each says that it is disarmed in its log and at /readyz.

It takes the rights to get and patch the one ValidatingWebhookConfiguration moorgate. Without this program, and also where
Moorgate is gone, the same is done by
  kubectl patch validatingwebhookconfiguration moorgate --type=merge \
    -p '{"metadata":{"annotations":{"` + webhook.AnnotationDisarmed + `":"WHO: WHY"}},"webhooks":[]}'
and undone, while a gateway runs, by
  kubectl annotate validatingwebhookconfiguration moorgate ` + webhook.AnnotationDisarmed + `-

For one rollout there is kubectl apply --field-manager=` + webhook.BreakGlass + `, for those with the verb bypass on guardrails.moorgate.dev.`,
		Example: `  moorgate disarm --reason "incident 4711"`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			reason = strings.TrimSpace(reason)
			if reason == "" {
				return errors.New("give --reason: whoever finds the gate disarmed will want to know why")
			}
			return withArming(cmd, kubeconfig, pauseTime, func(ctx context.Context, a arming) error { return a.disarm(ctx, reason) })
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for those who find it disarmed; your name and the time are put before it")
	cmd.Flags().StringVar(&kubeconfig, "kubeconfig", "", "kubeconfig to use (default: $KUBECONFIG or ~/.kube/config)")
	_ = cmd.MarkFlagRequired("reason")
	return cmd
}

func newArm() *cobra.Command {
	var kubeconfig string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "arm",
		Short: "Puts the gate back after moorgate disarm",
		Long: `Takes the annotation away that keeps the registration of the webhook empty, and waits until a gateway has filled it again: one that
runs looks every few seconds. Rollouts that went in meanwhile are judged afterwards, where their revision is younger than a day.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withArming(cmd, kubeconfig, timeout, func(ctx context.Context, a arming) error { return a.arm(ctx) })
		},
	}
	cmd.Flags().StringVar(&kubeconfig, "kubeconfig", "", "kubeconfig to use (default: $KUBECONFIG or ~/.kube/config)")
	cmd.Flags().DurationVar(&timeout, "timeout", 90*time.Second, "how long to wait for a gateway")
	return cmd
}

// arming is one run of disarm or arm.
type arming struct {
	client client.Client
	out    io.Writer
}

func withArming(cmd *cobra.Command, kubeconfig string, timeout time.Duration, do func(context.Context, arming) error) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
	defer cancel()
	c, err := personsClient(ctx, kubeconfig)
	if err != nil {
		return err
	}
	return plainlyArming(do(ctx, arming{client: c, out: cmd.OutOrStdout()}))
}

func (a arming) disarm(ctx context.Context, reason string) error {
	before, err := webhook.StandingOf(ctx, a.client, "")
	if err != nil {
		return err
	}
	why := fmt.Sprintf("%s %s: %s", whoAmI(ctx, a.client), time.Now().UTC().Format(time.RFC3339), gate.OneLine(reason, 512))
	if err := webhook.Disarm(ctx, a.client, "", why); err != nil {
		return err
	}
	lines := "disarmed   the API server asks Moorgate about no rollout any more\nbecause    " + shown(why) + "\n"
	if before.Disarmed != "" {
		lines += "before     it was disarmed already: " + shown(before.Disarmed) + "\n"
	}
	return a.say(lines + "goes on    drift, remediation, Cases and the audit log (moorgate pause stops acting)\nto undo    moorgate arm\n")
}

func (a arming) arm(ctx context.Context) error {
	before, err := webhook.StandingOf(ctx, a.client, "")
	if err != nil {
		return err
	}
	if before.Disarmed == "" && before.Asked {
		return a.say("unchanged  it was not disarmed, and the API server asks Moorgate\n")
	}
	if before.Disarmed != "" {
		if err := webhook.Arm(ctx, a.client, ""); err != nil {
			return err
		}
		if err := a.say("armed      it was disarmed by " + shown(before.Disarmed) + "\nwaiting    for a gateway to register\n"); err != nil {
			return err
		}
	}
	return a.untilAsked(ctx)
}

// untilAsked waits for the gateway, which alone knows where it answers.
func (a arming) untilAsked(ctx context.Context) error {
	for {
		now, err := webhook.StandingOf(ctx, a.client, "")
		switch {
		case ctx.Err() == nil && err != nil:
			return err
		case now.Disarmed != "":
			return fmt.Errorf("somebody has disarmed it again: %s", now.Disarmed)
		case now.Asked:
			return a.say("registered the API server asks Moorgate about rollouts again\n")
		}
		select {
		case <-ctx.Done():
			return errors.New("nothing keeps the registration empty, but no gateway has filled it: is one running and ready? (kubectl -n " + ownNamespace + " get pods; its /readyz says what is missing)")
		case <-time.After(armLook):
		}
	}
}

func (a arming) say(lines string) error {
	if _, err := fmt.Fprint(a.out, lines); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return nil
}

// plainlyArming is an error with what to do about it.
func plainlyArming(err error) error {
	switch {
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%w\n  ask somebody who may get and patch the ValidatingWebhookConfiguration %s", err, webhook.RegistrationName)
	case apierrors.IsNotFound(err):
		return fmt.Errorf("%w: there is no registration, so nobody is asked; moorgate install makes one", err)
	}
	return err
}
