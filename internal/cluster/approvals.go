package cluster

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

const (
	// A Case has at most this many Approvals that are looked at; with more, nobody can say who approved it.
	approvalsEach = 64
	// In one namespace this many are gone through, in pages, to find those of one Case.
	approvalsPage  = 500
	approvalsPages = 20

	ttlDefault = time.Hour
	ttlMost    = 24 * time.Hour
)

// Approvals are people's words on plans, as far as the API server vouched for them.
type Approvals struct {
	// Reader reads from the API server itself: a cache would show what was said a moment ago.
	Reader client.Reader
	// Writer writes the status of Approvals. Only Use needs it.
	Writer client.StatusClient
	// Fences vouch for the approver of what was created while they stood: VouchingFences. Without them nothing counts.
	Fences Fences
	Now    func() time.Time
}

// For returns every word on the plans of a Case. An Approval that does not count says why in Void: it was not created under
// the fences as they are shipped, or a ServiceAccount gave it that a Guardrail does not list. If one cannot be read, nobody can
// say who approved and who rejected.
func (a Approvals) For(ctx context.Context, namespace, caseName string) gate.Fact[[]gate.Approval] {
	found, err := a.list(ctx, namespace, func(spec map[string]any) bool { return spec["case"] == caseName })
	if err != nil {
		return gate.Unknown[[]gate.Approval](gate.OneLine(err.Error(), 256))
	}
	if len(found) > approvalsEach {
		return gate.Unknown[[]gate.Approval](fmt.Sprintf("there are %d Approvals of the Case, more than the %d that are looked at: delete old ones", len(found), approvalsEach))
	}
	given := make([]gate.Approval, 0, len(found))
	for i := range found {
		x, err := heard(&found[i])
		if err != nil {
			return gate.Unknown[[]gate.Approval](gate.OneLine(err.Error(), 256))
		}
		given = append(given, x)
	}
	a.vouch(ctx, namespace, given)
	return gate.Known(given)
}

// list finds the Approvals of a namespace whose spec is one that is asked for.
func (a Approvals) list(ctx context.Context, namespace string, wanted func(spec map[string]any) bool) ([]unstructured.Unstructured, error) {
	var found []unstructured.Unstructured
	after := ""
	for range approvalsPages {
		var page unstructured.UnstructuredList
		page.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("ApprovalList"))
		if err := a.Reader.List(ctx, &page, client.InNamespace(namespace), client.Limit(approvalsPage), client.Continue(after)); err != nil {
			return nil, fmt.Errorf("list the Approvals in namespace %s: %w", namespace, err)
		}
		for _, u := range page.Items {
			if spec, _ := u.Object["spec"].(map[string]any); wanted(spec) {
				found = append(found, u)
			}
		}
		if after = page.GetContinue(); after == "" {
			return found, nil
		}
	}
	return nil, fmt.Errorf("there are more than %d Approvals in namespace %s: delete old ones", approvalsPages*approvalsPage, namespace)
}

// heard is what an Approval says, by itself. What is neither an approval nor anything else that is known is a rejection, and
// what says anything at all about its use has been used.
func heard(u *unstructured.Unstructured) (gate.Approval, error) {
	var spec v1alpha1.ApprovalSpec
	if err := strictly(u.Object["spec"], &spec); err != nil {
		return gate.Approval{}, fmt.Errorf("read the spec of Approval %s: %w", u.GetName(), err)
	}
	at := u.GetCreationTimestamp().UTC()
	return gate.Approval{
		Name:     u.GetName(),
		Approver: gate.OneLine(spec.Approver, 320),
		Plan:     spec.Plan,
		Reject:   spec.Decision != "" && spec.Decision != v1alpha1.DecisionApprove,
		Reason:   gate.OneLine(spec.Reason, 256),
		At:       at,
		Expires:  at.Add(ttl(spec.TTLSeconds)),
		Used:     usedFor(u) != "",
	}, nil
}

func ttl(seconds *int32) time.Duration {
	if seconds == nil {
		return ttlDefault
	}
	return min(max(time.Duration(*seconds)*time.Second, 0), ttlMost)
}

// usedFor is the reservation that an Approval was spent on. A use that does not say for what is one all the same.
func usedFor(u *unstructured.Unstructured) string {
	use, found, err := unstructured.NestedFieldNoCopy(u.Object, "status", "used")
	if err == nil && (!found || use == nil) {
		return ""
	}
	if fields, ok := use.(map[string]any); ok {
		if reservation, ok := fields["reservation"].(string); ok && reservation != "" {
			return reservation
		}
	}
	return "(something that cannot be read)"
}

// vouch says of each approval that was not used why it does not count, if so.
func (a Approvals) vouch(ctx context.Context, namespace string, given []gate.Approval) {
	var standing *Standing
	for i := range given {
		x := &given[i]
		if x.Reject || x.Used {
			continue
		}
		if standing == nil {
			now := a.Fences.Look(ctx, a.Reader)
			standing = &now
		}
		x.Void = standing.voids(x.At)
		if x.Void == "" && strings.HasPrefix(x.Approver, "system:") {
			x.Void = Guardrails{Reader: a.Reader}.unlisted(ctx, namespace, x.Approver)
		}
		x.Void = gate.OneLine(x.Void, 200)
	}
}
