package drift

import (
	"encoding/json"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestOnlyCustomResourcesAreNamed(t *testing.T) {
	for text, want := range map[string]bool{"Certificate.cert-manager.io": true, "HTTPRoute.gateway.networking.k8s.io": true, "Machine.cluster.x-k8s.io": true,
		"Secret": false, "": false, ".": false, "Deployment.apps": false, "Role.rbac.authorization.k8s.io": false, "Guardrail.moorgate.dev": false, ".example.com": false} {
		if _, err := ParseKinds([]string{text}); (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestWhatIsMissingIsFilledIn(t *testing.T) {
	var schema, value map[string]any
	for text, into := range map[string]*map[string]any{
		`{"properties":{"mode":{"default":"slow"},"deep":{"default":{"n":1}},"parts":{"items":{"properties":{"size":{"default":2}}}},"by":{"additionalProperties":{"properties":{"x":{"default":true}}}}}}`: &schema,
		`{"mode":"fast","parts":[{"name":"a"},{"size":5}],"by":{"k":{}}}`: &value} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	fill(schema, value)
	if got, want := asJSON(value), `{"by":{"k":{"x":true}},"deep":{"n":1},"mode":"fast","parts":[{"name":"a","size":2},{"size":5}]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if n, _, _ := unstructured.NestedInt64(value, "deep", "n"); n != 1 {
		t.Error("a whole number has a fraction")
	}
	fill(nil, value)
}
