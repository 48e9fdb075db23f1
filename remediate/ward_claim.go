package remediate

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/remediate/causes"
)

// The law: a claim that is Pending for a while gets no volume, unless nobody uses it yet and its class waits for that, which the
// reading of it finds out. One that is Lost had a volume that is gone.
var claimWard = ward{kind: corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"), shows: []causes.Symptom{causes.ClaimPending},
	one: func() client.Object { return &corev1.PersistentVolumeClaim{} }, list: func() client.ObjectList { return &corev1.PersistentVolumeClaimList{} },
	signs: func(o client.Object, now time.Time, patience time.Duration) []causes.Symptom {
		c, ok := o.(*corev1.PersistentVolumeClaim)
		if !ok || c.DeletionTimestamp != nil || c.Status.Phase == corev1.ClaimBound || now.Sub(c.CreationTimestamp.Time) < patience {
			return nil
		}
		return []causes.Symptom{causes.ClaimPending}
	},
	conditions: noConditions}
