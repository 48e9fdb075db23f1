package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

const (
	markOwner = "moorgate" // the field manager of the annotations
	markID    = "annotate"
	markPath  = "metadata.annotations["
)

// mark plans the annotations of a rollout. All of them are in the plan, changed or not, because server-side apply takes away
// what its owner leaves out. The returned bool is whether any changes.
func mark(ref gate.Ref, has map[string]string, c *v1alpha1.Case, hash string) (gate.Action, bool) {
	o := latest(c)
	a := gate.Action{ID: markID, Verb: "annotate", Reach: gate.ReachMark, Target: ref, Text: "write the verdict onto the rollout"}
	changes := false
	for _, m := range [...]struct{ name, value string }{
		{v1alpha1.AnnotationScore, scoreOf(o)}, {v1alpha1.AnnotationVerdict, o.Decision},
		{v1alpha1.AnnotationCase, c.Name}, {v1alpha1.AnnotationTemplate, hash},
	} {
		e := gate.Edit{Path: markPath + m.name + "]", New: quote(m.value)}
		if old, ok := has[m.name]; ok {
			e.Old = quote(old)
		}
		changes = changes || e.Old != e.New
		a.Edits = append(a.Edits, e)
	}
	return a, changes
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""` // a string can always be written
	}
	return string(b)
}

// marker carries out plans that mark wrote: exactly their annotations, on the object with their UID.
type marker struct{ client client.Client }

// Act applies the annotations.
func (m marker) Act(ctx context.Context, permit gate.Permit, plan gate.Action) (gate.Outcome, error) {
	u, err := markedObject(plan)
	if err != nil {
		return gate.OutcomeRefused, err
	}
	if !permit.Spend(plan) {
		return gate.OutcomeRefused, errors.New("the permit is not for this plan, or spent")
	}
	err = m.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(markOwner), client.ForceOwnership)
	switch {
	case err == nil:
		return gate.OutcomeDone, nil
	case apierrors.IsConflict(err), apierrors.IsNotFound(err), apierrors.IsForbidden(err), apierrors.IsInvalid(err):
		return gate.OutcomeRefused, fmt.Errorf("apply annotations to %s: %w", plan.Target, err)
	}
	return gate.OutcomeUnknown, fmt.Errorf("apply annotations to %s: %w", plan.Target, err)
}

// markedObject is what is sent: the object's identity and the plan's annotations. An edit of anything else is an error.
func markedObject(plan gate.Action) (*unstructured.Unstructured, error) {
	annotations := make(map[string]string, len(plan.Edits))
	for _, e := range plan.Edits {
		name, ok := strings.CutPrefix(e.Path, markPath)
		name, closed := strings.CutSuffix(name, "]")
		if !ok || !closed || !strings.HasPrefix(name, v1alpha1.GroupVersion.Group+"/") {
			return nil, fmt.Errorf("%s is no annotation of ours", e.Path)
		}
		var value string
		if err := json.Unmarshal([]byte(e.New), &value); err != nil {
			return nil, fmt.Errorf("read the new value of %s: %w", e.Path, err)
		}
		annotations[name] = value
	}
	if plan.Target.UID == "" {
		return nil, fmt.Errorf("%s has no UID, so it could be another object by now", plan.Target)
	}
	u := &unstructured.Unstructured{}
	u.SetAPIVersion(plan.Target.Group + "/" + plan.Target.Version)
	u.SetKind(plan.Target.Kind)
	u.SetNamespace(plan.Target.Namespace)
	u.SetName(plan.Target.Name)
	u.SetUID(types.UID(plan.Target.UID))
	u.SetAnnotations(annotations)
	return u, nil
}
