package cluster

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// OwnNamespace is where Moorgate lives.
const OwnNamespace = "moorgate-system"

// AnchorsName is the ConfigMap in Moorgate's namespace that remembers the checkpoints of the audit logs, by log id, and the
// roots to trust when reading a log over the network, by "ca." and the role that serves it.
const AnchorsName = "moorgate-audit-anchors"

// Anchors keeps what must be remembered outside of the process that writes a log. A fence lets Moorgate add to it and change
// it, and take nothing away.
type Anchors struct {
	Client client.Client // uncached
}

// Read returns everything that is remembered. A ConfigMap that is not there is an error: it was installed, so somebody took the
// anchors away.
func (a Anchors) Read(ctx context.Context) (map[string]string, error) {
	var cm corev1.ConfigMap
	err := a.Client.Get(ctx, client.ObjectKey{Namespace: OwnNamespace, Name: AnchorsName}, &cm)
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("the ConfigMap %s/%s with the anchors of the audit logs is not there: moorgate install makes an empty one", OwnNamespace, AnchorsName)
	}
	if err != nil {
		return nil, fmt.Errorf("read the anchors of the audit logs: %w", err)
	}
	return cm.Data, nil
}

// Set remembers a value under a key. Where somebody else writes at the same time it reads again; it writes only what differs.
func (a Anchors) Set(ctx context.Context, key, value string) error {
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		var cm corev1.ConfigMap
		if err := a.Client.Get(ctx, client.ObjectKey{Namespace: OwnNamespace, Name: AnchorsName}, &cm); err != nil {
			return err
		}
		if cm.Data[key] == value {
			return nil
		}
		if cm.Data == nil {
			cm.Data = map[string]string{}
		}
		cm.Data[key] = value
		return a.Client.Update(ctx, &cm)
	})
	if err != nil {
		return fmt.Errorf("remember %s among the anchors of the audit logs: %w", key, err)
	}
	return nil
}
