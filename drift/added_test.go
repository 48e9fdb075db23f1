package drift_test

import (
	"strings"
	"testing"
)

// A dry run sees none of these, because it leaves alone what it does not declare.
func TestWhatAPersonAddsIsDrift(t *testing.T) {
	tests := []struct {
		name, want string
		change     []string
	}{
		{"an environment variable", "containers[name=app].env[name=EXTRA] was added, and Git does not have it (deploy/web.yaml:2)",
			[]string{"set", "env", "deployment/web", "EXTRA=planted"}},
		{"a label", "metadata.labels.tier was added", []string{"label", "deployment/web", "tier=front"}},
		{"a limit", `containers[name=app].resources.limits is {"memory":"64Mi"}, and Git does not have it`,
			[]string{"set", "resources", "deployment/web", "--limits=memory=64Mi"}},
		{"a node selector", "nodeSelector is {", []string{"patch", "deployment/web", "-p", `{"spec":{"template":{"spec":{"nodeSelector":{"disk":"ssd"}}}}}`}},
		{"a toleration", "tolerations was added", []string{"patch", "deployment/web", "-p", `{"spec":{"template":{"spec":{"tolerations":[{"key":"a","operator":"Exists"}]}}}}`}},
		{"a container", "containers[name=side] was added",
			[]string{"patch", "deployment/web", "-p", `{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"registry.example/side:1"}]}}}}`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := deployed(t, web)
			s.kubectl("", test.change...)
			s.round()
			k := s.onlyCase()
			if len(k.Status.Findings) == 0 || k.Status.Findings[0].ID != "field-drift" || !strings.Contains(k.Status.Summary, test.want) {
				t.Errorf("summary %q, want %q; %s", k.Status.Summary, test.want, asJSON(k.Status.Findings))
			}
			if !strings.HasPrefix(k.Status.Owner, "kubectl-") || strings.Contains(asJSON(k), "planted") {
				t.Errorf("got %s", asJSON(k.Status))
			}
		})
	}
}

func TestAnAdditionThatMayBeShownCanBeAdopted(t *testing.T) {
	s := deployed(t, web)
	s.kubectl("", "set", "resources", "deployment/web", "--limits=memory=64Mi")
	s.round()
	k := s.onlyCase()
	if k.Status.Menu[0].ID != "adopt" || !strings.Contains(k.Status.Menu[0].Text, "memory: ") || !strings.Contains(k.Status.Menu[0].Text, "64Mi") {
		t.Errorf("the menu is %s", asJSON(k.Status.Menu))
	}
}
