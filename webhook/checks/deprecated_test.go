package checks

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestDeprecated(t *testing.T) {
	selector := func(label string) func(*Rollout) {
		return func(r *Rollout) { r.New.Template.Spec.NodeSelector = map[string]string{label: "linux"} }
	}
	annotation := func(keys ...string) func(*Rollout) {
		return func(r *Rollout) {
			r.New.Template.Annotations = map[string]string{}
			for _, k := range keys {
				r.New.Template.Annotations[k] = "runtime/default"
			}
		}
	}
	volume := func(v corev1.VolumeSource) func(*Rollout) {
		return func(r *Rollout) {
			r.New.Template.Spec.Volumes = append(r.New.Template.Spec.Volumes, corev1.Volume{Name: "disk", VolumeSource: v})
		}
	}
	tolerates := func(keys ...string) func(*Rollout) {
		return func(r *Rollout) {
			for _, k := range keys {
				r.New.Template.Spec.Tolerations = append(r.New.Template.Spec.Tolerations, corev1.Toleration{Key: k, Operator: corev1.TolerationOpExists})
			}
		}
	}
	spread := func(key string) func(*Rollout) {
		return func(r *Rollout) {
			r.New.Template.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{TopologyKey: key}}
		}
	}
	apart := func(key string) func(*Rollout) {
		return func(r *Rollout) {
			r.New.Template.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
				PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{PodAffinityTerm: corev1.PodAffinityTerm{TopologyKey: key}}}}}
		}
	}
	prefers := func(key string) func(*Rollout) {
		return func(r *Rollout) {
			r.New.Template.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{
				{Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key}}}}}}}
		}
	}
	account := func(alias, name string) func(*Rollout) {
		return func(r *Rollout) {
			r.New.Template.Spec.DeprecatedServiceAccount, r.New.Template.Spec.ServiceAccountName = alias, name
		}
	}
	deprecatedCheck.tell(t, []tale{
		{name: "nothing of old", change: selector("kubernetes.io/os")},
		{name: "a beta label chooses nodes", change: selector("beta.kubernetes.io/os"), points: 5, text: "beta.kubernetes.io/os is deprecated since 1.14: use kubernetes.io/os (nodeSelector)"},
		{name: "a beta label that is preferred", change: prefers("beta.kubernetes.io/arch"), points: 5, text: "use kubernetes.io/arch (nodeAffinity)"},
		{name: "pods spread over a beta zone", change: spread("failure-domain.beta.kubernetes.io/zone"), points: 5, text: "use topology.kubernetes.io/zone"},
		{name: "pods keep apart by a beta region", change: apart("failure-domain.beta.kubernetes.io/region"), points: 5, text: "use topology.kubernetes.io/region"},
		{name: "the master label", change: selector("node-role.kubernetes.io/master"), points: 5, text: "node-role.kubernetes.io/master is deprecated since 1.20"},
		{name: "only the master taint is tolerated", change: tolerates("node-role.kubernetes.io/master"), points: 5, text: "tolerating node-role.kubernetes.io/master"},
		{name: "both taints are tolerated", change: tolerates("node-role.kubernetes.io/master", "node-role.kubernetes.io/control-plane")},
		{name: "every taint is tolerated", change: tolerates("node-role.kubernetes.io/master", "")},
		{name: "a seccomp annotation is not read", change: annotation("seccomp.security.alpha.kubernetes.io/pod"), points: 15, text: "gone since 1.27"},
		{name: "an AppArmor annotation still is", change: annotation("container.apparmor.security.beta.kubernetes.io/app"), points: 5, text: "since 1.30"},
		{name: "many of the same count once", change: annotation("container.apparmor.security.beta.kubernetes.io/a", "container.apparmor.security.beta.kubernetes.io/b"), points: 5},
		{name: "an annotation that only looks like one", change: annotation("seccomp.security.alpha.kubernetes.io/podium")},
		{name: "gitRepo mounts nothing", change: volume(corev1.VolumeSource{GitRepo: &corev1.GitRepoVolumeSource{}}), points: 15, text: "gitRepo is gone since 1.33: use an init container that clones into an emptyDir (volume disk)"},
		{name: "a type that a driver serves", change: volume(corev1.VolumeSource{AWSElasticBlockStore: &corev1.AWSElasticBlockStoreVolumeSource{}}), points: 5, text: "awsElasticBlockStore is deprecated: use a claim of the CSI driver ebs.csi.aws.com (volume disk)"},
		{name: "an emptyDir is nothing of old", change: volume(corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})},
		{name: "the alias alone", change: account("robot", ""), points: 5, text: "use serviceAccountName"},
		{name: "the alias beside the name, as an API server writes it", change: account("robot", "robot")},
	})
}
