package chart

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"moorgate.dev/internal/source"
	"moorgate.dev/internal/source/render"
)

// Root is a release whose HelmRelease stands in Git: out of the files of the repository it makes what Helm would deliver.
type Root struct {
	release Release
	home    render.Spec // how the folder is rendered that declares the HelmRelease
	name    source.Name // of the HelmRelease
	served  *Served
	engine  *engine

	given               map[string]any // the values in Git, as they are
	labels, annotations map[string]string

	lock sync.Mutex
	read map[[2]string][]*unstructured.Unstructured // what was made of a template's text
}

// The labels by which Flux says which HelmRelease an object comes of.
const (
	originName      = "helm.toolkit.fluxcd.io/name"
	originNamespace = "helm.toolkit.fluxcd.io/namespace"
)

// Open is the Root of a release, whose HelmRelease the files of a repository declare. The error says why nothing can be said of it:
// it is a *source.Refusal. served may be nil: then a chart that asks what the API server serves is refused.
func Open(r Release, files map[string][]byte, home render.Spec, name source.Name, served *Served) (*Root, error) {
	root := &Root{release: r, home: home, name: name, served: served, read: map[[2]string][]*unstructured.Unstructured{}}
	if len(r.Chart.Templates) == 0 {
		return nil, refuse("Helm did not store the chart with the release")
	}
	var err error
	if root.engine, err = newEngine(r.Chart); err != nil {
		return nil, refuse(err.Error())
	}
	declared, err := root.declared(files)
	if err != nil {
		return nil, refuse(err.Error())
	}
	for field, why := range elsewise {
		if _, has, _ := unstructured.NestedFieldNoCopy(declared.Object, "spec", field); has {
			return nil, refuse(why)
		}
	}
	root.given = valuesOf(declared)
	if !reflect.DeepEqual(laid(r.Config, root.given), config(r)) {
		return nil, refuse("the release was made of other values than Git has in its HelmRelease")
	}
	root.labels, _, _ = unstructured.NestedStringMap(declared.Object, "spec", "commonMetadata", "labels")
	root.annotations, _, _ = unstructured.NestedStringMap(declared.Object, "spec", "commonMetadata", "annotations")
	return root, root.believe()
}

// elsewise are fields of a HelmRelease by which Flux delivers something else than what the chart makes.
var elsewise = map[string]string{
	"postRenderers": "its HelmRelease changes what the chart makes (postRenderers), and that is not done here",
	"kubeConfig":    "its HelmRelease delivers to another cluster",
}

func refuse(text string) *source.Refusal { return &source.Refusal{Rule: source.NotRead, Text: text} }

// believe holds what is made of the values as they are against what Helm stored.
func (r *Root) believe() error {
	stored, err := r.parsed("manifest", r.release.Manifest)
	if err != nil {
		return refuse("what Helm stored cannot be read")
	}
	if len(stored) > 0 && !slices.ContainsFunc(stored, func(u *unstructured.Unstructured) bool { return u.GetLabels()[originName] == "" }) {
		r.labels = merged(r.labels, map[string]string{originName: r.name.Name, originNamespace: r.name.Namespace})
	}
	made, err := r.objects(r.release.Config)
	if err != nil {
		return refuse(err.Error())
	}
	have := map[source.Name]*unstructured.Unstructured{}
	for _, u := range stored {
		have[source.NameOf(u)] = u
	}
	for _, u := range made {
		n := source.NameOf(u)
		if have[n] == nil || !reflect.DeepEqual(have[n].Object, u.Object) {
			return refuse("rendered here, the chart with its values as they are makes another " + n.Kind + " than Helm stored, so that nothing that is rendered here is believed")
		}
		delete(have, n)
	}
	if len(have) > 0 && len(r.release.Chart.Metadata.Dependencies) == 0 {
		return refuse("rendered here, the chart does not make all that Helm stored, so that nothing that is rendered here is believed")
	}
	return nil
}

// Render makes what Helm would deliver of the files: it is a source.Renderer.
func (r *Root) Render(files map[string][]byte) ([]*unstructured.Unstructured, error) {
	declared, err := r.declared(files)
	if err != nil {
		return nil, err
	}
	now := valuesOf(declared)
	if lacks(now, r.given) {
		return nil, errors.New("a value is gone, and what stands for it then is not known")
	}
	return r.objects(laid(r.release.Config, now))
}

// Around makes what the folder makes that declares the HelmRelease, without its values: no edit of a value may move it. It is a
// source.Renderer.
func (r *Root) Around(files map[string][]byte) ([]*unstructured.Unstructured, error) {
	all, err := render.Kustomize(r.home)(files)
	for _, u := range all {
		if r.is(u) {
			unstructured.RemoveNestedField(u.Object, "spec", "values")
		}
	}
	return all, err
}

// declared is the HelmRelease as Git has it.
func (r *Root) declared(files map[string][]byte) (*unstructured.Unstructured, error) {
	all, err := render.Kustomize(r.home)(files)
	if err != nil {
		return nil, errors.New("the folder that declares its HelmRelease cannot be rendered")
	}
	if i := slices.IndexFunc(all, r.is); i >= 0 {
		return all[i], nil
	}
	return nil, errors.New("the folder that is to declare its HelmRelease does not")
}

func (r *Root) is(u *unstructured.Unstructured) bool {
	n := source.NameOf(u)
	return n.Group == r.name.Group && n.Kind == r.name.Kind && n.Name == r.name.Name && (n.Namespace == r.name.Namespace || n.Namespace == "")
}

// valuesOf are the values of a HelmRelease, with their numbers as Helm has them.
func valuesOf(u *unstructured.Unstructured) map[string]any {
	values, _, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "values")
	out := map[string]any{}
	if b, err := json.Marshal(values); err == nil {
		_ = json.Unmarshal(b, &out) // what is no map holds no value
	}
	return out
}

func config(r Release) map[string]any {
	if r.Config == nil {
		return map[string]any{}
	}
	return r.Config
}

// lacks reports whether values lack one that others have.
func lacks(values, others map[string]any) bool {
	for key, other := range others {
		value, has := values[key]
		inner, isMap := value.(map[string]any)
		before, wasMap := other.(map[string]any)
		if !has || wasMap && (!isMap || lacks(inner, before)) {
			return true
		}
	}
	return false
}

func merged(base, over map[string]string) map[string]string {
	out := maps.Clone(base)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, over)
	return out
}
