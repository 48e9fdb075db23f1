package webhook

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

const (
	casesPage  = 500
	casesPages = 20
)

var errManyCases = errors.New("there are too many Cases")

// failedBefore looks for rollouts that failed lately with what this change brings.
func (w World) failedBefore(ctx context.Context, old *checks.Workload, new checks.Workload, world *checks.World) []gate.Evidence {
	const source = "Cases of failed rollouts"
	if checks.Oversize(new) != "" {
		return nil // nobody asks
	}
	remember := w.listCases
	if w.Memory != nil {
		remember = func(context.Context) gate.Fact[[]remembered] { return w.Memory.all() }
	}
	all := remember(ctx)
	known, is := all.Get()
	if !is {
		world.FailedBefore = gate.Unknown[[]checks.PastFailure](all.Why())
	} else {
		world.FailedBefore = gate.Known(failuresOf(known, old, new, world.At))
	}
	return evidenceOf(checks.EvidenceFailedBefore, source, world.FailedBefore)
}

// listCases reads the Cases of the cluster, for a reviewer. A cluster that has none of that kind has none that failed.
func (w World) listCases(ctx context.Context) gate.Fact[[]remembered] {
	if w.offline() {
		return gate.Unknown[[]remembered](errOffline.Error())
	}
	all := []remembered{}
	after := ""
	for range casesPages {
		var page unstructured.UnstructuredList
		page.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("CaseList"))
		err := w.Reader.List(ctx, &page, client.Limit(casesPage), client.Continue(after))
		if meta.IsNoMatchError(err) {
			return gate.Known(all)
		}
		if err != nil {
			return gate.Unknown[[]remembered](because(err))
		}
		for i := range page.Items {
			var c v1alpha1.Case
			if err := cluster.Into(&page.Items[i], &c); err != nil {
				continue // it was written by another version
			}
			if r, tells := rememberedOf(&c); tells {
				all = append(all, r)
			}
		}
		if after = page.GetContinue(); after == "" {
			return gate.Known(all)
		}
	}
	return gate.Unknown[[]remembered](because(errManyCases))
}
