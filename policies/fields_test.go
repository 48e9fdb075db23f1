package policies

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

// unhindered is a Guardrail under which a healthy scene is allowed.
const unhindered = `
mode: Automatic
admission: {mode: Enforce}
actions:
- {verb: evict, irreversible: Allow}
- {verb: pull-request}
- {verb: roll-back}
`

// flip shows what a field of Guardrails is for: in one scene, the unhindered Guardrail and the same with this field changed come to
// different ends.
type flip struct {
	before, after string // spec fragments laid over unhindered; they differ in the field alone
	scene         scene
	asks          bool // the field is about asking a model: how it is asked changes, not the answer
	waits         bool // the field is about waiting for a model: how long changes, not the answer
	holds         bool // the field is about holding a delivery: for how long changes, not the answer
	words         bool // the field is words for people: the reason changes, not the answer
}

// flips has every field that an operator may set. One that no row shows is one that no code reads.
var flips = map[string]flip{
	"namespaceSelector.matchLabels":               {before: `{namespaceSelector: {matchLabels: {team: a}}}`, after: `{namespaceSelector: {matchLabels: {team: b}}}`, scene: asked("evict")},
	"namespaceSelector.matchExpressions.key":      {before: selecting("team", "In", "[a]"), after: selecting("env", "In", "[a]"), scene: asked("evict")},
	"namespaceSelector.matchExpressions.operator": {before: selecting("team", "In", "[a]"), after: selecting("team", "NotIn", "[a]"), scene: asked("evict")},
	"namespaceSelector.matchExpressions.values":   {before: selecting("team", "In", "[a]"), after: selecting("team", "In", "[b]"), scene: asked("evict")},

	"mode": {after: `{mode: Propose}`, scene: asked("evict")},

	"thresholds.warnBelow":       {after: `{thresholds: {warnBelow: 91}}`, scene: asked("evict").but(score(90))},
	"thresholds.denyBelow":       {before: `{thresholds: {warnBelow: 95}}`, after: `{thresholds: {warnBelow: 95, denyBelow: 91}}`, scene: asked("evict").but(score(90))},
	"thresholds.confidenceBelow": {after: `{thresholds: {confidenceBelow: 91}}`, scene: asked("evict").but(func(a *gate.Assessment, _ *gate.Facts) { a.Confidence = gate.Known(90) })},
	"thresholds.agreementBelow":  {after: `{thresholds: {agreementBelow: 91}}`, scene: asked("evict").but(func(a *gate.Assessment, _ *gate.Facts) { a.Agreement = gate.Known(90) })},
	"thresholds.historyBelow":    {after: `{thresholds: {historyBelow: 95}}`, scene: asked("evict")},

	"admission.mode":      {after: `{admission: {mode: Warn}}`, scene: asked("admit").but(score(10))},
	"admission.onMissing": {after: `{admission: {mode: Enforce, onMissing: Deny}}`, scene: asked("admit").but(missing)},

	"admission.onAdvice": {after: `{admission: {mode: Enforce, onAdvice: Deny}}`, scene: asked("admit").but(advised)},

	"admission.onFreeze": {before: openWindow(`{mode: Enforce}`), after: openWindow(`{mode: Enforce, onFreeze: Deny}`), scene: asked("admit").but(brings)},

	"admission.onPending":  {before: `{admission: {mode: Enforce, onAdvice: Deny}}`, after: `{admission: {mode: Enforce, onAdvice: Deny, onPending: Retry}}`, scene: asked("admit"), waits: true},
	"admission.pendingFor": {before: `{admission: {mode: Enforce, onAdvice: Deny, onPending: Retry}}`, after: `{admission: {mode: Enforce, onAdvice: Deny, onPending: Retry, pendingFor: 20s}}`, scene: asked("admit"), waits: true},

	"model.ask":                   {before: `{model: {ask: Unsettled}}`, after: `{model: {ask: Never}}`, scene: asked("admit"), asks: true},
	"model.expert":                {before: `{model: {expert: Unsure}}`, after: `{model: {expert: Always}}`, scene: asked("admit"), asks: true},
	"model.tokensPerCase":         {before: `{model: {tokensPerCase: 1000}}`, after: `{model: {tokensPerCase: 999}}`, scene: asked("admit"), asks: true},
	"model.tokensPerNamespaceDay": {before: `{model: {tokensPerNamespaceDay: 1000}}`, after: `{model: {tokensPerNamespaceDay: 999}}`, scene: asked("admit"), asks: true},

	"actions.verb":                 {before: `{actions: [{verb: evict, irreversible: Allow}]}`, after: `{actions: [{verb: roll-back, irreversible: Allow}]}`, scene: asked("evict")},
	"actions.kinds":                {after: `{actions: [{verb: evict, irreversible: Allow, kinds: [Node]}, {verb: pull-request}, {verb: roll-back}]}`, scene: asked("evict")},
	"actions.irreversible":         {after: `{actions: [{verb: evict, irreversible: Ask}, {verb: pull-request}, {verb: roll-back}]}`, scene: asked("evict")},
	"actions.bounds.field":         {before: bound(`{field: memory, max: "5"}`), after: bound(`{field: replicas, max: "5"}`), scene: asked("roll-back")},
	"actions.bounds.min":           {before: bound(`{field: replicas, min: "6"}`), after: bound(`{field: replicas, min: "7"}`), scene: asked("roll-back")},
	"actions.bounds.max":           {before: bound(`{field: replicas, max: "6"}`), after: bound(`{field: replicas, max: "5"}`), scene: asked("roll-back")},
	"actions.bounds.changePercent": {before: bound(`{field: replicas, changePercent: 50}`), after: bound(`{field: replicas, changePercent: 49}`), scene: asked("roll-back")},

	"drift.direction": {after: `{drift: {direction: Revert}}`, scene: asked("pull-request").but(drifted)},
	"drift.hold":      {before: `{drift: {hold: Ask}}`, after: `{drift: {hold: Never}}`, scene: asked("hold").but(approvedBy("ana"))},
	"drift.holdFor":   {before: `{drift: {hold: Ask, holdFor: 1h}}`, after: `{drift: {hold: Ask, holdFor: 59m}}`, scene: asked("hold"), holds: true},
	"drift.adopt":     {after: `{drift: {adopt: Emergency}}`, scene: asked("pull-request").but(drifted)},

	"budgets.total.actions":        {before: budget("total", 2, "1h"), after: budget("total", 1, "1h"), scene: asked("evict").but(spent("open", "other", "other", 30*time.Minute))},
	"budgets.total.window":         {before: budget("total", 1, "30m"), after: budget("total", 1, "31m"), scene: asked("evict").but(spent("open", "other", "other", 30*time.Minute))},
	"budgets.perNamespace.actions": {before: budget("perNamespace", 2, "1h"), after: budget("perNamespace", 1, "1h"), scene: asked("evict").but(spent("open", "shop", "other", 30*time.Minute))},
	"budgets.perNamespace.window":  {before: budget("perNamespace", 1, "30m"), after: budget("perNamespace", 1, "31m"), scene: asked("evict").but(spent("open", "shop", "other", 30*time.Minute))},
	"budgets.perWorkload.actions":  {before: budget("perWorkload", 2, "1h"), after: budget("perWorkload", 1, "1h"), scene: asked("evict").but(spent("open", "shop", "web", 30*time.Minute))},
	"budgets.perWorkload.window":   {before: budget("perWorkload", 1, "30m"), after: budget("perWorkload", 1, "31m"), scene: asked("evict").but(spent("open", "shop", "web", 30*time.Minute))},

	"restraint.minHealthyPercent": {after: `{restraint: {minHealthyPercent: 91}}`, scene: asked("evict").but(func(_ *gate.Assessment, f *gate.Facts) { f.Health = gate.Known(gate.Share{Well: 9, Total: 10}) })},
	"restraint.stormCases":        {after: `{restraint: {stormCases: 10}}`, scene: asked("evict").but(func(_ *gate.Assessment, f *gate.Facts) { f.Storm = gate.Known(10) })},
	"restraint.wait":              {after: `{restraint: {wait: 61m}}`, scene: asked("evict")},
	"restraint.fresh":             {after: `{restraint: {fresh: 59s}}`, scene: asked("evict").but(func(_ *gate.Assessment, f *gate.Facts) { f.Oldest = gate.Known(f.At.Add(-time.Minute)) })},
	"restraint.attempts":          {after: `{restraint: {attempts: 1}}`, scene: asked("evict").but(spent("open", "shop", "web", 2*time.Hour))},
	"restraint.coolDown":          {after: `{restraint: {coolDown: 121m}}`, scene: asked("evict").but(spent("open", "shop", "web", 2*time.Hour))},

	"approval.approvers": {after: `{approval: {approvers: 2}}`, scene: asked("evict").but(approvedBy("ana"))},

	"freeze.reason":   {before: frozen("a", "0 12 * * *", "1h", "UTC"), after: frozen("b", "0 12 * * *", "1h", "UTC"), scene: asked("evict"), words: true},
	"freeze.schedule": {before: frozen("a", "1 12 * * *", "1h", "UTC"), after: frozen("a", "0 12 * * *", "1h", "UTC"), scene: asked("evict")},
	"freeze.duration": {before: frozen("a", "0 11 * * *", "60m", "UTC"), after: frozen("a", "0 11 * * *", "61m", "UTC"), scene: asked("evict")},
	"freeze.timeZone": {before: frozen("a", "0 12 * * *", "30m", "Europe/Berlin"), after: frozen("a", "0 12 * * *", "30m", "UTC"), scene: asked("evict")},

	"silences.namespace": {before: silenced(`namespace: till`), after: silenced(`namespace: shop`), scene: asked("evict")},
	"silences.workload":  {before: silenced(`workload: Deployment/api`), after: silenced(`workload: Deployment/web`), scene: asked("pull-request")},
	"silences.symptom":   {before: silenced(`symptom: ImagePull`), after: silenced(`symptom: CrashLoop`), scene: asked("evict").but(func(_ *gate.Assessment, f *gate.Facts) { f.Symptom = "CrashLoop" })},
	"silences.until":     {before: `{silences: [{until: "2026-11-26T12:00:00Z", by: ana, why: known}]}`, after: `{silences: [{until: "2026-11-26T12:00:01Z", by: ana, why: known}]}`, scene: asked("evict")},
	"silences.by":        {before: silenced(`by: ana`), after: silenced(`by: bo`), scene: asked("evict"), words: true},
	"silences.why":       {before: silenced(`why: known`), after: silenced(`why: ticket 12`), scene: asked("evict"), words: true},

	"pause.reason": {after: `{pause: [{reason: "ana: incident 4711"}]}`, scene: asked("evict")},
}

// elsewhere are the fields that decide about nothing here: a fence in the API server reads them, or the judge does; with the test that shows it.
var elsewhere = map[string]string{
	"approval.serviceAccounts": "TestL18AServiceAccountApprovesOnlyWhereEveryGuardrailListsIt",
	"escalation.receivers":     "TestWhomGuardrailsHaveTold", // by the judge
}

func selecting(key, operator, values string) string {
	return `{namespaceSelector: {matchExpressions: [{key: ` + key + `, operator: ` + operator + `, values: ` + values + `}]}}`
}

func bound(b string) string { return `{actions: [{verb: roll-back, bounds: [` + b + `]}]}` }

func budget(which string, actions int, window string) string {
	all := map[string]any{"total": nil, "perNamespace": nil, "perWorkload": nil}
	for name := range all {
		all[name] = map[string]any{"actions": 1000, "window": "24h"}
	}
	all[which] = map[string]any{"actions": actions, "window": window}
	b, _ := json.Marshal(map[string]any{"budgets": all})
	return string(b)
}

func frozen(reason, schedule, duration, zone string) string {
	return `{freeze: [{reason: ` + reason + `, schedule: "` + schedule + `", duration: ` + duration + `, timeZone: ` + zone + `}]}`
}

// silenced is a silence that lasts, with one field of its own.
func silenced(field string) string {
	fields := []string{field, `until: "2026-11-27T12:00:00Z"`}
	for _, standard := range []string{`by: ana`, `why: known`} {
		if !strings.HasPrefix(field, standard[:3]) {
			fields = append(fields, standard)
		}
	}
	return `{silences: [{` + strings.Join(fields, ", ") + `}]}`
}

// openWindow is a freeze that has begun, under this admission.
func openWindow(admission string) string {
	return `{admission: ` + admission + `, freeze: [{reason: a, schedule: "0 12 * * *", duration: 1h}]}`
}

// drifted is a drift that a person made, nobody knows what for.
func drifted(_ *gate.Assessment, f *gate.Facts) { f.Drift = gate.Known("changed-by-a-person") }

// brings is a rollout of another template, of a workload that is well.
func brings(_ *gate.Assessment, f *gate.Facts) {
	f.Brings, f.Failing = gate.Known(true), gate.Known(false)
}

// missing is a rollout that refers to something that is not there.
func missing(a *gate.Assessment, _ *gate.Facts) {
	a.Score, a.Findings = gate.Known(40), []gate.Finding{{ID: "references", Text: "Secret db is not there", Points: 60, Nature: gate.Pending}}
}

// advised is a rollout that a model speaks against.
func advised(a *gate.Assessment, _ *gate.Facts) {
	a.Score, a.Findings = gate.Known(40), []gate.Finding{{ID: "model", Text: "the new image has no migration", Points: 60, Nature: gate.Advised}}
}

// An allow-list in an API elsewhere was never read by any code.
func TestL02EveryGuardrailFieldFlipsAnOutcome(t *testing.T) {
	fields := specFields(reflect.TypeFor[v1alpha1.GuardrailSpec](), "")
	for _, field := range fields {
		f, shown := flips[field]
		if !shown {
			named(t, field)
			continue
		}
		t.Run(field, func(t *testing.T) {
			was, is := laid(t, f.before), laid(t, f.after)
			if differing := differences("", specOf(t, was), specOf(t, is)); !slices.Equal(differing, []string{field}) {
				t.Fatalf("the two differ in %v", differing)
			}
			before, after := end(t, was, f), end(t, is, f)
			if before == after {
				t.Errorf("both come to %s", before)
			}
		})
	}
	for field := range maps.Keys(flips) {
		if !slices.Contains(fields, field) {
			t.Errorf("%s is no field of Guardrails", field)
		}
	}
}

// named is whether a test of this package shows what a field is for.
func named(t *testing.T, field string) {
	t.Helper()
	test, ok := elsewhere[field]
	if !ok {
		t.Errorf("nothing shows what %s is for", field)
		return
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), "func "+test+"(") {
			return
		}
	}
	t.Errorf("%s is shown by %s, which does not exist", field, test)
}

// specFields names every field below a type that holds a value: budgets.total.window.
func specFields(typ reflect.Type, path string) []string {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct {
		return []string{path}
	}
	var found []string
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		found = append(found, specFields(typ.Field(i).Type, strings.TrimPrefix(path+"."+name, "."))...)
	}
	return found
}

// laid is the unhindered Guardrail with a fragment laid over its spec.
func laid(t *testing.T, fragment string) []byte {
	t.Helper()
	var spec, over map[string]any
	if err := yaml.Unmarshal([]byte(unhindered), &spec); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(fragment), &over); err != nil {
		t.Fatal(err)
	}
	maps.Copy(spec, over)
	return []byte(rail("{name: open}", asJSON(t, spec)))
}

func specOf(t *testing.T, content []byte) any {
	t.Helper()
	parsed, err := Parse("r.yaml", content)
	if err != nil {
		t.Fatal(err)
	}
	return parsed[0].Object["spec"]
}

// differences are the fields in which two specs differ.
func differences(path string, a, b any) []string {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || strings.HasSuffix(path, "matchLabels") {
			break
		}
		var found []string
		for _, name := range slices.Sorted(maps.Keys(union(x, y))) {
			found = append(found, differences(strings.TrimPrefix(path+"."+name, "."), x[name], y[name])...)
		}
		return found
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			break
		}
		var found []string
		for i := range x {
			found = append(found, differences(path, x[i], y[i])...)
		}
		return found
	}
	if reflect.DeepEqual(a, b) {
		return nil
	}
	if entries, ok := b.([]any); ok && a == nil {
		if entry, ok := entries[0].(map[string]any); ok && len(entry) == 1 { // an entry that is this field alone
			path += "." + slices.Collect(maps.Keys(entry))[0]
		}
	}
	return []string{path}
}

func union(a, b map[string]any) map[string]any {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// end is what comes of a scene under a Guardrail.
func end(t *testing.T, content []byte, f flip) string {
	t.Helper()
	p, v := decided(t, content, f.scene)
	said := v.Decision.String()
	if f.words {
		said = asJSON(t, v.Reasons)
	}
	if f.asks {
		return asking(t, p)
	}
	if f.holds {
		return p.HoldFor().String()
	}
	if f.waits {
		on, most := p.OnPending()
		return on.String() + " " + most.String()
	}
	if f.scene.a.Choice[0] == "admit" {
		said = answered(p, v)
	}
	return said
}
