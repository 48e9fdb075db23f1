package drift

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/source"
	"moorgate.dev/internal/source/chart"
)

// What a HelmRelease delivers is edited where the HelmRelease stands in Git: in the values of it. Which value makes a field is found by
// rendering the chart that Helm keeps with the release, and only where that comes to what Helm keeps. The HelmRelease is found in the
// folder of the Kustomization that applied it, by the word of that Kustomization's status; the labels of a HelmRelease prove nothing.

// values are where edits go of what Helm makes.
type values struct {
	root    *chart.Root
	unknown string // why nothing can be edited; then there is no root
	passing bool   // it may be another thing in the next round
}

// The names of the roots that an edit of a value is proven with.
const (
	rootRelease = "the release"
	rootFolder  = "the folder of its HelmRelease"
)

// housed gives releases the Kustomizations that delivered their HelmReleases.
func housed(releases, kustomizations []Delivered) {
	for i := range releases {
		y := &releases[i]
		n := y.self()
		for _, k := range kustomizations {
			if k.applied[n] {
				y.home = &k
			}
		}
		if y.home == nil {
			continue
		}
		for _, k := range kustomizations {
			there := n
			there.Namespace = k.Namespace
			if k.Namespace != n.Namespace && k.From.URL == y.home.From.URL && k.From.Branch == y.home.From.Branch && k.spec.Path == y.home.spec.Path && k.applied[there] {
				y.twin = Title(k.Key())
			}
		}
	}
}

// self is the object that delivers, by its name.
func (y *Delivered) self() source.Name {
	return source.Name{Group: y.owner.Group, Kind: y.owner.Kind, Namespace: y.owner.Namespace, Name: y.owner.Name}
}

// written is the repository in which people write what is delivered.
func (y *Delivered) written() Repository {
	if y.home != nil {
		return y.home.From
	}
	return y.From
}

// again is the command that has Helm deliver anew what it delivers; empty where it is not Helm that does.
func (y *Delivered) again() string {
	if y == nil || y.stored == (client.ObjectKey{}) {
		return ""
	}
	return fmt.Sprintf("flux reconcile helmrelease %s -n %s --force", y.owner.Name, y.owner.Namespace)
}

// valued is the ground on which values of a release are edited. That there is none is no failure: it is said wherever an edit is missed.
func (d *Detector) valued(ctx context.Context, y *Delivered, r release) ground {
	g, err := d.housing(ctx, y)
	if err == nil {
		g.values = &values{}
		g.values.root, err = chart.Open(r.Release, g.files, g.spec, y.self(), d.serves(ctx))
	}
	if err != nil {
		var refused *source.Refusal
		return ground{values: &values{unknown: line("no value is edited: " + err.Error()), passing: y.home != nil && y.home.Problem == "" && y.twin == "" && !errors.As(err, &refused)}}
	}
	return g
}

// housing is what was read of the folder that declares the HelmRelease.
func (d *Detector) housing(ctx context.Context, y *Delivered) (ground, error) {
	switch {
	case y.home == nil:
		return ground{}, errors.New("no Kustomization of Flux is known that delivered its HelmRelease")
	case y.home.Problem != "":
		return ground{}, fmt.Errorf("%s, which delivered its HelmRelease, is not compared: %s", Title(y.home.Key()), y.home.Problem)
	case y.twin != "":
		return ground{}, fmt.Errorf("%s brings the same folder to another namespace, where it would change too", y.twin)
	}
	read, err := d.fetch(ctx, y.home)
	if err != nil {
		return ground{}, err
	}
	return groundOf(Tree{Commit: read.Commit, Files: y.home.shallow(read.Files), Partly: read.Partly}, y.home.spec, nil), nil
}

// value is the file with a value in it by which Helm makes the live one, proven down to the objects of the release, and to all else that
// reads the file.
func (g ground) value(files map[string][]byte, a source.Ask, dry func(*unstructured.Unstructured) error) (source.Change, error) {
	v := g.values
	if v.root == nil {
		return source.Change{}, errors.New(v.unknown)
	}
	roots := map[string]source.Renderer{rootRelease: g.timed(v.root.Render), rootFolder: g.timed(v.root.Around)}
	for name, other := range g.others {
		roots[name] = g.timed(other.moved)
	}
	return v.root.Plan(files, roots, rootRelease, a, dry)
}

// serves is what the API server serves; nil where that is not known, and then a chart that asks is not rendered.
func (d *Detector) serves(ctx context.Context) *chart.Served {
	if d.Served == nil {
		return nil
	}
	s, err := d.Served(ctx)
	if err != nil {
		return nil
	}
	return &s
}
