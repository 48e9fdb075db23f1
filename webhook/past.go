package webhook

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

// revisionsMax is how many revisions of a workload are looked into, the newest: each costs the encoding of its template.
const revisionsMax = 50

// past is one revision that a workload has had. Its template is not looked into before hash is called.
type past struct {
	object client.Object
	number int64 // 0 where its controller has not numbered it
	hash   func() (string, error)
}

// numbered is where a kind that keeps its revisions as ReplicaSets writes the number of each; empty for any other kind.
func numbered(kind schema.GroupKind) string {
	switch kind {
	case schema.GroupKind{Group: appsv1.GroupName, Kind: "Deployment"}:
		return "deployment.kubernetes.io/revision"
	case checks.RolloutKind.GroupKind():
		return "rollout.argoproj.io/revision"
	}
	return ""
}

// keepsRevisions reports whether it is known where a kind keeps its revisions.
func keepsRevisions(kind schema.GroupKind) bool {
	return kind.Group == appsv1.GroupName || numbered(kind) != ""
}

func groupKind(r gate.Ref) schema.GroupKind { return schema.GroupKind{Group: r.Group, Kind: r.Kind} }

// pastOf lists the revisions that owned picks, the newest first: ReplicaSets or ControllerRevisions, as the kind keeps them. A
// namespace may hold many of other owners, so nothing else is done with those.
func pastOf(ctx context.Context, reader client.Reader, kind schema.GroupKind, ns string, owned func(metav1.Object) bool, opts ...client.ListOption) ([]past, error) {
	var all []past
	opts = append(opts, client.InNamespace(ns))
	if number := numbered(kind); number != "" {
		var sets appsv1.ReplicaSetList
		if err := reader.List(ctx, &sets, opts...); err != nil {
			return nil, err
		}
		for i := range sets.Items {
			s := &sets.Items[i]
			if !owned(s) {
				continue
			}
			n, err := strconv.ParseInt(s.Annotations[number], 10, 64)
			if err != nil {
				n = 0
			}
			all = append(all, past{object: s, number: n, hash: func() (string, error) { return checks.Hash(s.Spec.Template), nil }})
		}
	} else {
		var kept appsv1.ControllerRevisionList
		if err := reader.List(ctx, &kept, opts...); err != nil {
			return nil, err
		}
		for i := range kept.Items {
			if v := &kept.Items[i]; owned(v) {
				all = append(all, past{object: v, number: v.Revision, hash: func() (string, error) { return hashOfRevision(v) }})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b past) int { return cmp.Compare(b.number, a.number) })
	return all, nil
}

// hashOfRevision reads the template out of the patch that a ControllerRevision holds.
func hashOfRevision(v *appsv1.ControllerRevision) (string, error) {
	var patch struct {
		Spec struct {
			Template corev1.PodTemplateSpec `json:"template"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(v.Data.Raw, &patch); err != nil {
		return "", fmt.Errorf("read revision %s: %w", v.Name, err)
	}
	return checks.Hash(patch.Spec.Template), nil
}
