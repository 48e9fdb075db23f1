package drift

import (
	"context"
	"errors"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// fluxSource is what a GitRepository says, or why it cannot be read.
type fluxSource struct {
	Repository
	head   string           // the commit that Flux has at hand
	secret client.ObjectKey // with what it is read; empty: with nothing
	// certificates are in another Secret; empty: in none.
	certificates client.ObjectKey
	err          error
}

func (d *Detector) gitRepository(ctx context.Context, key client.ObjectKey) fluxSource {
	as, err := d.served(gitRepositoryKind, fluxVersions...)
	u := &unstructured.Unstructured{}
	if err == nil {
		u.SetGroupVersionKind(as)
		err = d.Client.Get(ctx, key, u)
	}
	switch {
	case meta.IsNoMatchError(err), apierrors.IsNotFound(err):
		return fluxSource{err: unknownf("there is no GitRepository %s", key)}
	case err != nil:
		return fluxSource{err: unknownf("GitRepository %s cannot be read: %s", key, unanswered(err))}
	}
	at := fluxSource{}
	if err := at.read(u); err != nil {
		var no unsupported
		if errors.As(err, &no) {
			err = unsupportedf("GitRepository %s: %s", key, no.text)
		}
		return fluxSource{err: err}
	}
	return at
}

// elsewise are the fields of a GitRepository by which Flux reads something else than the repository's own files at a commit, or reads
// in a way that is not possible here.
var elsewise = map[string]string{
	"include":        "it takes files of other repositories in",
	"proxySecretRef": "it is read through a proxy",
}

func (at *fluxSource) read(u *unstructured.Unstructured) error {
	for field, why := range elsewise {
		if value, found, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", field); found && value != nil {
			return unsupported{why}
		}
	}
	text := func(fields ...string) string { s, _, _ := unstructured.NestedString(u.Object, fields...); return s }
	if provider := text("spec", "provider"); !slices.Contains([]string{"", "generic", "github"}, provider) {
		return unsupportedf("it is read as an identity of %s", line(provider))
	}
	at.URL, at.Branch = text("spec", "url"), text("spec", "ref", "branch")
	if scheme, _, _ := strings.Cut(at.URL, "://"); !slices.Contains([]string{"http", "https", "ssh"}, scheme) {
		return unsupportedf("it is read by %s, and only https, http and ssh are", line(scheme))
	}
	if ref, found, _ := unstructured.NestedMap(u.Object, "spec", "ref"); !found || len(ref) == 0 {
		at.Branch = "master" // Flux says so
	}
	at.Flux, at.Ignore = true, text("spec", "ignore")
	if made, known, _ := unstructured.NestedString(u.Object, "status", "observedIgnore"); known {
		at.Ignore = made // of what is at hand
	}
	if name := text("spec", "secretRef", "name"); name != "" {
		at.secret = client.ObjectKey{Namespace: u.GetNamespace(), Name: name}
	}
	if name := text("spec", "certSecretRef", "name"); name != "" {
		at.certificates = client.ObjectKey{Namespace: u.GetNamespace(), Name: name}
	}
	if commit, err := commitOf(text("status", "artifact", "revision")); err == nil {
		at.head = commit
	}
	return nil
}
