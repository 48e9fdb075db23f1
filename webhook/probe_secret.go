package webhook

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/gate"
)

// ProbeSecret returns a question that is asked by a dry run: creating a Secret that exists fails with AlreadyExists, and one
// that would succeed says that there is none. Any other answer, as where the dry run is not allowed, means that we do not
// know. The Secret in the dry run is empty, and nothing is ever stored.
func ProbeSecret(c client.Client) func(ctx context.Context, namespace, name string) gate.Fact[bool] {
	return func(ctx context.Context, namespace, name string) gate.Fact[bool] {
		empty := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Type: corev1.SecretTypeOpaque}
		err := c.Create(ctx, empty, client.DryRunAll)
		switch {
		case err == nil:
			return gate.Known(false)
		case apierrors.IsAlreadyExists(err):
			return gate.Known(true)
		}
		return gate.Unknown[bool]("asking whether it exists failed: " + because(err))
	}
}
