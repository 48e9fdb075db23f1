package webhook

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

var (
	secretKind         = schema.GroupVersionKind{Version: "v1", Kind: "Secret"} // never read from a cluster
	configMapKind      = schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}
	serviceAccountKind = schema.GroupVersionKind{Version: "v1", Kind: "ServiceAccount"}
	claimKind          = schema.GroupVersionKind{Version: "v1", Kind: "PersistentVolumeClaim"}
	storageClassKind   = schema.GroupVersionKind{Group: "storage.k8s.io", Version: "v1", Kind: "StorageClass"}
)

// defaultClass marks the StorageClass of claims that name none.
const defaultClass = "storageclass.kubernetes.io/is-default-class"

// sourceMax is how many bytes a piece of evidence is named with: the longest name of an object and its kind.
const sourceMax = 300

// references looks up by name what the rollout refers to, by metadata alone, and which keys its ConfigMaps have: no value is
// ever looked at.
func (w World) references(ctx context.Context, ns string, refs checks.References, world *checks.World) []gate.Evidence {
	var out []gate.Evidence
	look := func(id, kind string, names checks.Names, exists func(name string) gate.Fact[bool]) map[string]gate.Fact[bool] {
		if len(names) == 0 {
			return nil
		}
		found := make(map[string]gate.Fact[bool], len(names))
		for name := range names {
			if found[name] = gate.Known(false); checks.Nameable(name) || name == "" {
				found[name] = exists(name)
			}
		}
		out = append(out, namesEvidence(id, kind, found)...)
		return found
	}
	world.Secrets = look(checks.EvidenceSecrets, "Secret", refs.Secrets, func(name string) gate.Fact[bool] {
		if w.Secrets == nil {
			return gate.Unknown[bool]("nobody looks for Secrets")
		}
		return w.Secrets.Exists(ns, name)
	})
	in := func(kind schema.GroupVersionKind, ns string) func(string) gate.Fact[bool] {
		return func(name string) gate.Fact[bool] { return w.exists(ctx, kind, ns, name) }
	}
	configMaps := map[string]*corev1.ConfigMap{}
	world.ConfigMaps = look(checks.EvidenceConfigMaps, "ConfigMap", refs.ConfigMaps, func(name string) gate.Fact[bool] {
		var m corev1.ConfigMap
		there := isThere(w.Reader.Get(ctx, client.ObjectKey{Namespace: ns, Name: name}, &m, client.UnsafeDisableDeepCopy))
		configMaps[name] = &m
		return there
	})
	out = append(out, w.keys(refs, configMaps, world)...)
	world.ServiceAccounts = look(checks.EvidenceServiceAccounts, "ServiceAccount", refs.ServiceAccounts, in(serviceAccountKind, ns))
	world.Claims = look(checks.EvidenceClaims, "PersistentVolumeClaim", refs.Claims, in(claimKind, ns))
	world.StorageClasses = look(checks.EvidenceStorageClasses, "StorageClass", refs.StorageClasses, func(name string) gate.Fact[bool] {
		if name == "" {
			return w.defaultClass(ctx)
		}
		return w.exists(ctx, storageClassKind, "", name)
	})
	return out
}

func (w World) exists(ctx context.Context, kind schema.GroupVersionKind, ns, name string) gate.Fact[bool] {
	var object metav1.PartialObjectMetadata
	object.SetGroupVersionKind(kind)
	return isThere(w.Reader.Get(ctx, client.ObjectKey{Namespace: ns, Name: name}, &object, client.UnsafeDisableDeepCopy))
}

func isThere(err error) gate.Fact[bool] {
	switch {
	case err == nil:
		return gate.Known(true)
	case apierrors.IsNotFound(err):
		return gate.Known(false)
	}
	return gate.Unknown[bool](because(err))
}

// keys notes which of the keys that the rollout names its ConfigMaps have. Files may hold less than the cluster: a key that
// somebody else puts in is unknown there.
func (w World) keys(refs checks.References, configMaps map[string]*corev1.ConfigMap, world *checks.World) []gate.Evidence {
	world.ConfigMapKeys = map[checks.Key]gate.Fact[bool]{}
	found := map[string]gate.Fact[bool]{}
	for k := range refs.Keys {
		if there, known := world.ConfigMaps[k.ConfigMap].Get(); !known {
			world.ConfigMapKeys[k] = gate.Unknown[bool](world.ConfigMaps[k.ConfigMap].Why()) // told of the ConfigMap already
			continue
		} else if !there {
			continue
		}
		has := gate.Known(hasKey(configMaps[k.ConfigMap], k.Name))
		if there, _ := has.Get(); !there && w.offline() {
			has = gate.Unknown[bool](errOffline.Error())
		}
		world.ConfigMapKeys[k], found[k.ConfigMap+"/"+k.Name] = has, has
	}
	return namesEvidence(checks.EvidenceConfigMapKeys, "ConfigMap key", found)
}

func hasKey(m *corev1.ConfigMap, key string) bool {
	_, text := m.Data[key]
	_, binary := m.BinaryData[key]
	return text || binary
}

func (w World) defaultClass(ctx context.Context) gate.Fact[bool] {
	var classes metav1.PartialObjectMetadataList
	classes.SetGroupVersionKind(storageClassKind.GroupVersion().WithKind("StorageClassList"))
	if err := w.Reader.List(ctx, &classes, client.UnsafeDisableDeepCopy); err != nil {
		return gate.Unknown[bool](because(err))
	}
	there := slices.ContainsFunc(classes.Items, func(c metav1.PartialObjectMetadata) bool { return c.Annotations[defaultClass] == "true" })
	if !there && w.offline() {
		return gate.Unknown[bool](errOffline.Error())
	}
	return gate.Known(there)
}

// unreadMax is how many names of one kind are told of that could not be looked up; the rest are counted. What is told goes into
// one record of the audit log, whatever a manifest refers to.
const unreadMax = 3

// namesEvidence is one piece of evidence for all names of a kind that were looked up, and one for each that was not.
func namesEvidence(id, kind string, found map[string]gate.Fact[bool]) []gate.Evidence {
	all := gate.Evidence{ID: id, Source: kind + "s"}
	there, gone, more := 0, 0, 0
	var unread []gate.Evidence
	for _, name := range slices.Sorted(maps.Keys(found)) {
		exists, known := found[name].Get()
		switch {
		case known && exists:
			there++
		case known:
			gone++
		case len(unread) == unreadMax:
			more++
		default:
			unread = append(unread, gate.Evidence{ID: fmt.Sprintf("%s/%d", id, len(unread)), Source: gate.OneLine(kind+"/"+name, sourceMax), Unread: found[name].Why()})
		}
	}
	if more > 0 {
		unread = append(unread, gate.Evidence{ID: id + "/more", Source: fmt.Sprintf("%d more %ss", more, kind), Unread: "not looked up either"})
	}
	if there+gone == 0 {
		return unread
	}
	all.Text = fmt.Sprintf("%d there, %d missing", there, gone)
	return append([]gate.Evidence{all}, unread...)
}
