package drift

import (
	"regexp"
	"strings"

	"moorgate.dev/internal/source"
)

// argoIgnore is an entry of an Application's ignoreDifferences.
type argoIgnore struct {
	Group             string   `json:"group"`
	Kind              string   `json:"kind"`
	Name              string   `json:"name"`
	Namespace         string   `json:"namespace"`
	JSONPointers      []string `json:"jsonPointers"`
	JQPathExpressions []string `json:"jqPathExpressions"`
	Managers          []string `json:"managedFieldsManagers"`
}

func (i argoIgnore) fits(n source.Name) bool {
	is := func(want, have string) bool { return want == "" || want == "*" || want == have }
	return is(i.Kind, n.Kind) && is(i.Name, n.Name) && is(i.Namespace, n.Namespace) && (i.Group == "*" || i.Group == n.Group)
}

// fluxIgnore is a rule of a Kustomization's spec.ignore: fields that Flux leaves as they are, of all that it applies or of some.
type fluxIgnore struct {
	Paths  []string    `json:"paths"`
	Target *fluxTarget `json:"target"`
}

// fluxTarget says of which objects: by patterns of the whole word, as kustomize has them. Its selectors are not read here.
type fluxTarget struct {
	Group              string `json:"group"`
	Version            string `json:"version"`
	Kind               string `json:"kind"`
	Namespace          string `json:"namespace"`
	Name               string `json:"name"`
	LabelSelector      string `json:"labelSelector"`
	AnnotationSelector string `json:"annotationSelector"`
}

// fits reports whether a rule may be about an object, as far as its name tells. A pattern that is none could be about any.
func (i fluxIgnore) fits(n source.Name) bool {
	is := func(pattern, have string) bool {
		re, err := regexp.Compile("^(?:" + pattern + ")$")
		return pattern == "" || err != nil || re.MatchString(have)
	}
	t := i.Target
	return t == nil || is(t.Group, n.Group) && is(t.Kind, n.Kind) && is(t.Namespace, n.Namespace) && is(t.Name, n.Name)
}

// selects reports whether a rule tells objects apart by what is not read here.
func (i fluxIgnore) selects() bool {
	t := i.Target
	return t != nil && (t.LabelSelector != "" || t.AnnotationSelector != "" || t.Version != "")
}

// place of an item in a list: it may be another one's tomorrow, so that a pointer to it is about any item.
var index = regexp.MustCompile(`/\d+(/|$)`)

// rows are what the Application or the Kustomization that delivers an object adds to the table of what is no drift.
func (y *Delivered) rows(n source.Name) []row {
	var rows []row
	if y == nil {
		return nil
	}
	pointed := func(id string, pointers []string) {
		for _, pointer := range pointers {
			if strings.Trim(pointer, "/*.") != "" {
				rows = append(rows, row{ID: id, Paths: []string{index.ReplaceAllString(pointer, "/*$1")}})
			}
		}
	}
	for _, i := range y.rules {
		if i.fits(n) && !i.selects() {
			pointed("ignore", i.Paths)
		}
	}
	for _, i := range y.ignores {
		if !i.fits(n) {
			continue
		}
		pointed("ignoreDifferences", i.JSONPointers)
		if len(i.Managers) > 0 {
			rows = append(rows, row{ID: "ignoreDifferences", Paths: []string{"**"}, Managers: i.Managers})
		}
	}
	return rows
}

// leaves says why an object is left as it is: what is passed over of it is said in a language that is not read here.
func (y *Delivered) leaves(n source.Name) string {
	if y == nil {
		return ""
	}
	for _, i := range y.ignores {
		if i.fits(n) && len(i.JQPathExpressions) > 0 {
			return "ignoreDifferences of " + Title(y.Key()) + " by jq, which is not read here"
		}
	}
	for _, i := range y.rules {
		if i.fits(n) && i.selects() {
			return "ignore of " + Title(y.Key()) + " by labels, annotations or versions, which are not read here"
		}
	}
	return ""
}
