package drift

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func annotated(name, value string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetAnnotations(map[string]string{name: value})
	return u
}

func TestWhatGitSaysIsToBePassedOver(t *testing.T) {
	replicas := Drift{Path: fieldAt("spec/replicas"), Live: int64(5)}
	note := Drift{Path: fieldAt("metadata/annotations/example.com~1note"), Live: "x", Added: true}
	tests := []struct {
		name, annotation, value string
		replicas, note, refused bool
	}{
		{"nothing", "example.com/x", "spec.replicas", false, false, false},
		{"a field", ignoreAnnotation, "spec.replicas", true, false, false},
		{"a field that begins alike", ignoreAnnotation, "spec.replica", false, false, false},
		{"all below a field, and a pattern", ignoreAnnotation, "spec , /metadata/annotations/example.com~1*", true, true, false},
		{"what is added, in Argo CD's words", "argocd.argoproj.io/compare-options", "ServerSideDiff=true, IgnoreExtraneous", false, true, false},
		{"what is added, in Flux's words", "kustomize.toolkit.fluxcd.io/ssa", "Merge", false, true, false},
		{"everything", ignoreAnnotation, "/**", false, false, true},
		{"what cannot be read", ignoreAnnotation, `spec.containers[0].image`, false, false, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rows, err := ignored(annotated(test.annotation, test.value))
			passes := func(d Drift) bool {
				for _, r := range rows {
					if r.fits("Deployment", d) {
						return true
					}
				}
				return false
			}
			if (err != nil) != test.refused || passes(replicas) != test.replicas || passes(note) != test.note {
				t.Errorf("rows %+v, %v", rows, err)
			}
		})
	}
}

func TestWhatGitSaysIsToBeLeft(t *testing.T) {
	for _, said := range [][3]string{
		{"kustomize.toolkit.fluxcd.io/ssa", "Ignore", "left"}, {"kustomize.toolkit.fluxcd.io/ssa", "IfNotPresent", "left"},
		{"kustomize.toolkit.fluxcd.io/ssa", "Merge", ""}, {"kustomize.toolkit.fluxcd.io/reconcile", "disabled", "left"},
		{"kustomize.toolkit.fluxcd.io/reconcile", "enabled", ""}, {"helm.toolkit.fluxcd.io/driftDetection", "disabled", "left"}, {"example.com/ssa", "Ignore", ""},
	} {
		if got := left(annotated(said[0], said[1])); (got != "") != (said[2] != "") {
			t.Errorf("%s: %s makes %q", said[0], said[1], got)
		}
	}
}
