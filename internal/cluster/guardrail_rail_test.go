package cluster

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"moorgate.dev/internal/gate"
)

// What a Guardrail must say and does not, or says so that nobody can make sense of it, may be what was meant to forbid.
func TestAGuardrailThatLacksANumberHolds(t *testing.T) {
	for _, path := range leaves(t, "", json.RawMessage("{"+numbers+"}")) {
		t.Run(path, func(t *testing.T) {
			u := guardrail(t, "a", "{"+numbers+"}")
			unstructured.RemoveNestedField(u.Object, append([]string{"spec"}, strings.Split(path, ".")...)...)
			want := path
			if strings.HasSuffix(path, ".actions") {
				return // a budget of nothing is one
			}
			unreadable(want)(t, Compose([]unstructured.Unstructured{u}, nil, thursday))
		})
	}
	for _, part := range []string{"thresholds", "budgets", "restraint", "approval", "budgets.total"} {
		u := guardrail(t, "a", "{"+numbers+"}")
		unstructured.RemoveNestedField(u.Object, append([]string{"spec"}, strings.Split(part, ".")...)...)
		unreadable(part)(t, Compose([]unstructured.Unstructured{u}, nil, thursday))
	}
}

func leaves(t *testing.T, path string, raw json.RawMessage) []string {
	t.Helper()
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return []string{path}
	}
	var found []string
	for name, sub := range fields {
		found = append(found, leaves(t, strings.TrimPrefix(path+"."+name, "."), sub)...)
	}
	return found
}

func TestAGuardrailThatMakesNoSenseHolds(t *testing.T) {
	for _, c := range []struct{ path, value, names string }{
		{"thresholds.historyBelow", `101`, "thresholds.historyBelow"},
		{"thresholds.agreementBelow", `-1`, "thresholds.agreementBelow"},
		{"budgets.total.window", `"an hour"`, "budgets.total.window"},
		{"budgets.perNamespace.window", `"25h"`, "budgets.perNamespace.window"},
		{"budgets.perWorkload.actions", `-1`, "budgets.perWorkload.actions"},
		{"restraint.wait", `"29s"`, "restraint.wait"},
		{"restraint.fresh", `"2h"`, "restraint.fresh"},
		{"restraint.coolDown", `"-5m"`, "restraint.coolDown"},
		{"restraint.attempts", `101`, "restraint.attempts"},
		{"restraint.minHealthyPercent", `"51"`, "minHealthyPercent"},
		{"restraint.stormCases", `10001`, "restraint.stormCases"},
		{"approval.approvers", `6`, "approval.approvers"},
		{"drift.direction", `"adopt"`, `drift.direction "adopt"`},
		{"drift.adopt", `"All"`, `drift.adopt "All"`},
		{"admission.onAdvice", `"deny"`, `admission.onAdvice "deny"`},
		{"admission.onFreeze", `"Hold"`, `admission.onFreeze "Hold"`},
		{"admission.onPending", `"Wait"`, `admission.onPending "Wait"`},
		{"admission.pendingFor", `"3m"`, `admission.pendingFor`},
		{"model.ask", `"Sometimes"`, `model.ask "Sometimes"`},
		{"model.expert", `"always"`, `model.expert "always"`},
		{"model.tokensPerCase", `-1`, "model.tokensPerCase"},
		{"model.tokensPerNamespaceDay", `1000000001`, "model.tokensPerNamespaceDay"},
		{"actions", `[{"verb":"exec","irreversible":"Ask"}]`, `actions[0].verb "exec"`},
		{"actions", `[{"verb":"evict"}]`, `actions[0].irreversible ""`},
		{"actions", `[{"verb":"evict","irreversible":"Yes"}]`, `actions[0].irreversible "Yes"`},
		{"actions", `[{"verb":"evict","irreversible":"Ask"},{"verb":"evict","irreversible":"Allow"}]`, "actions[1]: evict is there twice"},
		{"actions", `[{"verb":"evict","irreversible":"Ask","bounds":[{"field":""}]}]`, "actions[0].bounds[0]: field is not set"},
		{"actions", `[{"verb":"evict","irreversible":"Ask","bounds":[{"field":"replicas","min":"-1"}]}]`, "actions[0].bounds[0]: min"},
		{"actions", `[{"verb":"evict","irreversible":"Ask","bounds":[{"field":"replicas","max":"1e9"}]}]`, "actions[0].bounds[0]: max"},
		{"actions", `[{"verb":"evict","irreversible":"Ask","bounds":[{"field":"replicas","changePercent":0}]}]`, "actions[0].bounds[0]: changePercent"},
		{"actions", `[{"verb":"evict","irreversible":"Ask","within":"shop"}]`, "within"},
		{"silences", `[{"until":"2026-02-31T08:00:00Z","by":"ana","why":"known"}]`, "silences[0].until"},
		{"silences", `[{"by":"ana","why":"known"}]`, "silences[0].until"},
		{"silences", `[{"until":"2026-12-01T08:00:00Z","by":"ana"}]`, "silences[0] does not say"},
		{"freeze", `[{"reason":"a","schedule":"@daily","duration":"1h","timeZone":"UTC"}]`, "freeze[0]: schedule"},
		{"freeze", `[{"reason":"a","schedule":"0 0 * * *","duration":"1h","timeZone":"UTC"},{"reason":"b","schedule":"0 0 * * *","duration":"1h","timeZone":"Europe/Atlantis"}]`, "freeze[1]: timeZone"},
		{"freeze", `[{"reason":"a","schedule":"0 0 * * *","duration":"1y","timeZone":"UTC"}]`, "freeze[0]: duration"},
	} {
		t.Run(c.path+" "+c.value, func(t *testing.T) {
			u := guardrail(t, "a", "{"+numbers+"}")
			var value any
			if err := json.Unmarshal([]byte(c.value), &value); err != nil {
				t.Fatal(err)
			}
			if err := unstructured.SetNestedField(u.Object, value, append([]string{"spec"}, strings.Split(c.path, ".")...)...); err != nil {
				t.Fatal(err)
			}
			unreadable(c.names)(t, Compose([]unstructured.Unstructured{u}, nil, thursday))
		})
	}
}

func TestARailSaysAllThatItsGuardrailSays(t *testing.T) {
	const spec = `{"mode":"Automatic","admission":{"mode":"Enforce","onMissing":"Deny","onAdvice":"Deny","onFreeze":"Deny","onPending":"Retry","pendingFor":"20s"},"pause":[{"reason":"ana: release"}],
"silences":[{"namespace":"shop","workload":"Deployment/web","symptom":"CrashLoop","until":"2026-12-01T08:00:00Z","by":"ana","why":"ticket 12"}],
"model":{"ask":"Always","expert":"Always","tokensPerCase":1000,"tokensPerNamespaceDay":2000},
"thresholds":{"warnBelow":81,"denyBelow":51,"confidenceBelow":61,"agreementBelow":71,"historyBelow":91},
"actions":[{"verb":"evict","kinds":["Pod"],"irreversible":"Allow"},{"verb":"roll-back","irreversible":"Ask","bounds":[{"field":"replicas","min":"1","max":"10","changePercent":50}]}],
"budgets":{"total":{"actions":10,"window":"24h"},"perNamespace":{"actions":3,"window":"2h"},"perWorkload":{"actions":1,"window":"1h30m"}},
"restraint":{"minHealthyPercent":52,"stormCases":21,"wait":"31s","fresh":"6m","attempts":4,"coolDown":"7m"},"approval":{"approvers":2},"drift":{"direction":"Revert","adopt":"Any","hold":"Ask","holdFor":"90m"},
"freeze":[{"reason":"noon","schedule":"0 11 * * *","duration":"2h","timeZone":"UTC"},{"reason":"soon","schedule":"30 13 * * *","duration":"5m","timeZone":"Europe/Berlin"},{"reason":"night","schedule":"0 0 * * *","duration":"1h","timeZone":"UTC"}]}`
	got := Compose([]unstructured.Unstructured{guardrail(t, "a", spec)}, nil, thursday).Rails
	want := []gate.Rail{{Name: "a", Mode: gate.Automatic, Admission: gate.AdmissionEnforce, DenyPending: true, DenyAdvised: true, DenyFrozen: true, OnPending: gate.PendingRetry, PendingFor: 20 * time.Second, Paused: []string{"ana: release"},
		Silences:  []gate.Silence{{Namespace: "shop", Workload: "Deployment/web", Symptom: "CrashLoop", Until: time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC), By: "ana", Why: "ticket 12"}},
		Asking:    gate.Asking{Ask: gate.AskAlways, Expert: gate.ExpertAlways, CaseTokens: 1000, NamespaceTokens: 2000},
		WarnBelow: gate.Known(81), DenyBelow: gate.Known(51), ConfidenceBelow: gate.Known(61), AgreementBelow: gate.Known(71), HistoryBelow: gate.Known(91),
		Actions: []gate.Permitted{{Verb: "evict", Kinds: []string{"Pod"}, Irreversible: true},
			{Verb: "roll-back", Bounds: []gate.Bound{{Field: "replicas", Min: "1", Max: "10", Change: 50}}}},
		Budgets: gate.Budgets{Total: gate.Budget{Actions: 10, Window: 24 * time.Hour}, Namespace: gate.Budget{Actions: 3, Window: 2 * time.Hour},
			Workload: gate.Budget{Actions: 1, Window: 90 * time.Minute}},
		Restraint: gate.Restraint{MinHealthy: gate.Known(52), Storm: gate.Known(21), Wait: 31 * time.Second, Fresh: 6 * time.Minute, Attempts: 4, CoolDown: 7 * time.Minute},
		Approvers: gate.Known(2), Drift: gate.Settling{Direction: gate.DirectionRevert, Any: true, HoldFor: 90 * time.Minute},
		Freezes: []gate.Interval{{From: thursday.Add(-time.Hour), To: thursday.Add(time.Hour), Reason: "noon"},
			{From: thursday.Add(30 * time.Minute), To: thursday.Add(35 * time.Minute), Reason: "soon"}}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %s\nwant %s", fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want))
	}
	for i := range reflect.TypeFor[gate.Rail]().NumField() {
		if name := reflect.TypeFor[gate.Rail]().Field(i).Name; name != "Unreadable" && reflect.ValueOf(got[0]).Field(i).IsZero() {
			t.Errorf("nothing here sets %s of a rail", name)
		}
	}
}

// Without a clock nobody knows whether a window is open.
func TestFreezeWindowsHoldWhereTheTimeIsNotKnown(t *testing.T) {
	frozen := guardrail(t, "a", `{`+numbers+`,"freeze":[{"reason":"a","schedule":"0 0 * * *","duration":"1h","timeZone":"UTC"}]}`)
	unreadable("the time is not known")(t, Compose([]unstructured.Unstructured{frozen}, labels.Set{}, time.Time{}))
}
