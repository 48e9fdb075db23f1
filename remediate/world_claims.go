package remediate

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// claimsOf are the names of the volume claims that a pod uses.
func claimsOf(pod *corev1.Pod) (names []string) {
	for _, v := range pod.Spec.Volumes {
		switch {
		case v.PersistentVolumeClaim != nil:
			names = append(names, v.PersistentVolumeClaim.ClaimName)
		case v.Ephemeral != nil:
			names = append(names, pod.Name+"-"+v.Name)
		}
	}
	return names
}

// volumesOf says of the claims of a pod which is not bound, and from where those that are can be reached.
func (e eye) volumesOf(ctx context.Context, pod *corev1.Pod) (unbound string, reach []*corev1.NodeSelector, unread string, err error) {
	for _, name := range claimsOf(pod) {
		var claim corev1.PersistentVolumeClaim
		err := e.owners.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: name}, &claim)
		switch {
		case apierrors.IsNotFound(err):
			return fmt.Sprintf("its claim %s is not there", name), nil, "", nil
		case err != nil && refused(err):
			return "", nil, "claims: " + refusal(err), nil
		case err != nil:
			return "", nil, "", fmt.Errorf("read claim %s/%s: %w", pod.Namespace, name, err)
		case claim.Status.Phase == corev1.ClaimBound:
			var volume corev1.PersistentVolume
			if err := e.owners.Get(ctx, client.ObjectKey{Name: claim.Spec.VolumeName}, &volume); err != nil && !refused(err) {
				return "", nil, "", fmt.Errorf("read the volume of claim %s/%s: %w", pod.Namespace, name, err)
			} else if err != nil && !apierrors.IsNotFound(err) {
				unread = "volumes: " + refusal(err)
			} else if volume.Spec.NodeAffinity != nil && volume.Spec.NodeAffinity.Required != nil {
				reach = append(reach, volume.Spec.NodeAffinity.Required)
			}
		default:
			waits, err := e.waitsForPod(ctx, &claim)
			if err != nil {
				return "", nil, "", err
			}
			if !waits {
				return fmt.Sprintf("its claim %s is %s", name, claim.Status.Phase), nil, "", nil
			}
		}
	}
	return "", reach, unread, nil
}

// waitsForPod is whether a claim is bound only once a pod that uses it is scheduled.
func (e eye) waitsForPod(ctx context.Context, claim *corev1.PersistentVolumeClaim) (bool, error) {
	if claim.Status.Phase != corev1.ClaimPending || claim.Spec.StorageClassName == nil || *claim.Spec.StorageClassName == "" {
		return false, nil
	}
	var class storagev1.StorageClass
	err := e.owners.Get(ctx, client.ObjectKey{Name: *claim.Spec.StorageClassName}, &class)
	if err != nil && refused(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read StorageClass %s: %w", *claim.Spec.StorageClassName, err)
	}
	return class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer, nil
}
