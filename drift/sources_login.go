package drift

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/forge"
)

// login is what a repository is read with: what stands in the Secret that its GitSource or GitRepository names, and in no other. The
// judge may read no Secret; whoever wants this one to be read gives it the right to get this one.
func (d *Detector) login(ctx context.Context, url string, secret client.ObjectKey) (forge.Login, error) {
	if d.Login != nil {
		return d.Login(ctx, url)
	}
	if secret == (client.ObjectKey{}) {
		return forge.Login{}, nil
	}
	var s corev1.Secret
	err := d.Client.Get(ctx, secret, &s)
	switch {
	case apierrors.IsForbidden(err):
		return forge.Login{}, unknownf("its repository is read with Secret %s, which may not be read here: to allow it, give ServiceAccount moorgate-judge of moorgate-system "+
			"a Role in namespace %s with the verb get on secrets and resourceNames [%s]", secret, secret.Namespace, secret.Name)
	case err != nil:
		return forge.Login{}, unknownf("its repository is read with Secret %s, which cannot be read: %s", secret, unanswered(err))
	}
	l, err := forge.LoginOf(s.Data)
	if err != nil {
		return forge.Login{}, unsupportedf("its repository is read with Secret %s: %s", secret, err)
	}
	return l, nil
}

// fetch reads the repository of a delivery at the commit that was applied last, or what Helm keeps of it.
func (d *Detector) fetch(ctx context.Context, y *Delivered) (Tree, error) {
	if y.stored != (client.ObjectKey{}) {
		return d.manifest(ctx, y)
	}
	l, err := d.login(ctx, y.From.URL, y.secret)
	if err != nil {
		return Tree{}, err
	}
	from := y.From
	from.Login = l
	return d.Git(ctx, from, "")
}
