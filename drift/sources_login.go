package drift

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/forge"
)

// login is what the repository of a delivery is read with: what stands in the Secret that its GitRepository names, and in no other. The
// judge may read no Secret; whoever wants this one to be read gives it the right to get this one.
func (d *Detector) login(ctx context.Context, y *Delivered) (forge.Login, error) {
	if d.Login != nil {
		return d.Login(ctx, y.From.URL)
	}
	if y.secret == (client.ObjectKey{}) {
		return forge.Login{}, nil
	}
	var s corev1.Secret
	err := d.Client.Get(ctx, y.secret, &s)
	switch {
	case apierrors.IsForbidden(err):
		return forge.Login{}, unknownf("its repository is read with Secret %s, which may not be read here: to allow it, give ServiceAccount moorgate-judge of moorgate-system "+
			"a Role in namespace %s with the verb get on secrets and resourceNames [%s]", y.secret, y.secret.Namespace, y.secret.Name)
	case err != nil:
		return forge.Login{}, unknownf("its repository is read with Secret %s, which cannot be read: %s", y.secret, unanswered(err))
	}
	l, err := forge.LoginOf(s.Data)
	if err != nil {
		return forge.Login{}, unsupportedf("its repository is read with Secret %s: %s", y.secret, err)
	}
	return l, nil
}

// fetch reads the repository of a delivery at the commit that was applied last, or what Helm keeps of it.
func (d *Detector) fetch(ctx context.Context, y *Delivered) (Tree, error) {
	if y.stored != (client.ObjectKey{}) {
		return d.manifest(ctx, y)
	}
	l, err := d.login(ctx, y)
	if err != nil {
		return Tree{}, err
	}
	from := y.From
	from.Login = l
	return d.Git(ctx, from, "")
}
