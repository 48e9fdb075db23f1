package drift

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

// parseGitSource reads a GitSource strictly: a field that this version does not know may be the one that matters.
func parseGitSource(u *unstructured.Unstructured) (v1alpha1.GitSource, error) {
	g := v1alpha1.GitSource{}
	g.Name, g.Namespace, g.UID, g.Generation = u.GetName(), u.GetNamespace(), u.GetUID(), u.GetGeneration()
	spec, err := json.Marshal(u.Object["spec"])
	if err != nil {
		return g, fmt.Errorf("read the spec: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(spec))
	d.DisallowUnknownFields()
	if err := d.Decode(&g.Spec); err != nil {
		return g, fmt.Errorf("read the spec: %w", err)
	}
	return g, nil
}

// SecretOf is the Secret that the repository of a GitSource is read with; the zero key is none.
func SecretOf(g *v1alpha1.GitSource) client.ObjectKey {
	if g.Spec.SecretRef == nil {
		return client.ObjectKey{}
	}
	return client.ObjectKey{Namespace: g.Namespace, Name: g.Spec.SecretRef.Name}
}

// say keeps the status of a GitSource: the commit that was read, and Ready with what was wrong or what was done, without a
// character that could move a terminal's cursor, because names come from repositories. It writes only what changed.
func (d *Detector) say(ctx context.Context, u *unstructured.Unstructured, commit string, problem error, text string) error {
	var status v1alpha1.GitSourceStatus
	if raw, ok := u.Object["status"].(map[string]any); ok {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(raw, &status); err != nil {
			return fmt.Errorf("read the status of GitSource %s/%s: %w", u.GetNamespace(), u.GetName(), err)
		}
	}
	before := status.DeepCopy()
	status.ObservedGeneration = u.GetGeneration()
	if commit != "" {
		status.Commit = commit
	}
	meta.SetStatusCondition(&status.Conditions, cluster.Ready(d.Now(), u.GetGeneration(), problem, gate.OneLine(text, 1024)))
	if equality.Semantic.DeepEqual(*before, status) {
		return nil
	}
	raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&status)
	if err != nil {
		return fmt.Errorf("encode the status of GitSource %s/%s: %w", u.GetNamespace(), u.GetName(), err)
	}
	old := u.DeepCopy()
	u.Object["status"] = raw
	if err := d.Client.Status().Patch(ctx, u, client.MergeFrom(old)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the status of GitSource %s/%s: %w", u.GetNamespace(), u.GetName(), err)
	}
	return nil
}
