package drift_test

import (
	"strings"
	"testing"
)

// TestWhatFluxLeavesOutDeclaresNothing has a copy of a manifest lie in the folder that Flux delivers. Where Flux leaves it out, the
// manifest beside it is what is compared; where it does not, the object is declared twice and nobody knows what it should be.
func TestWhatFluxLeavesOutDeclaresNothing(t *testing.T) {
	copied := strings.Replace(web, "web:1.4", "web:1.3", 1)
	for name, test := range map[string]struct {
		at, file string
		spec     map[string]any
		status   map[string]any
		compared bool
	}{
		"nothing leaves it out":                                {at: "apps/old/web.yaml"},
		"a file leaves it out":                                 {at: "apps/old/web.yaml", file: "old/\n", compared: true},
		"a file brings it back":                                {at: "apps/old/web.yaml", file: "old/\n!web.yaml\n"},
		"the GitRepository leaves it out":                      {at: "apps/old/web.yaml", spec: map[string]any{"ignore": "/apps/old\n"}, compared: true},
		"the GitRepository brings it back":                     {at: "apps/old/web.yaml", file: "old/\n", spec: map[string]any{"ignore": "!/apps/old/\n"}},
		"what is at hand was made before it was left out":      {at: "apps/old/web.yaml", spec: map[string]any{"ignore": "/apps/old\n"}, status: map[string]any{"observedIgnore": "# nothing\n"}},
		"Flux leaves it out by itself":                         {at: "apps/.github/web.yaml", compared: true},
		"what Flux leaves out by itself, if nothing else does": {at: "apps/.github/web.yaml", file: "old/\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newDelivery(t)
			files := map[string]string{"apps/web.yaml": web, test.at: copied}
			if test.file != "" {
				files[".sourceignore"] = test.file
			}
			commit := s.commit(files)
			spec := map[string]any{}
			for field, value := range test.spec {
				spec[field] = value
			}
			s.gitRepository(spec, commit)
			for field, value := range test.status {
				s.kubectl("", "patch", "gitrepositories.source.toolkit.fluxcd.io/code", "--type=merge", "-p", asJSON(map[string]any{"status": map[string]any{field: value}}))
			}
			s.kustomization("apps", map[string]any{"path": "apps"}, commit, "web")
			s.applied(web)
			s.kubectl("", "scale", "deployment/web", "--replicas=5")
			s.rounds()
			told := s.told()
			if open := s.open(); test.compared != (len(open) == 1) || test.compared == strings.Contains(told, "is declared twice") {
				t.Errorf("Cases %s; told %q", asJSON(open), told)
			}
		})
	}
}
