package chart

import (
	"path"
	"slices"
	"strings"
)

// Release is what Helm stored of one revision of a release, as far as rendering it again needs it.
type Release struct {
	Name      string         `json:"name"`
	Namespace string         `json:"namespace"`
	Version   int64          `json:"version"`
	Manifest  string         `json:"manifest"` // without hooks
	Config    map[string]any `json:"config"`   // the values that were given to the chart, from wherever they came
	Chart     Chart          `json:"chart"`
}

// Chart is the chart of a release. Helm keeps no subcharts with it: Metadata names those that were enabled.
type Chart struct {
	Metadata  Metadata       `json:"metadata"`
	Templates []File         `json:"templates"`
	Values    map[string]any `json:"values"` // that hold where none are given
	Files     []File         `json:"files"`
}

// File is a file of a chart, by its path in it.
type File struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

// Metadata is what templates see as .Chart, by the names that Helm gives its fields.
type Metadata struct {
	Name         string            `json:"name"`
	Home         string            `json:"home"`
	Sources      []string          `json:"sources"`
	Version      string            `json:"version"`
	Description  string            `json:"description"`
	Keywords     []string          `json:"keywords"`
	Maintainers  []Maintainer      `json:"maintainers"`
	Icon         string            `json:"icon"`
	APIVersion   string            `json:"apiVersion"`
	Condition    string            `json:"condition"`
	Tags         string            `json:"tags"`
	AppVersion   string            `json:"appVersion"`
	Deprecated   bool              `json:"deprecated"`
	Annotations  map[string]string `json:"annotations"`
	KubeVersion  string            `json:"kubeVersion"`
	Dependencies []Dependency      `json:"dependencies"`
	Type         string            `json:"type"`
	IsRoot       bool              `json:"-"`
}

// Maintainer is somebody who keeps a chart.
type Maintainer struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	URL   string `json:"url"`
}

// Dependency is a subchart.
type Dependency struct {
	Name      string   `json:"name"`
	Alias     string   `json:"alias"`
	Condition string   `json:"condition"`
	Tags      []string `json:"tags"`
}

// reaches reports whether a value may be read by a subchart, of which nobody here knows what it makes.
func (c Chart) reaches(value []string) bool {
	return len(value) > 0 && slices.ContainsFunc(c.Metadata.Dependencies, func(d Dependency) bool {
		if slices.Contains([]string{"global", "tags", d.Name, d.Alias}, value[0]) {
			return true
		}
		whole := strings.Join(value, ".")
		return slices.ContainsFunc(strings.Split(d.Condition, ","), func(c string) bool { return strings.TrimSpace(c) == whole })
	})
}

// templates are the files that are rendered, in the order in which Helm reads them: where two define the same, the last counts.
func (c Chart) templates() []File {
	all := slices.Clone(c.Templates)
	depth := func(f File) int { return strings.Count(f.Name, "/") }
	slices.SortFunc(all, func(a, b File) int {
		if n := depth(b) - depth(a); n != 0 {
			return n
		}
		return strings.Compare(b.Name, a.Name)
	})
	return all
}

// partial reports whether a file makes nothing by itself: it only defines, or is shown to people.
func partial(file string) bool {
	return strings.HasPrefix(path.Base(file), "_") || path.Base(file) == "NOTES.txt"
}
