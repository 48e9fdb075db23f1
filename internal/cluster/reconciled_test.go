package cluster

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func TestWhatFluxSaysOfItself(t *testing.T) {
	for name, tt := range map[string]struct {
		object    string
		suspended bool
		trouble   string
	}{
		"ready":                             {object: `status: {conditions: [{type: Ready, status: "True", reason: Succeeded}]}`},
		"nothing said yet":                  {object: `spec: {url: x}`},
		"under way":                         {object: `status: {conditions: [{type: Ready, status: Unknown, reason: Progressing}]}`},
		"suspended":                         {object: `spec: {suspend: true}`, suspended: true},
		"not ready":                         {object: `status: {conditions: [{type: Ready, status: "False", reason: BuildFailed, message: x}]}`, trouble: "BuildFailed"},
		"not ready, for no reason":          {object: `status: {conditions: [{type: Ready, status: "False"}]}`, trouble: "Ready"},
		"stalled":                           {object: `status: {conditions: [{type: Stalled, status: "True", reason: InvalidURL}]}`, trouble: "InvalidURL"},
		"said of an earlier generation":     {object: "metadata: {generation: 3}\nstatus: {conditions: [{type: Ready, status: \"False\", reason: BuildFailed, observedGeneration: 2}]}"},
		"what makes no sense is left out":   {object: `status: {conditions: [nonsense, {type: 7}]}`},
		"so are conditions that are a text": {object: "spec: {suspend: maybe}\nstatus: {conditions: none}"},
	} {
		suspended, trouble := Reconciled(objectOf(t, tt.object))
		if suspended != tt.suspended || trouble != tt.trouble {
			t.Errorf("%s: %t %q, want %t %q", name, suspended, trouble, tt.suspended, tt.trouble)
		}
	}
}

func TestWhatArgoSaysOfItself(t *testing.T) {
	for object, want := range map[string]string{
		`status: {conditions: [{type: OrphanedResourceWarning}, {type: ComparisonError, message: x}]}`: "ComparisonError",
		`status: {conditions: [{type: OrphanedResourceWarning}]}`:                                      "",
		`spec: {}`: "",
	} {
		if got := SyncTrouble(objectOf(t, object)); got != want {
			t.Errorf("%s: %q, want %q", object, got, want)
		}
	}
}

func objectOf(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	body, err := yaml.YAMLToJSON([]byte("apiVersion: example.com/v1\nkind: Thing\n" + text))
	if err == nil {
		err = u.UnmarshalJSON(body)
	}
	if err != nil {
		t.Fatal(err)
	}
	return u
}
