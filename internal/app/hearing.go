package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

// hearing is a Case whose plan somebody is about to approve or reject.
type hearing struct {
	client client.Client
	about  v1alpha1.Case
	plan   v1alpha1.Choice
	user   string
	now    time.Time

	given  []v1alpha1.Approval // of this plan
	policy gate.Policy
	notes  []string // what could not be read, and so is not shown
}

// newHearing reads all that whoever decides should see, and makes sure that they may.
func newHearing(ctx context.Context, o approveOptions, arg string) (*hearing, error) {
	h := &hearing{now: time.Now()}
	var err error
	if h.client, err = personsClient(ctx, o.kubeconfig); err != nil {
		return nil, err
	}
	key, err := caseKey(arg, o.namespace, o.kubeconfig)
	if err != nil {
		return nil, err
	}
	if err := readCase(ctx, h.client, key, approverRole, &h.about); err != nil {
		return nil, err
	}
	if h.plan, err = planOf(&h.about, o.action); err != nil {
		return nil, err
	}
	if err := h.mayThey(ctx); err != nil {
		return nil, err
	}
	h.listen(ctx)
	return h, nil
}

// planOf finds the action that is meant on the menu of a Case: the one of that id, or the one that was chosen.
func planOf(c *v1alpha1.Case, id string) (v1alpha1.Choice, error) {
	var none v1alpha1.Choice
	of := c.Namespace + "/" + c.Name
	if id == "" {
		if len(c.Status.Chosen) == 0 {
			return none, fmt.Errorf("case %s has no action to decide on: nothing was chosen from its menu%s", of, menuOf(c))
		}
		id = c.Status.Chosen[0]
	}
	i := slices.IndexFunc(c.Status.Menu, func(x v1alpha1.Choice) bool { return x.ID == id })
	if i < 0 {
		return none, fmt.Errorf("case %s has no action %s on its menu%s", of, shown(id), menuOf(c))
	}
	plan := c.Status.Menu[i]
	var reach gate.Reach
	if err := reach.UnmarshalText([]byte(plan.Reach)); err != nil {
		return none, fmt.Errorf("read how far action %s of case %s reaches: %w", shown(id), of, err)
	}
	switch {
	case reach > gate.ReachGit:
		return none, fmt.Errorf("action %s of case %s changes nothing in the cluster or in Git (it reaches %s), so that there is nothing to decide on%s", shown(id), of, reach, menuOf(c))
	case plan.Digest == "":
		return none, fmt.Errorf("action %s of case %s has no digest to approve", shown(id), of)
	}
	return plan, nil
}

func menuOf(c *v1alpha1.Case) string {
	var ids []string
	for _, x := range c.Status.Menu {
		ids = append(ids, shown(x.ID))
	}
	if len(ids) == 0 {
		return "; its menu is empty"
	}
	return "; on its menu: " + strings.Join(ids, ", ")
}

// listen reads what others said about the plan and whose word it takes. Who may approve need not be able to read either.
func (h *hearing) listen(ctx context.Context) {
	var list v1alpha1.ApprovalList
	if err := h.client.List(ctx, &list, client.InNamespace(h.about.Namespace)); err != nil {
		h.notes = append(h.notes, "who else approved could not be read: "+err.Error())
	}
	for _, a := range list.Items {
		if a.Spec.Case == h.about.Name && a.Spec.Plan == h.plan.Digest {
			h.given = append(h.given, a)
		}
	}
	slices.SortFunc(h.given, func(a, b v1alpha1.Approval) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	var err error
	switch h.policy, err = (cluster.Guardrails{Reader: h.client, Now: time.Now}).Policy(ctx, h.about.Namespace); {
	case apierrors.IsForbidden(err):
		h.notes = append(h.notes, "how many must approve is said by Guardrails, which you may not read")
	case err != nil:
		h.notes = append(h.notes, "how many must approve could not be read: "+err.Error())
	}
}

// give creates the Approval, unless the plan has changed since it was shown.
func (h *hearing) give(ctx context.Context, o approveOptions) (*v1alpha1.Approval, error) {
	shownPlan := h.plan.Digest
	if err := readCase(ctx, h.client, client.ObjectKeyFromObject(&h.about), approverRole, &h.about); err != nil {
		return nil, err
	}
	now, err := planOf(&h.about, h.plan.ID)
	if err == nil && now.Digest != shownPlan {
		err = fmt.Errorf("it is %.19s now", now.Digest)
	}
	if err != nil {
		return nil, fmt.Errorf("the plan %.19s of case %s/%s is gone, so nothing was said: %w", shownPlan, h.about.Namespace, h.about.Name, err)
	}
	a := &v1alpha1.Approval{ObjectMeta: metav1.ObjectMeta{Namespace: h.about.Namespace, GenerateName: h.about.Name + "-",
		OwnerReferences: []metav1.OwnerReference{{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Case", Name: h.about.Name, UID: h.about.UID}}},
		Spec: v1alpha1.ApprovalSpec{Case: h.about.Name, Plan: shownPlan, Decision: o.decision, Approver: h.user, Reason: o.reason,
			TTLSeconds: new(int32(o.ttl / time.Second))}}
	if strings.HasPrefix(h.user, "system:serviceaccount:") {
		a.Labels = map[string]string{v1alpha1.LabelApprover: v1alpha1.ApproverServiceAccount}
	}
	if err := h.client.Create(ctx, a); err != nil {
		return nil, refusal(o.decision, err)
	}
	a.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Approval"))
	a.ManagedFields = nil
	return a, nil
}

// refusal is what the API server said, in the words of the fence that said it, if any.
func refusal(decision string, err error) error {
	if _, why, found := strings.Cut(err.Error(), "' denied request: "); found {
		return fmt.Errorf("the API server refuses it: %s", shown(why))
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: no answer came, so that it may have been said or not (kubectl get approvals): %w", strings.ToLower(decision), err)
	}
	return fmt.Errorf("%s: %w", strings.ToLower(decision), err)
}
