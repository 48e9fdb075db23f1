package remediate

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// volumes looks at what volumes of pods need.
type volumes struct {
	eye      eye
	attached []storagev1.VolumeAttachment
	unread   error
}

func (e eye) attachments(ctx context.Context) ([]storagev1.VolumeAttachment, error) {
	var list storagev1.VolumeAttachmentList
	err := e.owners.List(ctx, &list)
	return list.Items, err
}

func (v *volumes) of(ctx context.Context, pod *corev1.Pod) (causes.Start, error) {
	s := causes.Start{Mounts: mounts(pod)}
	for i := range pod.Spec.Volumes {
		for _, need := range needs(&pod.Spec.Volumes[i]) {
			is, err := v.there(ctx, pod.Namespace, need)
			if err != nil {
				return s, err
			}
			switch there, known := is.Get(); {
			case !known:
				s.Unasked = true
			case !there && s.Missing == "":
				s.Missing = gate.OneLine(need.kind+" "+need.name, maxField)
			}
		}
	}
	for _, name := range claimsOf(pod) {
		if err := v.attachment(ctx, pod, name, &s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// need is what a volume is made of.
type need struct{ kind, name string }

// needs are the ConfigMaps and Secrets that a volume is made of and cannot do without.
func needs(v *corev1.Volume) (all []need) {
	add := func(kind, name string, optional *bool) {
		if optional == nil || !*optional {
			all = append(all, need{kind, name})
		}
	}
	if v.ConfigMap != nil {
		add("ConfigMap", v.ConfigMap.Name, v.ConfigMap.Optional)
	}
	if v.Secret != nil {
		add("Secret", v.Secret.SecretName, v.Secret.Optional)
	}
	if v.Projected != nil {
		for _, source := range v.Projected.Sources {
			if source.ConfigMap != nil {
				add("ConfigMap", source.ConfigMap.Name, source.ConfigMap.Optional)
			}
			if source.Secret != nil {
				add("Secret", source.Secret.Name, source.Secret.Optional)
			}
		}
	}
	return all
}

// there is whether a ConfigMap or Secret exists.
func (v *volumes) there(ctx context.Context, namespace string, n need) (gate.Fact[bool], error) {
	if n.kind == "Secret" && v.eye.secrets == nil {
		return gate.Unknown[bool]("nobody asks for Secrets"), nil
	}
	if n.kind == "Secret" {
		return v.eye.secrets(ctx, namespace, n.name), nil
	}
	m := metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(n.kind))
	err := v.eye.owners.Get(ctx, client.ObjectKey{Namespace: namespace, Name: n.name}, &m)
	switch {
	case apierrors.IsNotFound(err):
		return gate.Known(false), nil
	case err != nil && refused(err):
		v.unread = err
		return gate.Unknown[bool](refusal(err)), nil
	case err != nil:
		return gate.Fact[bool]{}, fmt.Errorf("look for %s %s/%s: %w", n.kind, namespace, n.name, err)
	}
	return gate.Known(true), nil
}

// attachment looks where the volume of a claim is attached.
func (v *volumes) attachment(ctx context.Context, pod *corev1.Pod, name string, s *causes.Start) error {
	var claim corev1.PersistentVolumeClaim
	if err := v.eye.owners.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: name}, &claim); err != nil {
		return ignored(err)
	}
	alone := !slices.ContainsFunc(claim.Spec.AccessModes, func(m corev1.PersistentVolumeAccessMode) bool {
		return m == corev1.ReadWriteMany || m == corev1.ReadOnlyMany
	})
	for i := range v.attached {
		a := &v.attached[i]
		if a.Spec.Source.PersistentVolumeName == nil || *a.Spec.Source.PersistentVolumeName != claim.Spec.VolumeName || claim.Spec.VolumeName == "" {
			continue
		}
		switch {
		case a.Spec.NodeName == pod.Spec.NodeName && !a.Status.Attached && a.Status.AttachError != nil:
			s.Volume, s.Unattached = gate.OneLine(claim.Spec.VolumeName, maxField), true
		case a.Spec.NodeName != pod.Spec.NodeName && a.Status.Attached && alone:
			s.Volume, s.Elsewhere = gate.OneLine(claim.Spec.VolumeName, maxField), gate.OneLine(a.Spec.NodeName, maxField)
		}
	}
	return nil
}
