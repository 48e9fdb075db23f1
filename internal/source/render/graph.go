package render

import (
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	yaml3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"

	"moorgate.dev/internal/source"
)

const (
	maxVisits = 500      // kustomizations that are gone through, one that is included twice counting twice
	maxBytes  = 32 << 20 // of the files that these read, likewise
	maxDepth  = 50       // of kustomizations that include each other
	maxLength = 8 << 20  // of one file
	shownName = 256      // characters of a name that an error repeats
)

// errMissing marks a reference to what was not read.
var errMissing = errors.New("there is no such file or folder among what was read (links are never followed)")

// Root reports whether a folder holds a kustomization, and the path of that file.
func Root(files map[string][]byte, folder string) (file string, found bool) {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if file = path.Join(folder, name); files[file] != nil {
			return file, true
		}
	}
	return "", false
}

// walk goes through what kustomize would go through, in the order of files, and answers each way of going wrong by name.
type walk struct {
	files   map[string][]byte
	visits  int
	bytes   int
	missing func(at string) error // nil: it is an error. Otherwise all that is wanted are names, and what manifests say is not looked at
	seen    map[string]bool       // the files that are read
}

// Needs names what kustomize would read for a folder and is not among the files: files and the kustomization files of
// folders, by their paths from the root. What is asked for is asked once: whoever reads them asks again with what was found.
func Needs(files map[string][]byte, folder string) []string {
	var needs []string
	w := walk{files: files, seen: map[string]bool{}, missing: func(reference string) error {
		needs = append(needs, reference)
		for _, name := range konfig.RecognizedKustomizationFileNames() {
			needs = append(needs, path.Join(reference, name))
		}
		return nil
	}}
	for _, root := range roots(files, folder) {
		_ = w.folder(root, nil) // what is wrong is said when it is rendered
	}
	slices.Sort(needs)
	return slices.Compact(needs)
}

// roots are the folder, where it holds a kustomization, or else the topmost folders in it that do.
func roots(files map[string][]byte, folder string) []string {
	if _, found := Root(files, folder); found {
		return []string{folder}
	}
	var found []string
	for _, file := range paths(files, folder) {
		if slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(file)) && !slices.ContainsFunc(found, func(f string) bool { return within(f, file) }) {
			found = append(found, path.Dir(file))
		}
	}
	return found
}

func within(folder, file string) bool {
	return folder == "" || folder == "." || folder == file || strings.HasPrefix(file, folder+"/")
}

// paths are the files in a folder, the shallow ones first.
func paths(files map[string][]byte, folder string) []string {
	var in []string
	for file := range files {
		if within(folder, file) {
			in = append(in, file)
		}
	}
	slices.SortFunc(in, func(a, b string) int {
		if n := strings.Count(a, "/") - strings.Count(b, "/"); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	return in
}

// folder goes through the kustomization of a folder. above are the folders that include it.
func (w *walk) folder(folder string, above []string) error {
	file, found := Root(w.files, folder)
	if !found {
		return fmt.Errorf("%s: %w", shown(folder), errMissing)
	}
	if w.visits++; w.visits > maxVisits || len(above) > maxDepth {
		return fmt.Errorf("%s: it and what includes it are gone through more than %d times, or more than %d deep", shown(file), maxVisits, maxDepth)
	}
	if slices.Contains(above, folder) {
		return fmt.Errorf("%s: it includes itself", shown(file))
	}
	if err := w.read(file, false); err != nil {
		return err
	}
	var k types.Kustomization
	if err := k.Unmarshal(w.files[file]); err != nil {
		return fmt.Errorf("%s: it is no kustomization that this version knows", shown(file))
	}
	k.FixKustomization()
	if err := w.kustomization(&k, folder, append(slices.Clip(above), folder)); err != nil {
		return fmt.Errorf("%s: %w", shown(file), err)
	}
	return nil
}

// read counts a file and looks at it before kustomize does. raw says that it may hold anything.
func (w *walk) read(file string, raw bool) error {
	b := w.files[file]
	if w.bytes += len(b); w.bytes > maxBytes || len(b) > maxLength {
		return fmt.Errorf("%s: with it more than %d MiB would be read", shown(file), maxBytes>>20)
	}
	if w.seen[file] || raw {
		w.seen[file] = true
		return nil
	}
	w.seen[file] = true
	if err := source.Sound(b); err != nil {
		return fmt.Errorf("%s: %w", shown(file), err)
	}
	return nil
}

// offline refuses a configuration of a generator or a transformer in which anything could be an address: kustomize reads
// such configurations by rules of their own.
func offline(b []byte) error {
	d := yaml3.NewDecoder(strings.NewReader(string(b)))
	for {
		var n yaml3.Node
		if err := d.Decode(&n); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return errors.New("the configuration of a generator or a transformer is no YAML")
		}
		if far(&n) {
			return errors.New("an address, a program or a chart stands in the configuration of a generator or a transformer, and only files of the repository are read")
		}
	}
}

func far(n *yaml3.Node) bool {
	if n.Kind == yaml3.ScalarNode && (remote(n.Value) || n.Value == "HelmChartInflationGenerator" || n.Value == "config.kubernetes.io/function") {
		return true
	}
	return slices.ContainsFunc(n.Content, far)
}

// remote reports whether kustomize could take a text for an address. It may say so of what is none.
func remote(text string) bool {
	lower := strings.ToLower(text)
	return strings.Contains(lower, "://") || strings.Contains(lower, "::") || strings.Contains(lower, "http:") || strings.Contains(lower, "https:")
}

func shown(name string) string {
	if len(name) > shownName {
		name = name[:shownName] + "…"
	}
	return fmt.Sprintf("%q", name)
}
