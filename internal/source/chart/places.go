package chart

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"moorgate.dev/internal/source"
)

// mostTries bounds how many values are tried for one field.
const mostTries = 400

// Plan finds the change of one file that has Helm make a field what is asked, and proves it: of a value that the HelmRelease states, or
// else of one that it could state. roots are all that may read the files, Render and Around among them, and root is the name of the
// first. The error is a *source.Refusal, or what a renderer failed with.
func (r *Root) Plan(files map[string][]byte, roots map[string]source.Renderer, root string, a source.Ask, dry func(*unstructured.Unstructured) error) (source.Change, error) {
	var inGit *source.Refusal
	if a.Op == source.Set {
		c, err := source.Plan(files, roots, root, a, dry)
		if !errors.As(err, &inGit) || inGit.Rule != source.NotFound && inGit.Rule != source.Composite {
			return c, err
		}
	}
	places, err := r.places(a)
	switch {
	case err != nil:
		return source.Change{}, err
	case len(places) == 0 && inGit != nil && inGit.Rule == source.Composite:
		return source.Change{}, inGit
	}
	return source.PlanGiven(files, roots, root, r.name, r.home.Path, places, a, dry)
}

// places are the values that the HelmRelease in Git does not state, and that would make a field what is asked once it does. A field that
// has a value is tried with another one, and found where that comes out; a field that is to be added is looked for under the maps of
// values that bear its name, and proving it is left to others. The error is a *source.Refusal.
func (r *Root) places(a source.Ask) ([]source.Given, error) {
	switch a.Op {
	case source.Set:
		return r.makers(a)
	case source.Add:
		return r.under(a), nil
	}
	return nil, &source.Refusal{Rule: source.NotFound, Text: "Helm renders the field, and which value leaves it out is not known"}
}

// makers finds the values that make a field, by dyeing one after the other.
func (r *Root) makers(a source.Ask) ([]source.Given, error) {
	before, err := r.objects(r.release.Config)
	if err != nil {
		return nil, refuse(err.Error())
	}
	was, has := fieldOf(before, a)
	if !has {
		return nil, &source.Refusal{Rule: source.NotFound, Text: "the field is not in what is rendered"}
	}
	parts, tries := source.Parts(was, a.Field), 0
	var found []source.Given
	var elsewhere, subchart string
	walk(laid(r.release.Chart.Values, r.release.Config), func(path []string, value any) {
		stated := at(r.given, path)
		for part, word := range parts {
			if stated || tries >= mostTries || !fits(value, word) {
				continue
			}
			tries++
			dye := dyed(word)
			after, err := r.objects(laid(r.release.Config, alone(path, dye)))
			if err != nil {
				continue
			}
			now, _ := fieldOf(after, a)
			written, err := source.PartOf(was, a.Value, part)
			if !source.Same(now, source.Replaced(was, part, dye)) || err != nil {
				continue
			}
			switch given := at(r.release.Config, path); {
			case given:
				elsewhere = strings.Join(path, ".")
			case r.release.Chart.reaches(path):
				subchart = strings.Join(path, ".")
			default:
				found = append(found, source.Given{Path: within(path), Written: written})
			}
		}
	})
	switch {
	case tries >= mostTries:
		return nil, &source.Refusal{Rule: source.Costly, Text: fmt.Sprintf("the field was not found among %d values of the chart", mostTries)}
	case elsewhere != "":
		return nil, &source.Refusal{Rule: source.Templated, Text: "the value " + elsewhere + " makes it, and that comes from elsewhere than the HelmRelease (valuesFrom)"}
	case len(found) == 0 && subchart != "":
		return nil, &source.Refusal{Rule: source.Shared, Text: "the value " + subchart + " makes it, and subcharts may read that too"}
	}
	return found, nil
}

// fits reports whether a value may make a word: it is the word, or a template of its own, or nothing, which templates may have something
// in the place of.
func fits(value, word any) bool {
	switch value.(type) {
	case map[string]any, []any:
		return false
	}
	text, isText := value.(string)
	return value == nil || isText && (text == "" || strings.Contains(text, "{{")) || source.Same(value, word)
}

// dyed is another value of the same type, which nothing else is likely to have.
func dyed(word any) any {
	switch word := word.(type) {
	case bool:
		return !word
	case int64:
		return float64(word + 10007)
	case float64:
		return word + 10007
	}
	return "zq7k0"
}

// under are the places that a field has under maps of values: resources.limits.memory under each map that is called resources.
func (r *Root) under(a source.Ask) []source.Given {
	plain := len(a.Field)
	for plain > 0 && a.Field[plain-1].Field != "" {
		plain--
	}
	tail := a.Field[plain:].Fields()
	var found []source.Given
	walk(laid(r.release.Chart.Values, r.release.Config), func(path []string, value any) {
		_, isMap := value.(map[string]any)
		i := slices.Index(tail, path[len(path)-1])
		if !isMap || i < 0 || i == len(tail)-1 || r.release.Chart.reaches(path) {
			return
		}
		whole := slices.Concat(path, tail[i+1:])
		place := source.Given{Path: within(whole), Written: a.Value}
		if twice := slices.ContainsFunc(found, func(g source.Given) bool { return g.Path.String() == place.Path.String() }); !twice && !r.has(whole) {
			found = append(found, place)
		}
	})
	return found
}

func (r *Root) has(path []string) bool {
	has := at(r.release.Config, path)
	return has
}

// within is the path of a value in a HelmRelease.
func within(path []string) source.Path {
	p := source.Path{{Field: "spec"}, {Field: "values"}}
	for _, key := range path {
		p = append(p, source.Step{Field: key})
	}
	return p
}

func fieldOf(all []*unstructured.Unstructured, a source.Ask) (any, bool) {
	for _, u := range all {
		if source.NameOf(u) == a.Object {
			return source.At(u.Object, a.Field)
		}
	}
	return nil, false
}
