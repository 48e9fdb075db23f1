package checks

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Names maps the name of each object that a rollout refers to onto the place of the first reference to it.
type Names map[string]string

func (n Names) add(name, where string) {
	if _, ok := n[name]; !ok && name != "" {
		n[name] = where
	}
}

// Nameable reports whether an object can be called so. In a kind whose template the API server does not know, as in a file, any text
// may stand where a Secret is named: what cannot be a name is missing without a look, and is not told as one.
func Nameable(s string) bool { return len(validation.IsDNS1123Subdomain(s)) == 0 }

// References is what a rollout needs to be there before its pods can start, without what is marked optional.
type References struct {
	Secrets, ConfigMaps, ServiceAccounts, Claims Names
	// StorageClasses holds an empty name where the default class is meant.
	StorageClasses Names
	// Keys maps each key of a ConfigMap that is asked for by its name onto the place of the first reference to it. Keys of
	// Secrets are not among them: nobody here reads a Secret.
	Keys map[Key]string
}

// Key is a key of a ConfigMap.
type Key struct{ ConfigMap, Name string }

func (refs References) key(configMap, called, where string) {
	k := Key{configMap, called}
	if _, ok := refs.Keys[k]; !ok && configMap != "" && called != "" {
		refs.Keys[k] = where
	}
}

// configMap notes a ConfigMap, and the keys of it that are made into files.
func (refs References) configMap(called string, items []corev1.KeyToPath, where string) {
	refs.ConfigMaps.add(called, where)
	for _, i := range items {
		refs.key(called, i.Key, where)
	}
}

// ReferencesOf collects what the new pods refer to. The default ServiceAccount is left out: every namespace gets one.
// StorageClasses count only for claims that are yet to be made.
func ReferencesOf(old *Workload, w Workload) References {
	refs := References{Secrets: Names{}, ConfigMaps: Names{}, ServiceAccounts: Names{}, Claims: Names{}, StorageClasses: Names{}, Keys: map[Key]string{}}
	spec := &w.Template.Spec
	refs.ServiceAccounts.add(spec.ServiceAccountName, "serviceAccountName")
	for _, s := range spec.ImagePullSecrets {
		refs.Secrets.add(s.Name, "imagePullSecrets")
	}
	for _, c := range everyContainer(spec) {
		refs.container(c)
	}
	templates := map[string]bool{}
	for _, t := range w.VolumeClaims {
		templates[t.Name] = true
		if old == nil || w.Replicas > old.Replicas {
			refs.class(t.Spec, "volumeClaimTemplate "+t.Name)
		}
	}
	for i := range spec.Volumes {
		// A claim template takes the place of the volume of the same name.
		if !templates[spec.Volumes[i].Name] {
			refs.volume(&spec.Volumes[i])
		}
	}
	return refs
}

func (refs References) container(c *corev1.Container) {
	for _, e := range c.Env {
		if e.ValueFrom == nil {
			continue
		}
		where := "env " + e.Name + " of " + c.Name
		if s := e.ValueFrom.SecretKeyRef; s != nil && !yes(s.Optional) {
			refs.Secrets.add(s.Name, where)
		}
		if m := e.ValueFrom.ConfigMapKeyRef; m != nil && !yes(m.Optional) {
			refs.ConfigMaps.add(m.Name, where)
			refs.key(m.Name, m.Key, where)
		}
	}
	for _, e := range c.EnvFrom {
		if e.SecretRef != nil && !yes(e.SecretRef.Optional) {
			refs.Secrets.add(e.SecretRef.Name, "envFrom of "+c.Name)
		}
		if e.ConfigMapRef != nil && !yes(e.ConfigMapRef.Optional) {
			refs.ConfigMaps.add(e.ConfigMapRef.Name, "envFrom of "+c.Name)
		}
	}
}

func (refs References) volume(v *corev1.Volume) {
	where := "volume " + v.Name
	if v.Secret != nil && !yes(v.Secret.Optional) {
		refs.Secrets.add(v.Secret.SecretName, where)
	}
	if v.ConfigMap != nil && !yes(v.ConfigMap.Optional) {
		refs.configMap(v.ConfigMap.Name, v.ConfigMap.Items, where)
	}
	if v.PersistentVolumeClaim != nil {
		refs.Claims.add(v.PersistentVolumeClaim.ClaimName, where)
	}
	if v.Ephemeral != nil && v.Ephemeral.VolumeClaimTemplate != nil {
		refs.class(v.Ephemeral.VolumeClaimTemplate.Spec, where)
	}
	if v.CSI != nil && v.CSI.NodePublishSecretRef != nil {
		refs.Secrets.add(v.CSI.NodePublishSecretRef.Name, where)
	}
	if v.AzureFile != nil {
		refs.Secrets.add(v.AzureFile.SecretName, where)
	}
	if v.Projected == nil {
		return
	}
	for _, s := range v.Projected.Sources {
		if s.Secret != nil && !yes(s.Secret.Optional) {
			refs.Secrets.add(s.Secret.Name, where)
		}
		if s.ConfigMap != nil && !yes(s.ConfigMap.Optional) {
			refs.configMap(s.ConfigMap.Name, s.ConfigMap.Items, where)
		}
	}
}

// class notes the StorageClass that a new claim will ask for. An empty class asks for none: a volume made beforehand.
func (refs References) class(claim corev1.PersistentVolumeClaimSpec, where string) {
	switch {
	case claim.VolumeName != "":
	case claim.StorageClassName == nil:
		if _, ok := refs.StorageClasses[""]; !ok {
			refs.StorageClasses[""] = where
		}
	default:
		refs.StorageClasses.add(*claim.StorageClassName, where)
	}
}

func yes(b *bool) bool { return b != nil && *b }
