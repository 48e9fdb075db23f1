package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"moorgate.dev/api/v1alpha1"
)

const (
	approveTime = 30 * time.Second // for each of looking and writing; nobody is hurried while they read

	ttlLeast, ttlMost = time.Minute, 24 * time.Hour
	reasonMost        = 256
)

const approveLong = `%s

An Approval is for one plan only, by its digest: if what would be done changes, it is void. It expires (--ttl), and it is used once.
A rejection of a plan outweighs every approval of it, and stands until it is deleted.

The API server vouches for who approves: you need the verb approve on cases and the right to create approvals in the namespace of
the Case. The ClusterRole moorgate-approver has both, bound to nobody:

  kubectl create rolebinding moorgate-approvers -n NAMESPACE --clusterrole=moorgate-approver --user=NAME

CASE is NAME or NAMESPACE/NAME, as kubectl get cases -A lists it. Without a terminal to ask on, --yes is needed. The same by hand:

  kubectl create -n NAMESPACE -f - <<END
  apiVersion: moorgate.dev/v1alpha1
  kind: Approval
  metadata: {generateName: CASE-}
  spec: {case: CASE, plan: "sha256:...", approver: YOUR USER NAME, decision: %s}
  END

Exit codes: 0 it is said; 3 it is not.`

// approveOptions are what approve and reject are told.
type approveOptions struct {
	decision   string
	kubeconfig string
	namespace  string
	action     string
	reason     string
	ttl        time.Duration
	yes        bool
	output     string
}

func newApprove() *cobra.Command {
	return newWord(v1alpha1.DecisionApprove, "Approves what Moorgate would do about a Case",
		"Shows what would be done about a Case, asks, and approves it in your name. Moorgate then does it if nothing else stands in the way.",
		`  moorgate approve remediate-web-1a2b3c4d5e6f -n shop
  moorgate approve shop/remediate-web-1a2b3c4d5e6f --reason "seen on the dashboard" --ttl 15m --yes
  moorgate approve shop/drift-web-1a2b3c4d5e6f --action adopt -o json --yes`)
}

func newReject() *cobra.Command {
	return newWord(v1alpha1.DecisionReject, "Rejects what Moorgate would do about a Case",
		"Shows what would be done about a Case, asks, and rejects it in your name. Moorgate then does not do it, whoever approves it.",
		`  moorgate reject remediate-web-1a2b3c4d5e6f -n shop --reason "we are debugging this pod"
  kubectl delete approval NAME -n shop      # takes a rejection back`)
}

func newWord(decision, short, long, example string) *cobra.Command {
	o := approveOptions{decision: decision}
	cmd := &cobra.Command{
		Use:     strings.ToLower(decision) + " CASE",
		Short:   short,
		Long:    fmt.Sprintf(approveLong, long, decision),
		Example: example,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return say(cmd, o, args[0])
		},
	}
	f := cmd.Flags()
	kubeconfigFlag(cmd, &o.kubeconfig)
	f.StringVarP(&o.namespace, "namespace", "n", "", "namespace of the Case (default: the kubeconfig's)")
	f.StringVar(&o.action, "action", "", "id of an action on the Case's menu (default: the one that was chosen)")
	f.StringVar(&o.reason, "reason", "", "why, for whoever reads it later")
	f.DurationVar(&o.ttl, "ttl", time.Hour, "how long it is good for, from 1m to 24h")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	f.StringVarP(&o.output, "output", "o", "text", "text or json (the Approval; what would be done goes to standard error)")
	return cmd
}

func (o approveOptions) check() error {
	var errs []error
	if o.ttl < ttlLeast || o.ttl > ttlMost {
		errs = append(errs, fmt.Errorf("--ttl %s is not between %s and %s", o.ttl, ttlLeast, ttlMost))
	}
	if len(o.reason) > reasonMost {
		errs = append(errs, fmt.Errorf("--reason has %d bytes, more than %d", len(o.reason), reasonMost))
	}
	return errors.Join(append(errs, oneOf("output", o.output, "text", "json"))...)
}

// say looks, shows, asks and says it.
func say(cmd *cobra.Command, o approveOptions, arg string) error {
	told := cmd.OutOrStdout()
	if o.output == "json" {
		told = cmd.ErrOrStderr()
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), approveTime)
	defer cancel()
	h, err := newHearing(ctx, o, arg)
	if err != nil {
		return err
	}
	if err := h.print(told); err != nil {
		return err
	}
	if err := confirmed(cmd, told, o); err != nil {
		return err
	}
	ctx, cancel = context.WithTimeout(cmd.Context(), approveTime)
	defer cancel()
	given, err := h.give(ctx, o)
	if err != nil {
		return err
	}
	if o.output == "json" {
		return printJSON(cmd.OutOrStdout(), "Approval", given)
	}
	_, err = fmt.Fprintln(told, h.said(given))
	return err
}

// confirmed asks on a terminal. Where there is none, or nobody is to be asked, --yes has to say so.
func confirmed(cmd *cobra.Command, told io.Writer, o approveOptions) error {
	if o.yes {
		return nil
	}
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !isTerminal(in) {
		return errors.New("nobody can be asked here, because standard input is no terminal: give --yes to " + strings.ToLower(o.decision) + " it")
	}
	return confirm(cmd.Context(), in, told, o.decision)
}

// confirm takes yes for an answer, and nothing else.
func confirm(ctx context.Context, in io.Reader, told io.Writer, decision string) error {
	if _, err := fmt.Fprintf(told, "\n%s it? [y/N] ", decision); err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(in).ReadString('\n') // an answer that cannot be read is no yes
		answer <- line
	}()
	select {
	case <-ctx.Done():
		return errors.New("interrupted: nothing was said")
	case line := <-answer:
		if a := strings.ToLower(strings.TrimSpace(line)); a != "y" && a != "yes" {
			return errors.New("nothing was said")
		}
		return nil
	}
}
