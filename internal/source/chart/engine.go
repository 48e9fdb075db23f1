package chart

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"strings"
	"sync"
	"text/template"
)

// Served is what the API server says that it serves: templates may ask.
type Served struct {
	Version, Major, Minor string
	APIs                  []string // v1, apps/v1, apps/v1/Deployment
}

// engine runs the templates of a chart.
type engine struct {
	chart     Chart
	templates *template.Template

	lock   sync.Mutex // one rendering at a time: they share the budget
	budget budget
	depth  int
}

// mostDepth bounds how deep templates may call each other.
const mostDepth = 200

func newEngine(c Chart) (*engine, error) {
	e := &engine{chart: c, templates: template.New("gotpl").Option("missingkey=zero")}
	e.templates.Funcs(e.budget.guarded(functions()))
	e.calls(e.templates)
	for _, f := range c.templates() {
		if len(f.Data) > mostSource {
			return nil, fmt.Errorf("its template %q is longer than %d KiB", f.Name, mostSource>>10)
		}
		if _, err := e.templates.New(e.name(f)).Parse(string(f.Data)); err != nil {
			return nil, fmt.Errorf("its template %q cannot be read", f.Name)
		}
	}
	stepping(e.templates)
	return e, nil
}

func (e *engine) name(f File) string { return path.Join(e.chart.Metadata.Name, f.Name) }

// calls gives templates the functions by which they call each other.
func (e *engine) calls(of *template.Template) {
	of.Funcs(template.FuncMap{
		"include": func(name string, with any) (string, error) { return e.run(of.Lookup(name), with) },
		"tpl": func(text string, with any) (string, error) {
			inner, err := of.Clone()
			if err == nil {
				err = e.budget.spend(1+len(text)>>6, 0)
			}
			if len(text) > mostSource {
				err = errTooMuch
			}
			if err != nil {
				return "", errors.New("its templates cannot be called from a text")
			}
			inner.Option("missingkey=zero")
			e.calls(inner)
			if inner, err = inner.New(of.Name()).Parse(text); err != nil {
				return "", errors.New("a text that is to be a template cannot be read")
			}
			stepping(inner)
			return e.run(inner, with)
		},
	})
}

func (e *engine) run(t *template.Template, with any) (string, error) {
	if t == nil {
		return "", errors.New("its templates call one that Helm did not store with the release, as those of subcharts are not")
	}
	if e.depth++; e.depth > mostDepth {
		return "", errTooMuch
	}
	defer func() { e.depth-- }()
	w := writer{budget: &e.budget}
	if err := e.budget.spend(1, 0); err != nil {
		return "", err
	}
	if err := t.Execute(&w, with); err != nil {
		return "", err
	}
	return strings.ReplaceAll(w.String(), "<no value>", ""), nil
}

// render answers what each template makes of values, by the names that Helm gives them.
func (e *engine) render(values map[string]any, release map[string]any, served *Served) (made map[string]string, err error) {
	e.lock.Lock()
	defer e.lock.Unlock()
	defer func() {
		if recover() != nil {
			made, err = nil, errors.New("its templates cannot be run")
		}
	}()
	e.budget, e.depth = budget{steps: mostSteps, text: mostText}, 0
	metadata := e.chart.Metadata
	metadata.IsRoot = true
	top := map[string]any{"Chart": metadata, "Files": filesOf(e.chart.Files), "Release": release, "Values": over(values, e.chart.Values), "Subcharts": map[string]any{}}
	if served != nil {
		top["Capabilities"] = capabilities(*served)
	}
	made = map[string]string{}
	for _, f := range e.chart.templates() {
		if partial(f.Name) || e.chart.Metadata.Type == "library" {
			continue
		}
		with := maps.Clone(top)
		with["Template"] = map[string]any{"Name": e.name(f), "BasePath": path.Join(e.chart.Metadata.Name, "templates")}
		text, err := e.run(e.templates.Lookup(e.name(f)), with)
		if err != nil {
			return nil, plain(f, err)
		}
		made[e.name(f)] = text
	}
	return made, nil
}

// plain is why a template cannot be run, without its words: they may hold values.
func plain(f File, err error) error {
	var hangs outsideError
	switch {
	case errors.As(err, &hangs):
		return hangs
	case errors.Is(err, errTooMuch):
		return errTooMuch
	case errors.Is(err, errFails):
		return errFails
	}
	return fmt.Errorf("its template %q cannot be run", f.Name)
}

// capabilities are what templates see as .Capabilities.
func capabilities(s Served) any {
	type kube struct{ Version, GitVersion, Major, Minor string }
	return struct {
		KubeVersion kube
		APIVersions versions
		HelmVersion struct{ Version string }
	}{KubeVersion: kube{s.Version, s.Version, s.Major, s.Minor}, APIVersions: s.APIs}
}

type versions []string

// Has reports whether a version of an API, or a kind of it, is served.
func (v versions) Has(what string) bool {
	for _, one := range v {
		if one == what {
			return true
		}
	}
	return false
}
