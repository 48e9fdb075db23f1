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
	"sigs.k8s.io/controller-runtime/pkg/client"

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

// pastOf lists the revisions that owned picks, the newest first: ReplicaSets for a Deployment, else ControllerRevisions. A
// namespace may hold many of other owners, so nothing else is done with those.
func pastOf(ctx context.Context, reader client.Reader, kind, ns string, owned func(metav1.Object) bool, opts ...client.ListOption) ([]past, error) {
	var all []past
	opts = append(opts, client.InNamespace(ns))
	if kind == "Deployment" {
		var sets appsv1.ReplicaSetList
		if err := reader.List(ctx, &sets, opts...); err != nil {
			return nil, err
		}
		for i := range sets.Items {
			s := &sets.Items[i]
			if !owned(s) {
				continue
			}
			number, err := strconv.ParseInt(s.Annotations["deployment.kubernetes.io/revision"], 10, 64)
			if err != nil {
				number = 0
			}
			all = append(all, past{object: s, number: number, hash: func() (string, error) { return checks.Hash(s.Spec.Template), nil }})
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
