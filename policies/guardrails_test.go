package policies

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	testcluster "moorgate.dev/test/cluster"
)

// wrong are Guardrails and GitSources that nobody may end up with, and what the refusal must name.
var wrong = []struct{ name, kind, spec, names string }{
	{"an unknown field", "Guardrail", `{moed: Automatic}`, "spec.moed"},
	{"two unknown fields", "Guardrail", `{budget: {}, window: 1h}`, "spec.budget, spec.window"},
	{"an unknown threshold", "Guardrail", `{thresholds: {denyBelw: 90}}`, "spec.thresholds.denyBelw"},
	{"an unknown admission switch", "Guardrail", `{admission: {failurePolicy: Fail}}`, "spec.admission.failurePolicy"},
	{"an unknown field of a pause", "Guardrail", `{pause: [{reason: a}, {reason: b, until: tomorrow}]}`, "spec.pause[].until"},
	{"an unknown selector", "Guardrail", `{namespaceSelector: {matchNames: [a]}}`, "spec.namespaceSelector.matchNames"},
	{"an unknown field of a requirement", "Guardrail", `{namespaceSelector: {matchExpressions: [{key: a, operator: Exists, not: true}]}}`, "spec.namespaceSelector.matchExpressions[].not"},
	{"an unknown field of an action", "Guardrail", `{actions: [{verb: evict, only: Pod}]}`, "spec.actions[].only"},
	{"an unknown field of a bound", "Guardrail", `{actions: [{verb: roll-back}, {verb: evict, bounds: [{field: replicas, atMost: "3"}]}]}`, "spec.actions[].bounds[].atMost"},
	{"an unknown budget", "Guardrail", `{budgets: {perPod: {actions: 1, window: 1h}}}`, "spec.budgets.perPod"},
	{"an unknown field of a budget", "Guardrail", `{budgets: {perWorkload: {actions: 1, window: 1h, burst: 2}}}`, "spec.budgets.perWorkload.burst"},
	{"an unknown brake", "Guardrail", `{restraint: {waits: 1m}}`, "spec.restraint.waits"},
	{"an unknown term of approval", "Guardrail", `{approval: {approver: 2}}`, "spec.approval.approver"},
	{"an unknown field of a freeze window", "Guardrail", `{freeze: [{reason: a, schedule: "0 0 * * *", duration: 1h, zone: UTC}]}`, "spec.freeze[].zone"},
	{"an action that does not exist", "Guardrail", `{actions: [{verb: exec}]}`, "spec.actions[0].verb"},
	{"an action without a verb", "Guardrail", `{actions: [{kinds: [Pod]}]}`, "verb"},
	{"the same action twice", "Guardrail", `{actions: [{verb: evict}, {verb: evict}]}`, "spec.actions"},
	{"the same kind twice", "Guardrail", `{actions: [{verb: evict, kinds: [Pod, Pod]}]}`, "kinds"},
	{"the same bound twice", "Guardrail", `{actions: [{verb: evict, bounds: [{field: a}, {field: a}]}]}`, "bounds"},
	{"a bound that is no quantity", "Guardrail", `{actions: [{verb: evict, bounds: [{field: a, max: much}]}]}`, "spec.actions[0].bounds[0].max"},
	{"a bound below nothing", "Guardrail", `{actions: [{verb: evict, bounds: [{field: a, min: "-1"}]}]}`, "spec.actions[0].bounds[0].min"},
	{"a bound that no rule can read", "Guardrail", `{actions: [{verb: evict, bounds: [{field: a, min: "123456789012345678901"}]}]}`, "spec.actions[0].bounds[0].min"},
	{"a change of nothing", "Guardrail", `{actions: [{verb: evict, bounds: [{field: a, changePercent: 0}]}]}`, "spec.actions[0].bounds[0].changePercent"},
	{"another word for irreversible", "Guardrail", `{actions: [{verb: evict, irreversible: true}]}`, "irreversible"},
	{"a budget without a window", "Guardrail", `{budgets: {total: {actions: 1}}}`, "spec.budgets.total.window"},
	{"a budget without a number", "Guardrail", `{budgets: {total: {window: 1h}}}`, "spec.budgets.total.actions"},
	{"a budget below nothing", "Guardrail", `{budgets: {total: {actions: -1, window: 1h}}}`, "spec.budgets.total.actions"},
	{"a budget for longer than the ledger remembers", "Guardrail", `{budgets: {total: {actions: 1, window: 25h}}}`, "window must be between 1m and 24h"},
	{"a budget for an instant", "Guardrail", `{budgets: {perNamespace: {actions: 1, window: 59s}}}`, "window must be between 1m and 24h"},
	{"a budget for a time that is none", "Guardrail", `{budgets: {perWorkload: {actions: 1, window: 1 hour}}}`, "spec.budgets.perWorkload.window"},
	{"more health than there is", "Guardrail", `{restraint: {minHealthyPercent: 101}}`, "spec.restraint.minHealthyPercent"},
	{"a storm of less than nothing", "Guardrail", `{restraint: {stormCases: -1}}`, "spec.restraint.stormCases"},
	{"no time to heal", "Guardrail", `{restraint: {wait: 29s}}`, "wait must be between 30s and 24h"},
	{"stale evidence", "Guardrail", `{restraint: {fresh: 1h1s}}`, "fresh must be between 5s and 1h"},
	{"too many attempts", "Guardrail", `{restraint: {attempts: 101}}`, "spec.restraint.attempts"},
	{"a hold for longer than a day", "Guardrail", `{drift: {hold: Ask, holdFor: 25h}}`, "holdFor must be between 1m and 24h"},
	{"no cool-down", "Guardrail", `{restraint: {coolDown: 4m59s}}`, "coolDown must be between 5m and 24h"},
	{"too many approvers", "Guardrail", `{approval: {approvers: 6}}`, "spec.approval.approvers"},
	{"a person among the ServiceAccounts", "Guardrail", `{approval: {serviceAccounts: [ana]}}`, "spec.approval.serviceAccounts[0]"},
	{"the same ServiceAccount twice", "Guardrail", `{approval: {serviceAccounts: ["system:serviceaccount:a:b", "system:serviceaccount:a:b"]}}`, "spec.approval.serviceAccounts"},
	{"a freeze without a reason", "Guardrail", `{freeze: [{schedule: "0 0 * * *", duration: 1h}]}`, "reason"},
	{"a freeze without a schedule", "Guardrail", `{freeze: [{reason: a, duration: 1h}]}`, "spec.freeze[0].schedule"},
	{"a freeze without an end", "Guardrail", `{freeze: [{reason: a, schedule: "0 0 * * *"}]}`, "spec.freeze[0].duration"},
	{"a freeze for too long", "Guardrail", `{freeze: [{reason: a, schedule: "0 0 * * *", duration: 744h1s}]}`, "duration must be between 1m and 744h"},
	{"the same freeze twice", "Guardrail", `{freeze: [{reason: a, schedule: "0 0 * * *", duration: 1h}, {reason: a, schedule: "0 1 * * *", duration: 1h}]}`, "spec.freeze"},
	{"nothing for a list", "Guardrail", `{actions: {verb: evict}}`, "spec.actions"},
	{"thresholds out of order", "Guardrail", `{thresholds: {warnBelow: 40, denyBelow: 60}}`, "denyBelow must not be above warnBelow"},
	{"a warning below the default denial", "Guardrail", `{thresholds: {warnBelow: 40}}`, "denyBelow must not be above warnBelow"},
	{"an agreement beyond the scale", "Guardrail", `{thresholds: {agreementBelow: 101}}`, "spec.thresholds.agreementBelow"},
	{"a history below the scale", "Guardrail", `{thresholds: {historyBelow: -1}}`, "spec.thresholds.historyBelow"},
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
	`{thresholds: {agreementBelow: 100, historyBelow: 95}, actions: []}`,
	`{mode: Automatic, actions: [{verb: pull-request}, {verb: evict, kinds: [Pod], irreversible: Allow},
	  {verb: roll-back, kinds: [Deployment, StatefulSet], bounds: [{field: replicas, min: "1", max: "10", changePercent: 50}, {field: "resources.limits[memory]", max: 1.5Gi}]}]}`,
	`{budgets: {total: {actions: 0, window: 24h}, perNamespace: {actions: 1000, window: 1m}, perWorkload: {actions: 2, window: 1h30m}}}`,
	`{budgets: {perWorkload: {actions: 2, window: 90s}}, restraint: {minHealthyPercent: 0, stormCases: 0, wait: 24h, fresh: 5s, attempts: 0, coolDown: 5m}}`,
	`{restraint: {fresh: 1h}, approval: {approvers: 2, serviceAccounts: ["system:serviceaccount:ci:bot"]}}`,
	`{freeze: [{reason: nights, schedule: "0 22 * * 1-5", duration: 8h, timeZone: Europe/Berlin}, {reason: year's end, schedule: "0 0 20 12 *", duration: 744h}]}`,
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
	for _, w := range wrong {
		if w.kind != "Guardrail" {
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			u := &unstructured.Unstructured{}
			u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Guardrail"))
			if err := s.admin.client.Get(t.Context(), client.ObjectKeyFromObject(rail), u); err != nil {
				t.Fatal(err)
			}
			var spec any
			if err := yaml.Unmarshal([]byte(w.spec), &spec); err != nil {
				t.Fatal(err)
			}
			u.Object["spec"] = spec
			refusedNaming(t, s.admin.client.Update(t.Context(), u), "", w.names)
		})
	}
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
