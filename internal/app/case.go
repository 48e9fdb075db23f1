package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/spf13/cobra"

	"moorgate.dev/api/v1alpha1"
)

// caseStory is one Case with what belongs to it.
type caseStory struct {
	Case      *v1alpha1.Case      `json:"case"`
	Waits     waiting             `json:"waits"`
	Approvals []v1alpha1.Approval `json:"approvals,omitempty"`
	Related   []caseLine          `json:"related,omitempty"` // of the same workload, newest first
	Notes     []string            `json:"notes,omitempty"`   // what could not be read, and so is not told
}

func newCase() *cobra.Command {
	var kubeconfig, namespace, output string
	cmd := &cobra.Command{
		Use:   "case CASE",
		Short: "Tells one Case in full",
		Long: `Tells all that stands on a Case: what happened, what was found and could not be read, why it was decided so, what could be done and
what was chosen, what was done and came of it, who approved or rejected, where it is on record, and which other Cases are about the same
workload. CASE is NAME or NAMESPACE/NAME, as moorgate cases lists it.

A Case holds the beginnings of long texts and no evidence; moorgate audit why CASE has all of it, from the logs. It takes the right to
get and list Cases; Approvals are told to whoever may list them.

Exit codes: 0 it is told; 3 it could not be read.`,
		Example: `  moorgate case remediate-web-1a2b3c4d5e6f -n shop
  moorgate case shop/remediate-web-1a2b3c4d5e6f -o json | jq .waits`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("output", output, "text", "json"); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), casesTime)
			defer cancel()
			from, err := personsClient(ctx, kubeconfig)
			if err != nil {
				return err
			}
			key, err := caseKey(args[0], namespace, kubeconfig)
			if err != nil {
				return err
			}
			story, err := readStory(ctx, from, key)
			if err != nil {
				return err
			}
			if output == "json" {
				return printJSON(cmd.OutOrStdout(), "Case", story)
			}
			return story.print(cmd.OutOrStdout(), time.Now())
		},
	}
	kubeconfigFlag(cmd, &kubeconfig)
	cmd.Flags().StringVarP(&namespace, "namespace", "n", "", "namespace of the Case (default: the kubeconfig's)")
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json (the Case, its Approvals and related Cases)")
	return cmd
}

// readStory reads a Case and what belongs to it. Without the Case there is no story; the rest may be missing.
func readStory(ctx context.Context, from client.Client, key client.ObjectKey) (*caseStory, error) {
	s := &caseStory{Case: &v1alpha1.Case{}}
	if err := readCase(ctx, from, key, readerRole, s.Case); err != nil {
		return nil, err
	}
	s.Case.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Case"))
	s.Case.ManagedFields = nil
	s.Waits = waitsFor(s.Case)
	var said v1alpha1.ApprovalList
	switch err := from.List(ctx, &said, client.InNamespace(key.Namespace)); {
	case apierrors.IsForbidden(err):
		s.Notes = append(s.Notes, "you may not read who approved or rejected anything here")
	case err != nil:
		s.Notes = append(s.Notes, "who approved or rejected could not be read: "+err.Error())
	}
	for _, a := range said.Items {
		if a.Spec.Case == key.Name {
			a.ManagedFields = nil
			s.Approvals = append(s.Approvals, a)
		}
	}
	slices.SortFunc(s.Approvals, func(a, b v1alpha1.Approval) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	of := s.Case.Labels[v1alpha1.LabelWorkload]
	if of == "" {
		return s, nil
	}
	others, _, err := listCases(ctx, from, key.Namespace, client.MatchingLabels{v1alpha1.LabelWorkload: of})
	if err != nil {
		s.Notes = append(s.Notes, "other Cases of the same workload could not be read: "+err.Error())
	}
	for i := range others {
		if others[i].Name != key.Name {
			s.Related = append(s.Related, lineOf(&others[i]))
		}
	}
	slices.SortFunc(s.Related, func(a, b caseLine) int { return cmp.Or(b.Opened.Compare(a.Opened), cmp.Compare(a.Name, b.Name)) })
	return s, nil
}
