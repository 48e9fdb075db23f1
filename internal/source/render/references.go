package render

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
)

// kustomization goes through all that a kustomization refers to.
func (w *walk) kustomization(k *types.Kustomization, folder string, above []string) error {
	switch {
	case len(k.HelmCharts) > 0 || len(k.HelmChartInflationGenerator) > 0 || k.HelmGlobals != nil:
		return errors.New("it inflates Helm charts, which takes a program")
	case len(k.OpenAPI) > 0: // never to be let in: kyaml keeps one schema for the whole process, so every render after this one would go by it
		return errors.New("it brings an OpenAPI schema of its own, which would count for every other render too")
	}
	for _, r := range slices.Concat(k.Resources, k.Bases, k.Components) { //nolint:staticcheck // what is deprecated still renders
		if err := w.either(folder, r, above); err != nil {
			return err
		}
	}
	for _, f := range slices.Concat(k.Crds, k.Configurations) {
		if err := w.file(folder, f, false); err != nil {
			return err
		}
	}
	for _, f := range slices.Concat(k.Generators, k.Transformers, k.Validators) {
		if err := w.configuration(folder, f); err != nil {
			return err
		}
	}
	if err := w.patches(k, folder); err != nil {
		return err
	}
	return w.generators(k, folder)
}

func (w *walk) patches(k *types.Kustomization, folder string) error {
	var files []string
	for _, p := range slices.Concat(k.Patches, k.PatchesJson6902) { //nolint:staticcheck // what is deprecated still renders
		files = append(files, p.Path)
	}
	for _, r := range k.Replacements {
		files = append(files, r.Path)
	}
	for _, p := range k.PatchesStrategicMerge { //nolint:staticcheck // what is deprecated still renders
		if text := string(p); !strings.Contains(text, "\n") {
			files = append(files, text)
		} else if remote(strings.SplitN(text, "\n", 2)[0]) {
			return errors.New("a patch begins with an address")
		}
	}
	for _, f := range files {
		if f == "" {
			continue
		}
		if err := w.file(folder, f, false); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) generators(k *types.Kustomization, folder string) error {
	var all []types.KvPairSources
	for _, g := range k.ConfigMapGenerator {
		all = append(all, g.KvPairSources)
	}
	for _, g := range k.SecretGenerator {
		all = append(all, g.KvPairSources)
	}
	for _, s := range all {
		files := append(slices.Clone(s.EnvSources), s.EnvSource)
		for _, f := range s.FileSources {
			if _, file, keyed := strings.Cut(f, "="); keyed {
				f = file
			}
			files = append(files, f)
		}
		for _, f := range files {
			if f == "" {
				continue
			}
			if err := w.file(folder, f, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// written is how the configuration of a generator or a transformer begins that stands in the kustomization itself.
var written = regexp.MustCompile(`^(apiVersion|kind|metadata):[ \n]`)

// configuration goes through the configuration of a generator or a transformer, which may stand in the kustomization itself.
func (w *walk) configuration(folder, text string) error {
	if strings.Contains(text, "\n") {
		if !written.MatchString(text) { // kustomize takes what it cannot read for an address
			return errors.New("a generator or transformer in it begins with something else than apiVersion, kind or metadata")
		}
		return offline([]byte(text))
	}
	at, err := inside(folder, text)
	if err != nil {
		return err
	}
	b, found := w.files[at]
	if !found {
		if _, isFolder := Root(w.files, at); isFolder {
			return fmt.Errorf("%s: generators and transformers out of a folder are not supported", shown(at))
		}
		return w.absent(at)
	}
	if err := w.read(at, false); err != nil {
		return err
	}
	return offline(b)
}

// either goes through a file or a folder.
func (w *walk) either(folder, reference string, above []string) error {
	at, err := inside(folder, reference)
	if err != nil {
		return err
	}
	if _, found := w.files[at]; found {
		return w.read(at, w.missing != nil)
	}
	if _, found := Root(w.files, at); found {
		return w.folder(at, above)
	}
	return w.absent(at)
}

// file goes through a file. raw says that it may hold anything.
func (w *walk) file(folder, reference string, raw bool) error {
	if strings.Contains(reference, "\n") {
		return nil // it is no name, and kustomize reads it as what it says
	}
	at, err := inside(folder, reference)
	if err != nil {
		return err
	}
	if _, found := w.files[at]; !found {
		return w.absent(at)
	}
	return w.read(at, raw || w.missing != nil)
}

func (w *walk) absent(at string) error {
	if w.missing != nil {
		return w.missing(at)
	}
	return fmt.Errorf("%s: %w", shown(at), errMissing)
}

// inside is the path that a reference means, from the repository's root.
func inside(folder, reference string) (string, error) {
	lower := strings.ToLower(reference)
	switch {
	case remote(reference), strings.ContainsAny(reference, ":@?"), strings.HasPrefix(lower, "github.com"), strings.HasPrefix(lower, "www.github.com"):
		return "", fmt.Errorf("%s is an address, and only files of the repository are read", shown(reference))
	case path.IsAbs(reference), strings.ContainsRune(reference, 0):
		return "", fmt.Errorf("%s leads out of the repository", shown(reference))
	}
	at := path.Join(folder, reference)
	if at == ".." || strings.HasPrefix(at, "../") {
		return "", fmt.Errorf("%s leads out of the repository", shown(reference))
	}
	if at == "." {
		at = ""
	}
	return at, nil
}
