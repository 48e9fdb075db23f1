package drift

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var helmReleaseKind = schema.GroupKind{Group: "helm.toolkit.fluxcd.io", Kind: "HelmRelease"}

// helmReleases are what Flux delivers by its HelmReleases, where that is compared at all: by the manifests that Helm stored of the
// revision that is deployed.
func (d *Detector) helmReleases(ctx context.Context, namespace string) ([]Delivered, error) {
	if !d.HelmReleases {
		return nil, nil
	}
	items, err := d.every(ctx, helmReleaseKind, namespace, "v2", "v2beta2")
	var all []Delivered
	for i := range items {
		all = append(all, helmRelease(&items[i])...)
	}
	return all, err
}

func helmRelease(u *unstructured.Unstructured) []Delivered {
	history, _, _ := unstructured.NestedSlice(u.Object, "status", "history")
	if len(history) == 0 {
		return nil // it never installed anything
	}
	last, _ := history[0].(map[string]any)
	text := func(field string) string { s, _ := last[field].(string); return s }
	version, _ := last["version"].(int64)
	in, _, _ := unstructured.NestedString(u.Object, "status", "storageNamespace")
	_, away, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "kubeConfig")
	y := Delivered{Name: "helmrelease/" + u.GetNamespace() + "/" + u.GetName(), Namespace: text("namespace"), Class: DeliveryCompared, owner: refOf(u),
		stored: client.ObjectKey{Namespace: in, Name: fmt.Sprintf("sh.helm.release.v1.%s.v%d", text("name"), version)}}
	y.Suspended, _, _ = unstructured.NestedBool(u.Object, "spec", "suspend")
	switch {
	case away:
		y.fail(unsupportedf("it delivers to another cluster"))
	case y.Namespace == "" || in == "" || text("name") == "" || version < 1:
		y.Namespace = u.GetNamespace()
		y.fail(unknownf("which release it is does not stand in its status"))
	case text("status") != "deployed":
		y.fail(unknownf("its last release is not deployed"))
	}
	return []Delivered{y}
}

// movingRelease reports whether a HelmRelease has another revision than was compared, or is about to.
func movingRelease(u *unstructured.Unstructured, y *Delivered) bool {
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, c := range conditions {
		one, _ := c.(map[string]any)
		if one["type"] == "Ready" && one["status"] == "Unknown" && !y.Suspended {
			return true
		}
	}
	now := helmRelease(u)
	return len(now) != 1 || now[0].Key() != y.Key() || now[0].stored != y.stored
}

// stored reads what Helm stored of a release.
func (d *Detector) stored(ctx context.Context, y *Delivered) (release, error) {
	var s corev1.Secret
	err := d.Client.Get(ctx, y.stored, &s)
	switch {
	case apierrors.IsForbidden(err):
		return release{}, unknownf("Helm keeps it in Secrets of namespace %s, which may not be read here: to allow it, give ServiceAccount moorgate-judge of moorgate-system, "+
			"and moorgate-act where it is to propose edits, a Role in that namespace with the verb get on secrets", y.stored.Namespace)
	case err != nil:
		return release{}, unknownf("Secret %s, in which Helm keeps it, cannot be read: %s", y.stored, unanswered(err))
	}
	r, err := releaseOf(s.Data["release"])
	if err != nil {
		return release{}, unknownf("Secret %s, in which Helm keeps it: %s", y.stored, err)
	}
	if r.Namespace != y.Namespace || y.stored.Name != "sh.helm.release.v1."+r.revision() || r.Info.Status != "deployed" {
		return release{}, unknownf("Secret %s holds another release than it says, or one that is not deployed", y.stored)
	}
	return r, nil
}

// revision names what Helm stored: web.v3.
func (r release) revision() string { return fmt.Sprintf("%s.v%d", r.Name, r.Version) }

// manifest is what Helm stored of a release, in place of what was read of a repository.
func (r release) manifest() Tree {
	return Tree{Commit: r.revision(), Files: map[string][]byte{"helm/" + r.revision(): []byte(r.Manifest)}}
}
