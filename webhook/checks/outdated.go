package checks

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// outdated is one row of what Kubernetes has let go of.
type outdated struct {
	what    string // a name, or what a name begins with
	since   string // the version from which it is so; empty where versions differ by provider
	removed bool   // it does nothing any more
	instead string
}

const masterLabel = "node-role.kubernetes.io/master"

var (
	outdatedLabels = []outdated{
		{"beta.kubernetes.io/os", "1.14", false, "kubernetes.io/os"},
		{"beta.kubernetes.io/arch", "1.14", false, "kubernetes.io/arch"},
		{"beta.kubernetes.io/instance-type", "1.17", false, "node.kubernetes.io/instance-type"},
		{"failure-domain.beta.kubernetes.io/zone", "1.17", false, "topology.kubernetes.io/zone"},
		{"failure-domain.beta.kubernetes.io/region", "1.17", false, "topology.kubernetes.io/region"},
		{masterLabel, "1.20", false, "node-role.kubernetes.io/control-plane"},
	}
	outdatedAnnotations = []outdated{
		{"scheduler.alpha.kubernetes.io/critical-pod", "1.16", true, "priorityClassName"},
		{"security.alpha.kubernetes.io/sysctls", "1.11", true, "securityContext.sysctls"},
		{"security.alpha.kubernetes.io/unsafe-sysctls", "1.11", true, "securityContext.sysctls"},
		{"seccomp.security.alpha.kubernetes.io/pod", "1.27", true, "securityContext.seccompProfile"},
		{"container.seccomp.security.alpha.kubernetes.io/", "1.27", true, "securityContext.seccompProfile"},
		{"container.apparmor.security.beta.kubernetes.io/", "1.30", false, "securityContext.appArmorProfile"},
	}
	masterTaint         = outdated{"tolerating " + masterLabel, "1.20", false, "node-role.kubernetes.io/control-plane"}
	serviceAccountAlias = outdated{"serviceAccount", "", false, "serviceAccountName"}
)

// outdatedVolumes holds each type of volume with how to see that a volume is of it. In-tree types of which the code is gone
// and a CSI driver answers in their place are deprecated: they work where that driver is there.
var outdatedVolumes = []struct {
	outdated
	is func(*corev1.VolumeSource) bool
}{
	{outdated{"gitRepo", "1.33", true, "an init container that clones into an emptyDir"}, func(v *corev1.VolumeSource) bool { return v.GitRepo != nil }},
	{outdated{"glusterfs", "1.26", true, "a CSI driver"}, func(v *corev1.VolumeSource) bool { return v.Glusterfs != nil }},
	{outdated{"cephfs", "1.31", true, "the CSI driver cephfs.csi.ceph.com"}, func(v *corev1.VolumeSource) bool { return v.CephFS != nil }},
	{outdated{"rbd", "1.31", true, "the CSI driver rbd.csi.ceph.com"}, func(v *corev1.VolumeSource) bool { return v.RBD != nil }},
	{outdated{"flocker", "1.25", true, "a CSI driver"}, func(v *corev1.VolumeSource) bool { return v.Flocker != nil }},
	{outdated{"quobyte", "1.25", true, "a CSI driver"}, func(v *corev1.VolumeSource) bool { return v.Quobyte != nil }},
	{outdated{"storageos", "1.25", true, "a CSI driver"}, func(v *corev1.VolumeSource) bool { return v.StorageOS != nil }},
	{outdated{"scaleIO", "1.22", true, "a CSI driver"}, func(v *corev1.VolumeSource) bool { return v.ScaleIO != nil }},
	{outdated{"photonPersistentDisk", "1.16", true, "a CSI driver"}, func(v *corev1.VolumeSource) bool { return v.PhotonPersistentDisk != nil }},
	{outdated{"flexVolume", "1.23", false, "a CSI driver"}, func(v *corev1.VolumeSource) bool { return v.FlexVolume != nil }},
	{outdated{"awsElasticBlockStore", "", false, "a claim of the CSI driver ebs.csi.aws.com"}, func(v *corev1.VolumeSource) bool { return v.AWSElasticBlockStore != nil }},
	{outdated{"gcePersistentDisk", "", false, "a claim of the CSI driver pd.csi.storage.gke.io"}, func(v *corev1.VolumeSource) bool { return v.GCEPersistentDisk != nil }},
	{outdated{"azureDisk", "", false, "a claim of the CSI driver disk.csi.azure.com"}, func(v *corev1.VolumeSource) bool { return v.AzureDisk != nil }},
	{outdated{"azureFile", "", false, "the CSI driver file.csi.azure.com"}, func(v *corev1.VolumeSource) bool { return v.AzureFile != nil }},
	{outdated{"cinder", "", false, "a claim of the CSI driver cinder.csi.openstack.org"}, func(v *corev1.VolumeSource) bool { return v.Cinder != nil }},
	{outdated{"vsphereVolume", "", false, "a claim of the CSI driver csi.vsphere.vmware.com"}, func(v *corev1.VolumeSource) bool { return v.VsphereVolume != nil }},
	{outdated{"portworxVolume", "", false, "a claim of the CSI driver pxd.portworx.com"}, func(v *corev1.VolumeSource) bool { return v.PortworxVolume != nil }},
}

func outdatedLabel(label string) *outdated {
	for i := range outdatedLabels {
		if outdatedLabels[i].what == label {
			return &outdatedLabels[i]
		}
	}
	return nil
}

// outdatedAnnotation looks a key up. Rows that end in a slash stand for a key of each container.
func outdatedAnnotation(key string) *outdated {
	for i := range outdatedAnnotations {
		o := &outdatedAnnotations[i]
		if key == o.what || strings.HasSuffix(o.what, "/") && strings.HasPrefix(key, o.what) {
			return o
		}
	}
	return nil
}

func outdatedVolume(v *corev1.VolumeSource) *outdated {
	for i := range outdatedVolumes {
		if outdatedVolumes[i].is(v) {
			return &outdatedVolumes[i].outdated
		}
	}
	return nil
}
