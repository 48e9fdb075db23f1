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

// place of an item in a list: it may be another one's tomorrow, so that a pointer to it is about any item.
var index = regexp.MustCompile(`/\d+(/|$)`)

// rows are what the Application that delivers an object adds to the table of what is no drift.
func (y *Delivered) rows(n source.Name) []row {
	var rows []row
	if y == nil {
		return nil
	}
	for _, i := range y.ignores {
		if !i.fits(n) {
			continue
		}
		for _, pointer := range i.JSONPointers {
			if strings.Trim(pointer, "/*.") != "" {
				rows = append(rows, row{ID: "ignoreDifferences", Paths: []string{index.ReplaceAllString(pointer, "/*$1")}})
			}
		}
		if len(i.Managers) > 0 {
			rows = append(rows, row{ID: "ignoreDifferences", Paths: []string{"**"}, Managers: i.Managers})
		}
	}
	return rows
}

// leaves says why an object is left as it is: what its Application passes over is said in a language that is not read here.
func (y *Delivered) leaves(n source.Name) string {
	if y == nil {
		return ""
	}
	for _, i := range y.ignores {
		if i.fits(n) && len(i.JQPathExpressions) > 0 {
			return "ignoreDifferences of " + Title(y.Key()) + " by jq, which is not read here"
		}
	}
	return ""
}
