package drift

import (
	"context"
	"maps"
	"net/url"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/forge"
)

// entered is a repository with what it is read with. Who opens pull requests has a token for their host by https, and no key: what others
// read by SSH is read there by https.
func (d *Detector) entered(ctx context.Context, from Repository, secret, certificates client.ObjectKey) (Repository, error) {
	if u, err := url.Parse(from.URL); d.Login != nil && err == nil && u.Scheme == "ssh" {
		from.URL = "https://" + u.Hostname() + u.Path
	}
	var err error
	from.Login, err = d.login(ctx, from.URL, secret, certificates)
	return from, err
}

// certificateKeys are the keys of a Secret by which a server is known, and what it is shown; the last three are their older names.
var certificateKeys = []string{"ca.crt", "tls.crt", "tls.key", "caFile", "certFile", "keyFile"}

// login is what a repository is read with: what stands in the Secret that its GitSource or GitRepository names, with the certificates of
// another one in place of its own where that is named too, and in no other. The judge may read no Secret; whoever wants one of these
// to be read gives it the right to get that one.
func (d *Detector) login(ctx context.Context, url string, secret, certificates client.ObjectKey) (forge.Login, error) {
	none := client.ObjectKey{}
	switch {
	case d.Login != nil:
		return d.Login(ctx, url)
	case secret == none && certificates == none:
		return forge.Login{}, nil
	}
	held, err := d.inSecret(ctx, secret)
	if err != nil {
		return forge.Login{}, err
	}
	if certificates != none {
		known, err := d.inSecret(ctx, certificates)
		if err != nil {
			return forge.Login{}, err
		}
		for _, key := range certificateKeys {
			delete(held, key)
		}
		for _, key := range certificateKeys[:3] {
			if content := known[key]; len(content) > 0 {
				held[key] = content
			}
		}
		if len(held["ca.crt"]) == 0 && len(held["tls.crt"]) == 0 {
			return forge.Login{}, unsupportedf("its repository is read with the certificates of Secret %s, which holds neither ca.crt nor tls.crt", certificates)
		}
		if secret == none {
			secret = certificates
		}
	}
	l, err := forge.LoginOf(held)
	if err != nil {
		return forge.Login{}, unsupportedf("its repository is read with Secret %s: %s", secret, err)
	}
	return l, nil
}

// inSecret is what a Secret holds, by its keys; of none it is nothing.
func (d *Detector) inSecret(ctx context.Context, secret client.ObjectKey) (map[string][]byte, error) {
	held := map[string][]byte{}
	if secret == (client.ObjectKey{}) {
		return held, nil
	}
	var s corev1.Secret
	err := d.Client.Get(ctx, secret, &s)
	switch {
	case apierrors.IsForbidden(err):
		return nil, unknownf("its repository is read with Secret %s, which may not be read here: to allow it, give ServiceAccount moorgate-judge of moorgate-system "+
			"a Role in namespace %s with the verb get on secrets and resourceNames [%s]", secret, secret.Namespace, secret.Name)
	case err != nil:
		return nil, unknownf("its repository is read with Secret %s, which cannot be read: %s", secret, unanswered(err))
	}
	maps.Copy(held, s.Data)
	return held, nil
}

// readDelivered is what a delivery applied last, without what was not applied to the namespace: of its repository, or as Helm keeps it.
func (d *Detector) readDelivered(ctx context.Context, y *Delivered, before tree) (tree, error) {
	if y.stored == (client.ObjectKey{}) {
		read, err := d.fetch(ctx, y)
		if err != nil {
			return tree{}, err
		}
		return y.tree(read, before), nil
	}
	r, err := d.stored(ctx, y)
	if err != nil {
		return tree{}, err
	}
	t := y.tree(r.manifest(), before)
	t.Files, t.ground = nil, d.valued(ctx, y, r) // the manifest may hold Secrets, and is no file of Git to edit
	return t, nil
}

// fetch reads the repository of a delivery at the commit that was applied last.
func (d *Detector) fetch(ctx context.Context, y *Delivered) (Tree, error) {
	from, err := d.entered(ctx, y.From, y.secret, y.certificates)
	if err != nil {
		return Tree{}, err
	}
	return d.Git(ctx, from, "")
}
