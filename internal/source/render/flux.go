package render

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"moorgate.dev/internal/source"
)

// Spec says what is rendered, and what a Flux Kustomization adds to it. Only Path is needed.
type Spec struct {
	Path string // of the folder, relative to the root; empty is the root
	// Topmost: a folder without a kustomization makes what the kustomizations in it make that no other in it includes. Flux makes
	// all of them, a base beside its overlay once more by itself, and refuses a Component.
	Topmost                 bool
	TargetNamespace         string
	NamePrefix, NameSuffix  string
	Labels, Annotations     map[string]string // commonMetadata
	Patches                 []types.Patch
	Images                  []types.Image
	Components              []string
	IgnoreMissingComponents bool
	Substitution            Substitution
}

// adds reports whether anything is added to what the folder says itself.
func (s Spec) adds() bool {
	return s.TargetNamespace != "" || s.NamePrefix != "" || s.NameSuffix != "" || len(s.Patches)+len(s.Images)+len(s.Components) > 0
}

// bare reports whether the objects are what the folder says, and nothing else.
func (s Spec) bare() bool {
	return !s.adds() && len(s.Labels)+len(s.Annotations)+len(s.Substitution.Values)+len(s.Substitution.From) == 0
}

// kustomization goes through what the root reads, and answers the root's own kustomization file with what is added to it.
func (s Spec) kustomization(w *walk) (file string, content []byte, err error) {
	file, found := Root(w.files, s.Path)
	if found && !s.adds() {
		return file, w.files[file], w.folder(s.Path, nil)
	}
	k := types.Kustomization{TypeMeta: types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind}}
	if found {
		if err := w.read(file, false); err != nil {
			return "", nil, err
		}
		if err := k.Unmarshal(w.files[file]); err != nil {
			return "", nil, fmt.Errorf("%s: it is no kustomization that this version knows", shown(file))
		}
	} else {
		file = path.Join(s.Path, "kustomization.yaml")
		k.Resources = s.generated(w.files)
	}
	if err := s.add(&k, w.files); err != nil {
		return "", nil, err
	}
	fixed := k
	fixed.FixKustomization()
	if err := w.kustomization(&fixed, s.Path, []string{s.Path}); err != nil {
		return "", nil, fmt.Errorf("%s: %w", shown(file), err)
	}
	content, err = yaml.Marshal(k)
	if err != nil {
		return "", nil, errors.New("what is added to the root makes no sense")
	}
	return file, content, nil
}

// generated are the resources of a folder without a kustomization: its YAML files, and the folders in it that have one.
func (s Spec) generated(files map[string][]byte) []string {
	rendered := roots(files, s.Path)
	found := slices.Clone(rendered)
	if s.Topmost {
		found = topmost(files, found)
	}
	for _, file := range paths(files, s.Path) {
		ext := path.Ext(file)
		if (ext == ".yaml" || ext == ".yml") && !slices.ContainsFunc(rendered, func(r string) bool { return within(r, file) }) {
			found = append(found, file)
		}
	}
	for i := range found {
		found[i] = "./" + strings.TrimPrefix(strings.TrimPrefix(found[i], s.Path), "/")
	}
	slices.Sort(found)
	return found
}

// topmost are the roots that are no Component and that no other root includes. Those that include each other stay, and are
// refused when they are rendered.
func topmost(files map[string][]byte, all []string) []string {
	includes := map[string]map[string]bool{}
	for _, root := range all {
		w := walk{files: files, seen: map[string]bool{}, missing: func(string) error { return nil }}
		_ = w.folder(root, nil) // what is wrong is said when it is rendered
		includes[root] = w.seen
	}
	kustomization := func(root string) string {
		file, _ := Root(files, root)
		return file
	}
	return slices.DeleteFunc(slices.Clone(all), func(root string) bool {
		return component(files[kustomization(root)]) || slices.ContainsFunc(all, func(other string) bool {
			return other != root && includes[other][kustomization(root)] && !includes[root][kustomization(other)]
		})
	})
}

// add adds to a root what a Flux Kustomization says, the way Flux does.
func (s Spec) add(k *types.Kustomization, files map[string][]byte) error {
	set := func(field *string, value string) {
		if value != "" {
			*field = value
		}
	}
	set(&k.Namespace, s.TargetNamespace)
	set(&k.NamePrefix, s.NamePrefix)
	set(&k.NameSuffix, s.NameSuffix)
	k.Patches = append(k.Patches, s.Patches...)
	for _, image := range s.Images {
		if i := slices.IndexFunc(k.Images, func(i types.Image) bool { return i.Name == image.Name }); i >= 0 {
			k.Images[i] = image
		} else {
			k.Images = append(k.Images, image)
		}
	}
	for _, c := range s.Components {
		at, err := inside(s.Path, c)
		if err != nil {
			return err
		}
		if _, found := Root(files, at); !found && s.IgnoreMissingComponents {
			continue
		}
		k.Components = append(k.Components, c)
	}
	return nil
}

// finish does what Flux does after kustomize: it fills variables in and sets the common metadata.
func (s Spec) finish(made []*unstructured.Unstructured) (Rendered, error) {
	r := Rendered{Unknown: map[source.Name]string{}}
	for _, u := range made {
		name := source.NameOf(u)
		if u.Object["sops"] != nil {
			r.Unknown[name] = "it is encrypted with SOPS, and only who delivers it can read it"
			continue
		}
		filled, why, err := s.Substitution.fill(u)
		if err != nil {
			return Rendered{}, fmt.Errorf("%s %s: %w", shown(name.Kind), shown(name.Name), err)
		}
		if why != "" {
			r.Unknown[name] = why
			continue
		}
		filled.SetLabels(merged(filled.GetLabels(), s.Labels))
		filled.SetAnnotations(merged(filled.GetAnnotations(), s.Annotations))
		r.Objects = append(r.Objects, filled)
	}
	return r, nil
}

func merged(base, over map[string]string) map[string]string {
	if len(over) == 0 {
		return base
	}
	if base == nil {
		base = map[string]string{}
	}
	maps.Copy(base, over)
	return base
}
