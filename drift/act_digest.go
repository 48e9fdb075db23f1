package drift

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/forge"
	"moorgate.dev/internal/gate"
)

// Digests keeps, in each repository, one issue that lists what is to be proposed and waits: because enough is open, because a budget is
// spent, or because so much went wrong at once that nothing is done about any of it. It is gone once nothing waits.
type Digests struct {
	Proposals *Proposals
	Logger    *slog.Logger

	told map[string]string // by repository, what its issue says
}

// bounding are the rules by which what may be done waits. What another rule holds as well is no matter of waiting.
var bounding = []string{"budget", "storm"}

// Start keeps the issues until ctx ends.
func (g *Digests) Start(ctx context.Context) error {
	ticker := time.NewTicker(g.Proposals.Follow)
	defer ticker.Stop()
	for {
		err := flow.Shielded(g.Logger, "list what waits", func() error { return g.Keep(ctx) })
		if err != nil && ctx.Err() == nil && !errors.Is(err, flow.ErrPanicked) {
			g.Logger.Warn("list what waits", "error", gate.OneLine(err.Error(), 1024))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Keep has every repository's issue say what waits now.
func (g *Digests) Keep(ctx context.Context) error {
	waits, err := g.waits(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for repository, items := range waits {
		says := fmt.Sprintf("%q", items)
		if told, once := g.told[repository]; once && told == says {
			continue
		}
		note := gate.Record{Kind: gate.RecordNote, Text: fmt.Sprintf("about to say in an issue of %s how many drifts wait there: %d", repository, len(items))}
		if _, err := g.Proposals.Log.Append(ctx, note); err != nil {
			return fmt.Errorf("write to the audit log, so nothing is said: %w", err)
		}
		if _, err := g.Proposals.Hub.Digest(ctx, repository, items); err != nil {
			failed = append(failed, err)
			continue
		}
		if g.told == nil {
			g.told = map[string]string{}
		}
		g.told[repository] = says
	}
	return errors.Join(failed...)
}

// waits is what waits in each repository at this GitHub that a GitSource names, or in which people write what Flux or Argo CD deliver; of
// some it is nothing. Where it is not known who delivers, it is not known what waits either.
func (g *Digests) waits(ctx context.Context) (map[string][]forge.Item, error) {
	p := g.Proposals
	var sources v1alpha1.GitSourceList
	var cases v1alpha1.CaseList
	deliveries, err := p.Detector.Deliveries(ctx, "")
	if errors.Is(err, errManyDeliveries) {
		err = nil // of the others there are no Cases
	}
	if err = errors.Join(err, p.Detector.Client.List(ctx, &sources),
		p.Detector.Client.List(ctx, &cases, client.MatchingLabels{v1alpha1.LabelFace: string(gate.FaceDrift)})); err != nil {
		return nil, fmt.Errorf("look what waits: %w", err)
	}
	all, of := map[string][]forge.Item{}, map[client.ObjectKey]string{}
	stands := func(namespace, name, url string) {
		if repository, here := p.Hub.RepositoryAt(url); here {
			repository = strings.ToLower(repository)
			all[repository] = nil
			of[client.ObjectKey{Namespace: namespace, Name: sourceLabel(name)}] = repository
		}
	}
	for i := range deliveries {
		stands(deliveries[i].Namespace, deliveries[i].Name, deliveries[i].written().URL)
	}
	for _, s := range sources.Items {
		stands(s.Namespace, s.Name, s.Spec.URL)
	}
	for i := range cases.Items {
		c := &cases.Items[i]
		repository, here := of[client.ObjectKey{Namespace: c.Namespace, Name: c.Labels[LabelSource]}]
		if here && p.Ours(c) && waiting(c) {
			all[repository] = append(all[repository], forge.Item{Object: objectName(signalOf(c).Subject), Case: caseRef(c)})
		}
	}
	return all, nil
}

// waiting is whether a pull request was chosen for a Case, and nothing but a bound holds it.
func waiting(c *v1alpha1.Case) bool {
	a := c.Status.Acting
	if _, chosen := acting.Chosen(c, gate.ReachGit); !chosen || a == nil || a.Phase != v1alpha1.PhaseHeld || !meta.IsStatusConditionTrue(c.Status.Conditions, CaseDrifted) {
		return false
	}
	return len(a.Reasons) > 0 && !slices.ContainsFunc(a.Reasons, func(r v1alpha1.Reason) bool { return !slices.Contains(bounding, r.Rule) })
}

// Open counts the pull requests that people have not decided on yet, as the Cases tell of them. It reads them through r, which may be
// an informer cache.
func Open(ctx context.Context, r client.Reader) (int, error) {
	var cases v1alpha1.CaseList
	if err := r.List(ctx, &cases, client.MatchingLabels{v1alpha1.LabelFace: string(gate.FaceDrift)}, client.UnsafeDisableDeepCopy); err != nil {
		return 0, fmt.Errorf("count the open pull requests: %w", err)
	}
	n := 0
	for i := range cases.Items {
		if a := cases.Items[i].Status.Acting; a != nil && a.Phase == v1alpha1.PhaseActed && !asksToHold(&cases.Items[i]) {
			n++
		}
	}
	return n, nil
}
