package app

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
)

const installTime = 3 * time.Minute

func newInstall() *cobra.Command {
	var kubeconfig, shapes string
	var enable, namespaces []string
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Applies Moorgate's kinds, identities, rights and fences to a cluster",
		Long: `Applies what a cluster needs before Moorgate runs in it: the kinds (Guardrail, Case, GitSource), the namespace
moorgate-system, three ServiceAccounts with their rights, and the admission policies that fence them in. It needs the rights of
a cluster-admin, may be repeated, and starts nothing.

No identity may act on a workload by that. --enable evict --namespace shop gives moorgate-act the right to evict pods in the
namespace shop, and --enable roll-back that to change pod templates of Deployments there; what it makes of the right is for the Guardrails there to say. To take it away again:
  kubectl -n shop delete rolebinding moorgate-act-evict

Which kinds count as rollouts is fenced in too. Of kinds that Moorgate does not know, a file says where they keep their pod
template, and --shapes FILE lets the gate ask about them. Give the same file to the webhook and to the judge, and whenever you
install again: without it the gate may ask about none of them any more.
  shapes:
  - group: apps.example.com
    version: v1
    kind: Widget
    resource: widgets
    template: spec.podTemplate     # where the pod template is
    replicas: spec.size            # left out: it runs one pod
    selector: spec.selector        # left out: which pods are its own is not known`,
		Example: "  moorgate install\n  moorgate install --enable evict --namespace shop",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bindings, err := cluster.Enabling(enable, namespaces)
			if err != nil {
				return err
			}
			described, err := readShapes(shapes)
			if err != nil {
				return err
			}
			var shaped []schema.GroupResource
			for _, s := range described {
				shaped = append(shaped, schema.GroupResource{Group: s.Group, Resource: s.Resource})
			}
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
			return cluster.Install(ctx, config, charts.Files, cluster.InstallOptions{Progress: say, Enable: bindings, Shaped: shaped})
		},
	}
	cmd.Flags().StringArrayVar(&enable, "enable", nil, "action that moorgate-act gets the right to, in each --namespace: evict, roll-back, hold")
	cmd.Flags().StringArrayVar(&namespaces, "namespace", nil, "namespace in which --enable gives the right; may be repeated")
	cmd.Flags().StringVar(&shapes, "shapes", "", "file that says where other kinds keep their pod template: the gate may ask about those too")
	cmd.Flags().StringVar(&kubeconfig, "kubeconfig", "", "kubeconfig to install with (default: $KUBECONFIG or ~/.kube/config)")
	return cmd
}
