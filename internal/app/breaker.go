package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

const ledgerTime = 30 * time.Second

func newBreaker() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "breaker",
		Short: "Shows and closes the breakers that stop Moorgate from acting",
		Long: `Where actions made things worse or kept failing, a breaker opens, and Moorgate acts no more: in one namespace, or anywhere
where that happened in several. It goes on watching and judging. Nothing closes a breaker by itself: somebody looks into what
happened (moorgate ledger, moorgate audit why), mends it, and closes it.`,
	}
	cmd.AddCommand(newBreakerList(), newBreakerReset())
	return cmd
}

func newBreakerList() *cobra.Command {
	var kubeconfig, output string
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "Prints the open breakers",
		Long:    "Prints the open breakers, since when each is open, and why. It needs the right to get the ConfigMap\n" + ledgerRef + ".",
		Example: "  moorgate breaker list\n  moorgate breaker list -o json | jq -r '.[].namespace'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("output", output, "text", "json"); err != nil {
				return err
			}
			return withLedger(cmd, kubeconfig, func(ctx context.Context, l *cluster.Ledger) error {
				ledger, _, err := l.Read(ctx)
				if err != nil {
					return readable(err, "list the breakers", "get")
				}
				if output == "json" {
					return printJSON(cmd.OutOrStdout(), "breakers", append([]gate.Breaker{}, ledger.Open...))
				}
				return printBreakers(cmd.OutOrStdout(), ledger.Open, time.Now())
			})
		},
	}
	kubeconfigFlag(cmd, &kubeconfig)
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

func newBreakerReset() *cobra.Command {
	var kubeconfig, namespace, reason string
	var all bool
	cmd := &cobra.Command{
		Use:   "reset (--namespace NAMESPACE | --all) --reason TEXT",
		Short: "Closes a breaker",
		Long: `Closes the breaker of one namespace, or every open one, and keeps the reason beside the ledger. What went wrong until then
opens no breaker again, and goes on counting against budgets and attempts; what goes wrong afterwards opens one as before.

The breaker of everything stays open while those of two namespaces are: --all closes them together.

It needs the right to get and update the ConfigMap ` + ledgerRef + `, and the verb reset on
guardrails in the whole cluster; a ServiceAccount may not, whatever its rights. A cluster-admin has both; others get them by

  kubectl create clusterrole moorgate-resetter --verb=reset --resource=guardrails.moorgate.dev
  kubectl create clusterrolebinding moorgate-resetter --clusterrole=moorgate-resetter --user=NAME
  kubectl create role moorgate-resetter -n moorgate-system --verb=get,update --resource=configmaps --resource-name=moorgate-ledger
  kubectl create rolebinding moorgate-resetter -n moorgate-system --role=moorgate-resetter --user=NAME`,
		Example: `  moorgate breaker reset --namespace shop --reason "the image of web:1.4.3 was broken; 1.4.4 is out"
  moorgate breaker reset --all --reason "the registry is back"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case all == (namespace != ""):
				return errors.New("give --namespace NAMESPACE or --all: which breaker is to be closed?")
			case strings.TrimSpace(reason) == "":
				return errors.New("--reason is empty: what was wrong, and why may Moorgate act again?")
			}
			return withLedger(cmd, kubeconfig, func(ctx context.Context, l *cluster.Ledger) error {
				return reset(ctx, cmd.OutOrStdout(), l, namespace, reason)
			})
		},
	}
	kubeconfigFlag(cmd, &kubeconfig)
	cmd.Flags().StringVarP(&namespace, "namespace", "n", "", "namespace whose breaker is closed")
	cmd.Flags().BoolVar(&all, "all", false, "close every open breaker")
	cmd.Flags().StringVar(&reason, "reason", "", "what was wrong, and why Moorgate may act again")
	_ = cmd.MarkFlagRequired("reason")
	return cmd
}

// reset closes what is open and says what that was.
func reset(ctx context.Context, w io.Writer, l *cluster.Ledger, namespace, reason string) error {
	before, _, err := l.Read(ctx)
	if err != nil {
		return readable(err, "close a breaker", "get")
	}
	err = l.Reset(ctx, namespace, reason)
	if errors.Is(err, cluster.ErrNotOpen) {
		return notOpen(before.Open, namespace)
	}
	if err != nil {
		return readable(err, "close a breaker", "update")
	}
	for _, b := range before.Open {
		if namespace == "" || b.Namespace == namespace {
			if _, err := fmt.Fprintf(w, "closed the breaker of %s, open since %s: %s\n", shown(b.Scope()), stamp(b.Since), shown(b.Why)); err != nil {
				return fmt.Errorf("print what was closed: %w", err)
			}
		}
	}
	return nil
}

func notOpen(open []gate.Breaker, namespace string) error {
	if len(open) == 0 {
		return errors.New("no breaker is open")
	}
	var scopes []string
	for _, b := range open {
		scopes = append(scopes, shown(b.Scope()))
	}
	return fmt.Errorf("the breaker of namespace %s is not open; open are those of: %s", shown(namespace), strings.Join(scopes, ", "))
}

// readable says what somebody can do about an error of the ledger.
func readable(err error, what, verb string) error {
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("%s: Moorgate is not installed in this cluster, or its ledger was deleted: run moorgate install (%w)", what, err)
	case apierrors.IsForbidden(err) && verb == "update":
		return fmt.Errorf("%s: you may not; it needs get and update on the ConfigMap %s and, as a human, the verb reset on guardrails in the whole cluster (moorgate breaker reset --help): %w", what, ledgerRef, err)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%s: you may not; it needs %s on the ConfigMap %s: %w", what, verb, ledgerRef, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

func printBreakers(w io.Writer, open []gate.Breaker, now time.Time) error {
	if len(open) == 0 {
		_, err := fmt.Fprintln(w, "no breaker is open")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "STOPS\tSINCE\tWHY")
	for _, b := range open {
		fmt.Fprintf(table, "%s\t%s\t%s\n", shown(b.Scope()), ago(now, b.Since), shown(b.Why))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the breakers: %w", err)
	}
	return nil
}
