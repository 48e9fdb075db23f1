package app

import (
	"context"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/drift"
)

const helmReleasesUsage = "compare what Flux's HelmReleases deliver too, with the manifests that Helm keeps in Secrets: it takes the right to get the Secrets of their storage namespaces. What differs is proposed as a value of the HelmRelease in Git where the chart that Helm keeps there proves it"

// place is a GitSource, what Flux or Argo CD delivers to a namespace, or a folder, and what came of it.
type place struct {
	compared
	from      drift.Repository
	secret    client.ObjectKey
	delivered *drift.Delivered // nil: it is not what Flux or Argo CD delivers
	others    []drift.Delivered
}

func (p *place) name() string {
	if p.source == "" {
		return p.url
	}
	return drift.Title(client.ObjectKey{Namespace: p.namespace, Name: p.source})
}

// places are what is to be compared. What of it is not known is told to w where there is something to compare all the same.
func (o diffOptions) places(ctx context.Context, d *drift.Detector, w io.Writer) ([]place, error) {
	if o.folder != "" {
		return []place{{compared: compared{namespace: o.namespace, url: o.folder}}}, nil
	}
	var list v1alpha1.GitSourceList
	err := d.Client.List(ctx, &list, client.InNamespace(o.namespace))
	unknown := meta.IsNoMatchError(err)
	if err != nil && !unknown {
		return nil, fmt.Errorf("list GitSources: %w", err)
	}
	var places []place
	for i := range list.Items {
		g := &list.Items[i]
		from := drift.Repository{URL: g.Spec.URL, Branch: g.Spec.Branch, Path: g.Spec.Path}
		places = append(places, place{compared: compared{namespace: g.Namespace, source: g.Name, url: g.Spec.URL}, from: from, secret: drift.SecretOf(g)})
	}
	delivered, all, err := o.delivered(ctx, d)
	for i, y := range delivered {
		places = append(places, place{compared: compared{namespace: y.Namespace, source: y.Name, url: y.From.URL}, delivered: &delivered[i], others: all})
	}
	if err != nil {
		_, _ = fmt.Fprintf(w, "not all that Flux and Argo CD deliver is compared: %s\n", shown(err.Error()))
	}
	switch {
	case len(places) > 0:
		return places, nil
	case unknown:
		return nil, errors.New("this cluster knows no GitSources (moorgate install), and Flux and Argo CD deliver nothing there, so name a folder with what Git says: -f FOLDER")
	case o.all:
		return nil, errors.New("there is no GitSource in any namespace, and Flux and Argo CD deliver to none: make one (kubectl explain gitsource.spec), or name a folder: -n NAMESPACE -f FOLDER")
	}
	return nil, fmt.Errorf("there is no GitSource in namespace %s, and Flux and Argo CD deliver nothing to it: make one (kubectl explain gitsource.spec), name a folder (-f FOLDER), or look everywhere (-A)", o.namespace)
}

// delivered is what Flux and Argo CD deliver to the namespaces that are asked about, and to any; nil where not all of that could be listed. Who
// delivers may be in any namespace; somebody who may not look into all of them is answered of those in the namespace itself.
func (o diffOptions) delivered(ctx context.Context, d *drift.Detector) (to, whole []drift.Delivered, err error) {
	all, err := d.Deliveries(ctx, "")
	if err == nil {
		whole = all
	} else if len(all) == 0 && !o.all {
		all, _ = d.Deliveries(ctx, o.namespace) // the first error says more
	}
	for _, y := range all {
		if o.all || y.Namespace == o.namespace {
			to = append(to, y)
		}
	}
	return to, whole, err
}
