package policies

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	testcluster "moorgate.dev/test/cluster"
)

// What the API server and its fences refuse, a file is refused for too, under the name of the same field.
func TestL04FilesAreRefusedAsByTheServer(t *testing.T) {
	for _, w := range wrong {
		if w.kind != "Guardrail" {
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			_, err := Parse("rails.yaml", []byte("# one\n---\n"+manifest(w.kind, w.spec)))
			for _, name := range strings.Split(w.names, ", ") {
				field, _, _ := strings.Cut(name[strings.LastIndex(name, ".")+1:], " ")
				refusedNaming(t, err, "", field)
			}
			refusedNaming(t, err, "", "rails.yaml:6: spec.")
		})
	}
}

func TestParseNamesLineAndField(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"every problem at once", "apiVersion: moorgate.dev/v1alpha1\nkind: Guardrail\nmetadata:\n  name: a\nspec:\n  moed: Observe\n  thresholds:\n    warnBelow: high\n",
			"r.yaml:6: spec.moed: unknown field\nr.yaml:8: spec.thresholds.warnBelow: want a whole number"},
		{"a field beside the spec", rail("{name: a}", "{}") + "sepc: {}\n", "r.yaml:5: sepc: unknown field"},
		{"a key that is there twice", rail("{name: a}", "{mode: Observe, mode: Automatic}"), "r.yaml:4: spec.mode: it is there twice"},
		{"no spec", "apiVersion: moorgate.dev/v1alpha1\nkind: Guardrail\nmetadata: {name: a}\n", "r.yaml:1: spec: it is missing"},
		{"no name", rail("{}", "{}"), `r.yaml:3: metadata: name ""`},
		{"an unknown field of the metadata", rail("{name: a, lables: {}}", "{}"), `r.yaml:3: metadata: json: unknown field "lables"`},
		{"a namespace", rail("{name: a, namespace: b}", "{}"), "r.yaml:3: metadata: a Guardrail has no namespace"},
		{"the same name twice", rail("{name: a}", "{}") + "---\n" + rail("{name: a}", "{}"), "r.yaml:6: metadata.name: a is the name of another Guardrail"},
		{"another kind", "apiVersion: moorgate.dev/v1alpha1\nkind: Case\nmetadata: {name: a}\nspec: {}\n", `r.yaml:1: kind: "Case" is not Guardrail`},
		{"another version", "apiVersion: moorgate.dev/v2\nkind: Guardrail\nmetadata: {name: a}\nspec: {}\n", `r.yaml:1: apiVersion: "moorgate.dev/v2" is not moorgate.dev/v1alpha1`},
		{"an alias", rail("{name: a}", "{admission: &a {mode: Warn}, thresholds: *a}"), "r.yaml:4: spec.thresholds: aliases are not followed"},
		{"a merge key", rail("{name: a}", "{<<: {mode: Automatic}}"), "r.yaml:4: spec.<<: "},
		{"nothing where something should be", rail("{name: a}", "{mode: }"), "r.yaml:4: spec.mode: want a string"},
		{"the same pause twice", rail("{name: a}", "{pause: [{reason: a}, {reason: a}]}"), `r.yaml:4: spec.pause[1].reason: "a" is there twice`},
		{"a freeze whose schedule is none", rail("{name: a}", "{freeze: [{reason: a, schedule: '@every 10h', duration: 1h}]}"), `r.yaml:4: spec.freeze[0]: schedule "@every 10h": want five fields`},
		{"a freeze on a day that does not exist", rail("{name: a}", "\n  freeze:\n  - reason: a\n    schedule: 0 0 31 2 *\n    duration: 1h\n"), `r.yaml:6: spec.freeze[0]: schedule "0 0 31 2 *": there is no such day`},
		{"a freeze with its zone in the schedule", rail("{name: a}", "{freeze: [{reason: a, schedule: 'TZ=UTC 0 0 * * *', duration: 1h}]}"), `r.yaml:4: spec.freeze[0]: schedule "TZ=UTC 0 0 * * *": the zone stands in timeZone`},
		{"a freeze in a zone that does not exist", rail("{name: a}", "{freeze: [{reason: a, schedule: 0 0 * * *, duration: 1h, timeZone: Europe/Atlantis}]}"), `r.yaml:4: spec.freeze[0]: timeZone "Europe/Atlantis" is not in the tz database`},
		{"a label that can be none", rail("{name: a}", "{namespaceSelector: {matchLabels: {'a b': c}}}"), `r.yaml:4: spec.namespaceSelector.matchLabels.a b: "a b": name part must consist`},
		{"a value that can be none", rail("{name: a}", "{namespaceSelector: {matchLabels: {a: 'b c'}}}"), `r.yaml:4: spec.namespaceSelector.matchLabels.a: "b c": a valid label must be`},
		{"a label that is asked for and can be none", rail("{name: a}", "{namespaceSelector: {matchExpressions: [{key: a/b/c, operator: Exists}]}}"), `r.yaml:4: spec.namespaceSelector.matchExpressions[0].key: "a/b/c": `},
		{"a value that is asked for and can be none", rail("{name: a}", "{namespaceSelector: {matchExpressions: [{key: a, operator: In, values: [b, 'c ']}]}}"), `r.yaml:4: spec.namespaceSelector.matchExpressions[0].values: "c ": `},
		{"a list", "- a\n", "r.yaml:1: want a mapping"},
		{"not YAML", "a: [", "r.yaml: yaml: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Parse("r.yaml", []byte(c.content))
			if err == nil || !strings.HasPrefix(err.Error(), c.want) || got != nil {
				t.Errorf("got %v and %v\nwant %s", got, err, c.want)
			}
		})
	}
}

func rail(metadata, spec string) string {
	return "apiVersion: moorgate.dev/v1alpha1\nkind: Guardrail\nmetadata: " + metadata + "\nspec: " + spec + "\n"
}

// A file means offline what it means once it is applied: the same object, defaults and all, and so the same policy.
func TestParseReadsWhatTheServerStores(t *testing.T) {
	c := testcluster.Shared(t)
	if err := cluster.Install(t.Context(), c.Config(), charts.Files, cluster.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	h := handOf(t, c.Config())
	files := []string{string(Observe), string(Staging), string(Production)}
	for _, spec := range right {
		files = append(files, rail("{name: stored}", spec))
	}
	for _, file := range files {
		parsed, err := Parse("r.yaml", []byte(file))
		if err != nil || len(parsed) != 1 {
			t.Fatalf("%d Guardrails and %v in\n%s", len(parsed), err, file)
		}
		stored, err := cluster.Decode([]byte(file))
		if err != nil {
			t.Fatal(err)
		}
		if err := h.client.Create(t.Context(), stored[0], client.DryRunAll); err != nil {
			t.Fatal(err)
		}
		if got, want := parsed[0].Object["spec"], stored[0].Object["spec"]; !equality.Semantic.DeepEqual(got, want) {
			t.Errorf("read %v, stored %v", asJSON(t, got), asJSON(t, want))
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The preset says out loud what holds where no Guardrail applies.
func TestObserveIsTheDefault(t *testing.T) {
	parsed, err := Parse("observe.yaml", Observe)
	if err != nil {
		t.Fatal(err)
	}
	got, want := cluster.Compose(parsed, labels.Set{}, time.Time{}), cluster.Default()
	want.Rails[0].Name = "observe"
	if !equality.Semantic.DeepEqual(asJSON(t, got), asJSON(t, want)) {
		t.Errorf("got  %s\nwant %s", asJSON(t, got), asJSON(t, want))
	}
}

// Every rule of the schema is checked offline too, and no rule is that the schema does not have.
func TestEveryRuleOfTheSchemaIsChecked(t *testing.T) {
	schema, err := guardrailSchema()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	var walk func(s props)
	walk = func(s props) {
		for _, v := range s.XValidations {
			found[v.Message] = true
			if celRules[v.Message] == nil {
				t.Errorf("the rule %q is not checked offline", v.Message)
			}
		}
		for _, sub := range s.Properties {
			walk(sub)
		}
		if s.Items != nil {
			walk(*s.Items.Schema)
		}
		if s.Type == "integer" && (s.Minimum == nil) != (s.Maximum == nil) || s.ExclusiveMinimum || s.ExclusiveMaximum || s.MultipleOf != nil || s.Format != "" && s.Format != "int32" ||
			s.MinItems != nil || s.MinProperties != nil || len(s.XListMapKeys) > 1 || s.Not != nil || len(s.AllOf)+len(s.AnyOf)+len(s.OneOf) > 0 || s.Nullable {
			t.Errorf("the schema says something that is not checked offline: %+v", s)
		}
	}
	walk(schema.Properties["spec"])
	if len(found) != len(celRules) {
		t.Errorf("the schema has %d rules, %d are checked", len(found), len(celRules))
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Observe)
	for _, w := range wrong {
		f.Add([]byte(manifest(w.kind, w.spec)))
	}
	for _, spec := range right {
		f.Add([]byte(rail("{name: right}", spec)))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		parsed, err := Parse("fuzz.yaml", content)
		if err != nil {
			return
		}
		for i := range parsed {
			g, err := cluster.ParseGuardrail(&parsed[i])
			if err != nil {
				t.Fatalf("accepted, but unreadable: %v", err)
			}
			at := time.Unix(1_800_000_000, 0)
			if r := cluster.Compose(parsed[i:i+1], nil, at).Rails[0]; r.Unreadable != "" {
				t.Fatalf("accepted, but holds everything: %s in %s", r.Unreadable, asJSON(t, g.Spec))
			}
			if _, err := cluster.Rail(g, at); err != nil || *g.Spec.Thresholds.DenyBelow > *g.Spec.Thresholds.WarnBelow {
				t.Fatalf("accepted, but makes no sense: %v in %s", err, asJSON(t, g.Spec))
			}
		}
	})
}
