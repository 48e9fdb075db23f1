package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// useTries is how often a use is tried again after a conflict or an answer that never came.
const useTries = 5

// Use spends the approvals that an action rests on, each by compare-and-swap, so that of several processes one succeeds. It is
// refused if one is gone, was used for another reservation, has expired or does not say what was given, and if somebody has
// rejected the plan by now. To use them again for the same reservation changes nothing. An error means that nobody can say,
// and what was used until then stays used, as it does after a crash.
func (a Approvals) Use(ctx context.Context, namespace string, given []gate.Approval, reservation string) (*gate.Reason, error) {
	if len(given) == 0 {
		return nil, nil
	}
	if reservation == "" {
		return nil, errors.New("use Approvals for an action without a reservation: it must have one")
	}
	found, err := a.list(ctx, namespace, func(spec map[string]any) bool {
		return slices.ContainsFunc(given, func(x gate.Approval) bool { return spec["plan"] == x.Plan })
	})
	if err != nil {
		return nil, err
	}
	if by := rejection(found); by != nil {
		return by, nil
	}
	for _, x := range given { // all of them before the first is spent
		if _, why := a.spent(named(found, x.Name), x, reservation); why != "" {
			return unusable(x, why), nil
		}
	}
	for _, x := range given {
		why, err := a.spend(ctx, named(found, x.Name), x, reservation)
		if err != nil {
			return nil, fmt.Errorf("use Approval %s/%s: %w", namespace, x.Name, err)
		}
		if why != "" {
			return unusable(x, why), nil
		}
	}
	return nil, nil
}

// rejection is the reason that a rejection among these gives. One that cannot be read may be one.
func rejection(found []unstructured.Unstructured) *gate.Reason {
	for i := range found {
		x, err := heard(&found[i])
		if err != nil {
			return &gate.Reason{Rule: "approval", Decision: gate.Hold, Text: gate.OneLine(err.Error(), 256)}
		}
		if x.Reject {
			return &gate.Reason{Rule: "approval", Decision: gate.Deny, Text: fmt.Sprintf("%s rejected it at %s", x.Approver, x.At.Format(time.RFC3339))}
		}
	}
	return nil
}

func named(found []unstructured.Unstructured, name string) *unstructured.Unstructured {
	for i := range found {
		if found[i].GetName() == name {
			return &found[i]
		}
	}
	return nil
}

func unusable(x gate.Approval, why string) *gate.Reason {
	return &gate.Reason{Rule: "approval", Decision: gate.Hold, Text: gate.OneLine(fmt.Sprintf("the Approval %s of %s %s", x.Name, x.Approver, why), 256)}
}

// spent is whether an Approval was spent on this reservation already, and why it cannot be, if so.
func (a Approvals) spent(u *unstructured.Unstructured, x gate.Approval, reservation string) (done bool, why string) {
	if u == nil {
		return false, "is gone"
	}
	now, err := heard(u)
	if err != nil {
		return false, err.Error()
	}
	switch used := usedFor(u); {
	case x.Void != "":
		return false, "does not count: " + x.Void
	case now.Reject || now.Approver == "" || now.Approver != x.Approver || now.Plan != x.Plan || !now.At.Equal(x.At):
		return false, "does not say any more what it said"
	case used == reservation:
		return true, ""
	case used != "":
		return false, "was used before, for " + used
	case !a.Now().Before(now.Expires):
		return false, "has expired at " + now.Expires.Format(time.RFC3339)
	}
	return false, ""
}

// spend writes the use of one Approval, on condition that it is still the one that was read. After a conflict, and after an
// answer that never came, it reads again: its own use, should it have arrived, is told by the reservation.
func (a Approvals) spend(ctx context.Context, u *unstructured.Unstructured, x gate.Approval, reservation string) (string, error) {
	var last error
	for range useTries {
		if done, why := a.spent(u, x, reservation); done || why != "" {
			return why, nil
		}
		last = a.write(ctx, u, reservation)
		switch {
		case last == nil:
			return "", nil
		case apierrors.IsForbidden(last) || apierrors.IsInvalid(last) || apierrors.IsUnauthorized(last) || apierrors.IsBadRequest(last):
			return "", last
		}
		namespace, name := u.GetNamespace(), u.GetName()
		u = &unstructured.Unstructured{}
		u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Approval"))
		if err := a.Reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, u); apierrors.IsNotFound(err) {
			u = nil
		} else if err != nil {
			return "", errors.Join(last, fmt.Errorf("read it again: %w", err))
		}
	}
	return "", last
}

func (a Approvals) write(ctx context.Context, u *unstructured.Unstructured, reservation string) error {
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"resourceVersion": u.GetResourceVersion()},
		"status": v1alpha1.ApprovalStatus{Used: &v1alpha1.ApprovalUse{Reservation: reservation, At: metav1.NewTime(a.Now())}}})
	if err != nil {
		return err
	}
	target := &v1alpha1.Approval{ObjectMeta: metav1.ObjectMeta{Namespace: u.GetNamespace(), Name: u.GetName()}}
	return a.Writer.Status().Patch(ctx, target, client.RawPatch(types.MergePatchType, body))
}
