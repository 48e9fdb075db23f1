package app

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
)

const installTime = 3 * time.Minute

func newInstall() *cobra.Command {
	var kubeconfig string
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Applies Moorgate's kinds, identities, rights and fences to a cluster",
		Long: `Applies what a cluster needs before Moorgate runs in it: the kinds (Guardrail, Case, GitSource), the namespace
moorgate-system, three ServiceAccounts with their rights, and the admission policies that fence them in. It needs the rights of
a cluster-admin, may be repeated, and starts nothing.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := restConfig(kubeconfig)
			if err != nil {
				return err
			}
			if err := reach(cmd.Context(), config); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), installTime)
			defer cancel()
			say := func(line string) { _, _ = fmt.Fprintln(cmd.OutOrStdout(), line) }
			return cluster.Install(ctx, config, charts.Files, cluster.InstallOptions{Progress: say})
		},
	}
	cmd.Flags().StringVar(&kubeconfig, "kubeconfig", "", "kubeconfig to install with (default: $KUBECONFIG or ~/.kube/config)")
	return cmd
}
