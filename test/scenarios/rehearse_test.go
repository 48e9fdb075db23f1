package scenarios

import (
	"context"
	"fmt"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster"
)

// rehearse dry-runs a manifest until the answer is as wanted. A dry run is never denied and leaves nothing behind. It is tried often,
// so what would be created goes straight to the API server: to start kubectl takes far more of a processor than all that it asks for.
// What would change is left to kubectl, which knows what a change leaves out.
func (p *place) rehearse(what, manifest string, wanted func(out string) error) {
	p.t.Helper()
	p.eventually(p.t, "a dry run of "+what, func() error {
		out, err := p.dryCreate(manifest)
		if apierrors.IsAlreadyExists(err) {
			out, err = p.kubectl(manifest, "apply", "--dry-run=server", "-f", "-")
		}
		if err == nil {
			err = wanted(out)
		}
		if err != nil {
			err = fmt.Errorf("%w; the client is told:\n%s", err, out)
		}
		return err
	})
}

// dryCreate is a dry run of creating what a manifest holds, and returns its warnings as kubectl prints them.
func (p *place) dryCreate(manifest string) (string, error) {
	objects, err := cluster.Decode([]byte(manifest))
	if err != nil {
		return "", err
	}
	var heard warnings
	config := p.c.Config()
	config.WarningHandlerWithContext = &heard
	c, err := client.New(config, client.Options{HTTPClient: p.http, Mapper: p.admin.RESTMapper(), Scheme: p.admin.Scheme()})
	if err != nil {
		return "", err
	}
	for _, u := range objects {
		if u.GetNamespace() == "" {
			u.SetNamespace(p.ns)
		}
		if err := c.Create(p.t.Context(), u, client.DryRunAll); err != nil {
			return heard.String(), err
		}
	}
	return heard.String(), nil
}

// warnings are what an API server warns of.
type warnings struct {
	mu   sync.Mutex
	text strings.Builder
}

var _ rest.WarningHandlerWithContext = (*warnings)(nil)

func (w *warnings) HandleWarningHeaderWithContext(_ context.Context, code int, _ string, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if code == 299 {
		w.text.WriteString("Warning: " + text + "\n")
	}
}

func (w *warnings) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
