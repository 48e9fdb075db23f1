package policies

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	testcluster "moorgate.dev/test/cluster"
)

// wrong are Guardrails and GitSources that nobody may end up with, and what the refusal must name.
var wrong = []struct{ name, kind, spec, names string }{
	{"an unknown field", "Guardrail", `{moed: Automatic}`, "spec.moed"},
	{"two unknown fields", "Guardrail", `{budgets: {}, window: 1h}`, "spec.budgets, spec.window"},
	{"an unknown threshold", "Guardrail", `{thresholds: {denyBelw: 90}}`, "spec.thresholds.denyBelw"},
	{"an unknown admission switch", "Guardrail", `{admission: {failurePolicy: Fail}}`, "spec.admission.failurePolicy"},
	{"an unknown field of a pause", "Guardrail", `{pause: [{reason: a}, {reason: b, until: tomorrow}]}`, "spec.pause[].until"},
	{"an unknown selector", "Guardrail", `{namespaceSelector: {matchNames: [a]}}`, "spec.namespaceSelector.matchNames"},
	{"an unknown field of a requirement", "Guardrail", `{namespaceSelector: {matchExpressions: [{key: a, operator: Exists, not: true}]}}`, "spec.namespaceSelector.matchExpressions[].not"},
	{"thresholds out of order", "Guardrail", `{thresholds: {warnBelow: 40, denyBelow: 60}}`, "denyBelow must not be above warnBelow"},
	{"a warning below the default denial", "Guardrail", `{thresholds: {warnBelow: 40}}`, "denyBelow must not be above warnBelow"},
	{"a threshold beyond the scale", "Guardrail", `{thresholds: {confidenceBelow: 101}}`, "spec.thresholds.confidenceBelow"},
	{"a mode that does not exist", "Guardrail", `{mode: Autopilot}`, "spec.mode"},
	{"a pause without a reason", "Guardrail", `{pause: [{reason: ""}]}`, "reason"},
	{"values with Exists", "Guardrail", `{namespaceSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}`, "values goes with the operators In and NotIn"},
	{"an unknown field", "GitSource", `{url: "https://git.invalid/a", interval: 1m}`, "spec.interval"},
	{"a path out of the repository", "GitSource", `{url: "https://git.invalid/a", path: a/../../b}`, "path must stay inside"},
}

// right are Guardrails that use every field at every level.
var right = []string{
	`{}`,
	`{mode: Approve, thresholds: {warnBelow: 60, denyBelow: 60, confidenceBelow: 0}, admission: {mode: Enforce, onMissing: Deny}}`,
	`{pause: [{reason: a}, {reason: b}], namespaceSelector: {matchLabels: {team.example/a: b}, matchExpressions: [{key: a, operator: In, values: [b, c]}]}}`,
}

func TestL04WrongObjectsAreRefusedByName(t *testing.T) {
	c := testcluster.Shared(t)
	if err := cluster.Install(t.Context(), c.Config(), charts.Files, cluster.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	h := handOf(t, c.Config())
	for _, w := range wrong {
		manifest := manifest(w.kind, w.spec)
		t.Run("client-go: "+w.kind+" with "+w.name, func(t *testing.T) {
			objects, err := cluster.Decode([]byte(manifest))
			if err != nil {
				t.Fatal(err)
			}
			refusedNaming(t, h.client.Create(t.Context(), objects[0], client.FieldValidation("Ignore")), "", w.names)
			err = h.client.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(objects[0]), client.FieldOwner("test"))
			refusedNaming(t, err, "", w.names)
		})
		for _, validate := range []string{"ignore", "strict"} {
			t.Run("kubectl --validate="+validate+": "+w.kind+" with "+w.name, func(t *testing.T) {
				cmd := c.Kubectl(t.Context(), "apply", "--validate="+validate, "-f", "-")
				cmd.Stdin = strings.NewReader(manifest)
				said, err := cmd.CombinedOutput()
				refusedNaming(t, err, string(said), w.names)
			})
		}
	}
	for i, spec := range right {
		t.Run(fmt.Sprintf("right %d", i), func(t *testing.T) {
			cmd := c.Kubectl(t.Context(), "apply", "--validate=strict", "--dry-run=server", "-f", "-")
			cmd.Stdin = bytes.NewReader([]byte(manifest("Guardrail", spec)))
			if said, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("refused: %s", said)
			}
		})
	}
}

// An object that was fine cannot be made wrong later.
func TestL04UpdatesAreRefusedByName(t *testing.T) {
	s := newStage(t)
	var rail client.Object
	for _, obj := range s.furniture() {
		if obj.GetName() == "fences-test" {
			rail = obj
		}
	}
	refusedNaming(t, patch(rail, `{"spec":{"thresholds":{"denyBelw":1}}}`)(t.Context(), s.admin), "", "spec.thresholds.denyBelw")
	refusedNaming(t, patch(rail, `{"spec":{"thresholds":{"denyBelow":99}}}`)(t.Context(), s.admin), "", "denyBelow")
}

func manifest(kind, spec string) string {
	return "apiVersion: moorgate.dev/v1alpha1\nkind: " + kind + "\nmetadata: {name: wrong, namespace: " + map[string]string{"GitSource": "default"}[kind] + "}\nspec: " + spec + "\n"
}

func refusedNaming(t *testing.T, err error, said, names string) {
	t.Helper()
	if err == nil {
		t.Error("it was accepted")
		return
	}
	for _, name := range strings.Split(names, ", ") {
		if strings.Contains(err.Error()+said, name) {
			continue
		}
		t.Errorf("the refusal does not name %q: %v %s", name, err, said)
	}
}
