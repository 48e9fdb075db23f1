package certs

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

// Secret is a Store in one Secret, which must exist: a right to create cannot be bound to a name, so whoever installs
// Moorgate creates it empty. It needs get and patch on that one name. Saving compares the resourceVersion.
type Secret struct {
	secrets corev1client.SecretInterface
	key     types.NamespacedName
}

// NewSecret is a Store in the Secret of that name. It reads from the API server, never from a cache: a cache would list and
// watch.
func NewSecret(config *rest.Config, key types.NamespacedName) (*Secret, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client for Secret %s: %w", key, err)
	}
	return &Secret{secrets: client.CoreV1().Secrets(key.Namespace), key: key}, nil
}

// Load reads the Secret.
func (s *Secret) Load(ctx context.Context) (map[string][]byte, string, error) {
	got, err := s.secrets.Get(ctx, s.key.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, "", fmt.Errorf("read Secret %s, which the installation creates: %w", s.key, err)
	}
	if err != nil {
		return nil, "", fmt.Errorf("read Secret %s: %w", s.key, err)
	}
	return maps.Clone(got.Data), got.ResourceVersion, nil
}

// Save patches the Secret's files, leaving whatever else it holds alone.
func (s *Secret) Save(ctx context.Context, files map[string][]byte, version string) error {
	patch, err := json.Marshal(corev1.Secret{ObjectMeta: metav1.ObjectMeta{ResourceVersion: version}, Data: files})
	if err != nil {
		return fmt.Errorf("write the patch of Secret %s: %w", s.key, err)
	}
	_, err = s.secrets.Patch(ctx, s.key.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "moorgate-certs"})
	if apierrors.IsConflict(err) {
		return ErrConflict
	}
	if err != nil {
		return fmt.Errorf("patch Secret %s: %w", s.key, err)
	}
	return nil
}
