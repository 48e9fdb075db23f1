package remediate

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// The annotations of a claim and of a class.
const (
	selectedNode = "volume.kubernetes.io/selected-node"          // on which node the first pod that uses it is to run
	defaultClass = "storageclass.kubernetes.io/is-default-class" // "true"
	nobody       = "kubernetes.io/no-provisioner"                // the provisioner of a class for which nobody makes volumes
)

// claim reads what a claim could get a volume from. One that waits for the first pod that uses it is well as long as there is none, and
// ails of what that pod does where it is not placed yet.
func (e eye) claim(ctx context.Context, w *causes.World) error {
	ref := w.Stuck()[0].Ref
	var c corev1.PersistentVolumeClaim
	if err := e.owners.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, &c); err != nil {
		return ignored(err)
	}
	var classes storagev1.StorageClassList
	var volumes corev1.PersistentVolumeList
	for _, list := range []client.ObjectList{&classes, &volumes} {
		if err := e.owners.List(ctx, list); err != nil && refused(err) {
			beheld(w, causes.EvidenceClaim, "classes and volumes", "", err)
			return nil
		} else if err != nil {
			return fmt.Errorf("list the storage classes and volumes for claim %s: %w", ref, err)
		}
	}
	asked := c.Spec.Resources.Requests[corev1.ResourceStorage]
	fact := causes.Claim{Name: c.Name, Lost: c.Status.Phase == corev1.ClaimLost, Asks: asked.String(), Volume: c.Spec.VolumeName}
	class := classOf(&fact, &c, classes.Items)
	fact.Free, fact.Unfit = match(&c, volumes.Items)
	if class != nil && class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer && !fact.Lost {
		if as, spared, err := e.waits(ctx, &c, fact); err != nil || spared {
			spare(w, as)
			return err
		}
	}
	w.Claim = &fact
	beheld(w, causes.EvidenceClaim, "PersistentVolumeClaim/"+c.Name, fmt.Sprintf("asks for %s; %d volumes of its class are free", fact.Asks, fact.Free), nil)
	return nil
}

// waits is how a claim fares that is given a volume only once a pod that uses it is placed.
func (e eye) waits(ctx context.Context, c *corev1.PersistentVolumeClaim, fact causes.Claim) (causes.State, bool, error) {
	var pods corev1.PodList
	if err := e.reader.List(ctx, &pods, client.InNamespace(c.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return causes.Unsure, true, fmt.Errorf("list the pods that use claim %s/%s: %w", c.Namespace, c.Name, err)
	}
	used := slices.ContainsFunc(pods.Items, func(p corev1.Pod) bool { return !causes.Ended(&p) && slices.Contains(claimsOf(&p), c.Name) })
	switch {
	case !used:
		return causes.Well, true, nil
	case fact.Provisioner != "" && c.Annotations[selectedNode] == "":
		return causes.Unwell, true, nil
	}
	return "", false, nil
}

// classOf fills in the class of a claim, and returns it if it is there.
func classOf(fact *causes.Claim, c *corev1.PersistentVolumeClaim, classes []storagev1.StorageClass) *storagev1.StorageClass {
	name := c.Spec.StorageClassName
	if name == nil {
		fact.Class = gate.Unknown[string]("it names no class")
		i := slices.IndexFunc(classes, func(s storagev1.StorageClass) bool { return s.Annotations[defaultClass] == "true" })
		if i < 0 {
			return nil
		}
		name = &classes[i].Name // it is going to get this one
	}
	fact.Class = gate.Known(gate.OneLine(*name, maxField))
	i := slices.IndexFunc(classes, func(s storagev1.StorageClass) bool { return s.Name == *name })
	fact.ClassThere = gate.Known(i >= 0)
	if i < 0 {
		return nil
	}
	if classes[i].Provisioner != nobody {
		fact.Provisioner = gate.OneLine(classes[i].Provisioner, maxField)
	}
	return &classes[i]
}

// match says how many volumes of the class of a claim nobody has, and in words why none of them fits.
func match(c *corev1.PersistentVolumeClaim, volumes []corev1.PersistentVolume) (free int, why string) {
	class := ""
	if c.Spec.StorageClassName != nil {
		class = *c.Spec.StorageClassName
	}
	var largest resource.Quantity
	small, moded, unlabelled := 0, 0, 0
	asked := c.Spec.Resources.Requests[corev1.ResourceStorage]
	for i := range volumes {
		v := &volumes[i]
		if v.Spec.StorageClassName != class || v.Status.Phase != corev1.VolumeAvailable || v.Spec.ClaimRef != nil || v.DeletionTimestamp != nil {
			continue
		}
		free++
		has := v.Spec.Capacity[corev1.ResourceStorage]
		if has.Cmp(largest) > 0 {
			largest = has
		}
		switch {
		case has.Cmp(asked) < 0:
			small++
		case !suits(c, v):
			moded++
		case c.Spec.Selector != nil && !picks(c.Spec.Selector, v.Labels):
			unlabelled++
		}
	}
	switch {
	case free == 0:
		return 0, ""
	case small == free:
		return free, ": the largest holds " + largest.String()
	}
	return free, fmt.Sprintf(": %d too small, %d with another mode, %d without the labels", small, moded, unlabelled)
}

// suits is whether a volume can be mounted as the claim asks.
func suits(c *corev1.PersistentVolumeClaim, v *corev1.PersistentVolume) bool {
	mode := func(m *corev1.PersistentVolumeMode) corev1.PersistentVolumeMode {
		if m == nil {
			return corev1.PersistentVolumeFilesystem
		}
		return *m
	}
	return mode(c.Spec.VolumeMode) == mode(v.Spec.VolumeMode) && !slices.ContainsFunc(c.Spec.AccessModes, func(m corev1.PersistentVolumeAccessMode) bool {
		return !slices.Contains(v.Spec.AccessModes, m)
	})
}

// picks is whether a selector picks labels. One that makes no sense picks nothing.
func picks(selector *metav1.LabelSelector, set map[string]string) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && s.Matches(labels.Set(set))
}
