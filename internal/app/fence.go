package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook"
)

const (
	// secretsFence refuses both identities everything about Secrets but dry runs that create one.
	secretsFence = "moorgate-secrets"

	fenceTrusted = time.Minute
)

// fence remembers whether an admission policy holds.
type fence struct {
	policy *unstructured.Unstructured
	client client.Client

	mu   sync.Mutex
	seen time.Time // when it last held
}

func newFence(name string, c client.Client) (*fence, error) {
	all, err := cluster.Manifests(charts.Files)
	if err != nil {
		return nil, err
	}
	for _, u := range all {
		if u.GetKind() == "ValidatingAdmissionPolicy" && u.GetName() == name {
			return &fence{policy: u, client: c}, nil
		}
	}
	return nil, fmt.Errorf("there is no fence %s", name)
}

// holds asks the API server whether the fence refuses what it should; a yes is trusted for a minute.
func (f *fence) holds(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.seen) < fenceTrusted {
		return nil
	}
	holds, err := cluster.FenceHolds(ctx, f.client, f.policy)
	if err == nil && !holds {
		err = errors.New("it let its probe through (moorgate install puts it in place)")
	}
	if err != nil {
		return fmt.Errorf("the fence %s does not hold: %w", f.policy.GetName(), err)
	}
	f.seen = time.Now()
	return nil
}

// addProber adds what finds out which Secrets exist, under the part's identity. It asks by dry runs, and only while the
// fence holds that would refuse anything else; until then it does not know.
func addProber(mgr ctrl.Manager) (*webhook.SecretProber, error) {
	f, err := newFence(secretsFence, mgr.GetClient())
	if err != nil {
		return nil, err
	}
	ask := webhook.ProbeSecret(mgr.GetClient())
	prober := &webhook.SecretProber{Now: time.Now, Ask: func(ctx context.Context, namespace, name string) gate.Fact[bool] {
		if err := f.holds(ctx); err != nil {
			return gate.Unknown[bool](err.Error())
		}
		return ask(ctx, namespace, name)
	}}
	return prober, mgr.Add(prober)
}
