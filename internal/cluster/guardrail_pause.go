package cluster

import (
	"context"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
)

// PauseName is the Guardrail that is there to pause everything: every namespace, whatever other Guardrails say and whichever
// come later.
const PauseName = "moorgate-pause"

const (
	pausesMax = 16  // entries of one Guardrail, as the schema has it
	reasonMax = 256 // characters of one
)

// Pauses stops Moorgate and lets it go on, by the pause entries of Guardrails. Many people may do so at once: nobody's entry
// is lost.
type Pauses struct {
	Client client.Client
}

// contended is how often a write is tried again that somebody else got ahead of.
var contended = wait.Backoff{Steps: 30, Duration: 10 * time.Millisecond, Factor: 1.5, Jitter: 0.5, Cap: time.Second}

// Add pauses a Guardrail for a reason, and reports whether it was not paused for it before. PauseName is made if it is not
// there, and put back into its shape if it has lost it.
func (p Pauses) Add(ctx context.Context, name, reason string) (bool, error) {
	if n := utf8.RuneCountInString(reason); n > reasonMax || n == 0 {
		return false, fmt.Errorf("the reason has %d characters; it must have some and may have %d", n, reasonMax)
	}
	added := false
	err := retry.OnError(contended, overtaken, func() error {
		u, err := p.read(ctx, name)
		if name == PauseName && apierrors.IsNotFound(err) {
			added = true
			return p.Client.Create(ctx, everything([]string{reason}))
		}
		if err != nil {
			return err
		}
		reasons := Paused(u)
		if added = !slices.Contains(reasons, reason); added {
			reasons = append(reasons, reason)
		}
		if len(reasons) > pausesMax {
			return fmt.Errorf("it is paused already, for %d reasons, and there is room for no more", pausesMax)
		}
		return p.write(ctx, u, reasons)
	})
	return added && err == nil, wrapped(err, "pause", name)
}

// Remove takes the reasons that match out of a Guardrail and returns them, and what is left. PauseName goes when nothing is
// left: it says nothing else.
func (p Pauses) Remove(ctx context.Context, name string, match func(reason string) bool) (removed, left []string, err error) {
	err = retry.OnError(contended, overtaken, func() error {
		removed, left = nil, nil
		u, err := p.read(ctx, name)
		if name == PauseName && apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, reason := range Paused(u) {
			if match(reason) {
				removed = append(removed, reason)
			} else {
				left = append(left, reason)
			}
		}
		if name == PauseName && len(left) == 0 {
			// Deleted as it was read, in one step: without a reason it would still select every namespace.
			uid, version := u.GetUID(), u.GetResourceVersion()
			return client.IgnoreNotFound(p.Client.Delete(ctx, u, client.Preconditions{UID: &uid, ResourceVersion: &version}))
		}
		if len(removed) == 0 {
			return nil
		}
		return p.write(ctx, u, left)
	})
	return removed, left, wrapped(err, "take the pause out of", name)
}

// List are all Guardrails, as they are stored.
func (p Pauses) List(ctx context.Context) ([]unstructured.Unstructured, error) {
	var list unstructured.UnstructuredList
	list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("GuardrailList"))
	if err := p.Client.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("list Guardrails: %w", err)
	}
	return list.Items, nil
}

// Paused are the reasons for which a Guardrail is paused, as far as they can be read.
func Paused(u *unstructured.Unstructured) []string {
	entries, _, _ := unstructured.NestedSlice(u.Object, "spec", "pause")
	var reasons []string
	for _, e := range entries {
		if fields, ok := e.(map[string]any); ok {
			if reason, ok := fields["reason"].(string); ok {
				reasons = append(reasons, reason)
			}
		}
	}
	return reasons
}

func (p Pauses) read(ctx context.Context, name string) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Guardrail"))
	return u, p.Client.Get(ctx, client.ObjectKey{Name: name}, u)
}

// write has a Guardrail paused for exactly these reasons, if nobody has changed it since it was read. Whatever else it says
// stays as it is, except for PauseName, which says nothing else.
func (p Pauses) write(ctx context.Context, u *unstructured.Unstructured, reasons []string) error {
	was := u.DeepCopy()
	if u.GetName() == PauseName {
		u.Object["spec"] = everything(reasons).Object["spec"]
	} else if err := unstructured.SetNestedSlice(u.Object, entriesOf(reasons), "spec", "pause"); err != nil {
		return err
	}
	return p.Client.Patch(ctx, u, client.MergeFromWithOptions(was, client.MergeFromWithOptimisticLock{}))
}

func entriesOf(reasons []string) []any {
	entries := make([]any, len(reasons))
	for i, r := range reasons {
		entries[i] = map[string]any{"reason": r}
	}
	return entries
}

// everything is the Guardrail PauseName. But for the pause it asks for as little as a Guardrail can, so that it lowers nothing
// else. Its mode is Observe all the same: should somebody take the reasons out by hand and leave the rest, it must not let
// anything happen in namespaces to which no other Guardrail applies.
func everything(reasons []string) *unstructured.Unstructured {
	n := func(n int32) *int32 { return &n }
	most := v1alpha1.Budget{Actions: 1000, Window: "1m"}
	spec := v1alpha1.GuardrailSpec{Mode: "Observe",
		Thresholds: v1alpha1.Thresholds{WarnBelow: n(0), DenyBelow: n(0), ConfidenceBelow: n(0), AgreementBelow: n(0), HistoryBelow: n(0)},
		Admission:  v1alpha1.Admission{Mode: "Observe", OnMissing: "Warn"},
		Budgets:    v1alpha1.Budgets{Total: most, PerNamespace: most, PerWorkload: most},
		Restraint:  v1alpha1.Restraint{MinHealthyPercent: n(0), StormCases: n(10000), Wait: "30s", Fresh: "1h", Attempts: n(100), CoolDown: "5m"},
		Approval:   v1alpha1.ApprovalTerms{Approvers: n(0)}}
	for _, verb := range verbs {
		spec.Actions = append(spec.Actions, v1alpha1.AllowedAction{Verb: verb, Irreversible: "Allow"})
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&spec)
	if err != nil {
		content = map[string]any{} // plain values can always be converted
	}
	u := &unstructured.Unstructured{Object: map[string]any{"spec": content}}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Guardrail"))
	u.SetName(PauseName)
	u.SetLabels(map[string]string{"app.kubernetes.io/part-of": "moorgate"})
	content["pause"] = entriesOf(reasons)
	return u
}

// overtaken reports whether somebody else wrote in between.
func overtaken(err error) bool { return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) }

func wrapped(err error, what, name string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s Guardrail %s: %w", what, name, err)
}
