package drift

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ignoreAnnotation on an object in Git names, with commas between them, the fields whose drift is passed over:
// "spec.replicas, /metadata/annotations/example.com~1note". One that begins with a slash is a pattern as in the table.
const ignoreAnnotation = "moorgate.dev/ignore-drift"

// leaves are the annotations in Git by which other tools are told to leave an object as it is.
var leaves = map[string][]string{
	"kustomize.toolkit.fluxcd.io/ssa":       {"ignore", "ifnotpresent"},
	"kustomize.toolkit.fluxcd.io/reconcile": {"disabled"},
	"helm.toolkit.fluxcd.io/driftDetection": {"disabled"},
}

// extraneous are the annotations and words by which other tools are told that what is added is no drift.
var extraneous = map[string]string{
	"kustomize.toolkit.fluxcd.io/ssa":    "merge",
	"argocd.argoproj.io/compare-options": "ignoreextraneous",
}

// left names the annotation by which Git says that an object is to be left as it is in the cluster; empty where none does.
func left(desired *unstructured.Unstructured) string {
	for name, said := range desired.GetAnnotations() {
		for _, word := range leaves[name] {
			if strings.EqualFold(said, word) {
				return name + ": " + said
			}
		}
	}
	return ""
}

// ignored are the rows that Git itself adds to the table for an object.
func ignored(desired *unstructured.Unstructured) ([]row, error) {
	var rows []row
	for name, said := range desired.GetAnnotations() {
		for word := range strings.SplitSeq(said, ",") {
			if want, listed := extraneous[name]; listed && strings.EqualFold(strings.TrimSpace(word), want) {
				rows = append(rows, row{ID: name, Paths: []string{"**"}, When: whenAdded})
			}
		}
	}
	for field := range strings.SplitSeq(desired.GetAnnotations()[ignoreAnnotation], ",") {
		switch field = strings.TrimSpace(field); {
		case field == "":
			continue
		case !strings.HasPrefix(field, "/") && strings.ContainsAny(field, `/[]"`), strings.Trim(field, "/.*") == "":
			return nil, fmt.Errorf("a field that the annotation %s names cannot be read", ignoreAnnotation)
		case !strings.HasPrefix(field, "/"):
			field = strings.ReplaceAll(field, ".", "/")
		}
		rows = append(rows, row{ID: ignoreAnnotation, Paths: []string{field}})
	}
	return rows, nil
}
