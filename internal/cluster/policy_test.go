package cluster

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"moorgate.dev/internal/gate"
)

func guardrail(t *testing.T, name, spec string) unstructured.Unstructured {
	t.Helper()
	u := unstructured.Unstructured{Object: map[string]any{}}
	u.SetName(name)
	var s map[string]any
	if err := json.Unmarshal([]byte(spec), &s); err != nil {
		t.Fatal(err)
	}
	u.Object["spec"] = s
	return u
}

// numbers are all that a Guardrail must say, as the schema's defaults say it.
const numbers = `"thresholds":{"warnBelow":80,"denyBelow":50,"confidenceBelow":60,"agreementBelow":67,"historyBelow":80},
"budgets":{"total":{"actions":10,"window":"1h"},"perNamespace":{"actions":3,"window":"1h"},"perWorkload":{"actions":1,"window":"1h"}},
"restraint":{"minHealthyPercent":51,"stormCases":20,"wait":"30s","fresh":"5m","attempts":3,"coolDown":"5m"},"approval":{"approvers":0}`

var thursday = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func TestCompose(t *testing.T) {
	tests := []struct {
		name  string
		specs map[string]string
		check func(t *testing.T, p gate.Policy)
	}{
		{"observes where none applies", map[string]string{"a": `{"namespaceSelector":{"matchLabels":{"env":"dev"}},` + numbers + `}`},
			func(t *testing.T, p gate.Policy) {
				if len(p.Rails) != 1 || p.Rails[0].Mode != gate.Observe || p.Rails[0].Admission != gate.AdmissionObserve {
					t.Errorf("policy %+v", p)
				}
			}},
		{"keeps every Guardrail that applies, by name", map[string]string{"b": `{"mode":"Propose",` + numbers + `}`,
			"a": `{"namespaceSelector":{"matchExpressions":[{"key":"env","operator":"In","values":["prod"]}]},` + numbers + `}`},
			func(t *testing.T, p gate.Policy) {
				if len(p.Rails) != 2 || p.Rails[0].Name != "a" || p.Rails[1].Mode != gate.Propose {
					t.Errorf("policy %+v", p)
				}
			}},
		{"takes a Guardrail with an unknown field for one that holds", map[string]string{"a": `{"maxBlastRadius":3,` + numbers + `}`},
			unreadable("maxBlastRadius")},
		{"takes a Guardrail with an unknown nested field for one that holds", map[string]string{"a": `{"admission":{"mode":"Warn","allowAll":true},` + numbers + `}`},
			unreadable("allowAll")},
		{"takes an unknown mode for one that holds", map[string]string{"a": `{"mode":"YOLO",` + numbers + `}`}, unreadable("YOLO")},
		{"takes an unknown admission mode for one that holds", map[string]string{"a": `{"admission":{"mode":"enforce"},` + numbers + `}`}, unreadable("enforce")},
		{"takes a selector that makes no sense for one that applies and holds", map[string]string{"a": `{"namespaceSelector":{"matchExpressions":[{"key":"env","operator":"Near"}]},` + numbers + `}`},
			unreadable("namespaceSelector")},
		{"takes a Guardrail without a threshold for one that holds", map[string]string{"a": `{}`}, unreadable("warnBelow")},
		{"leaves out a Guardrail that cannot be read and plainly selects others", map[string]string{
			"a": `{"namespaceSelector":{"matchLabels":{"env":"dev"}},"maxBlastRadius":3}`, "b": `{` + numbers + `}`}, func(t *testing.T, p gate.Policy) {
			if len(p.Rails) != 1 || p.Rails[0].Name != "b" {
				t.Errorf("policy %+v", p)
			}
		}},
		{"takes a word of admission that it does not know for one that holds", map[string]string{"a": `{"admission":{"onMissing":"Ignore"},` + numbers + `}`}, unreadable("Ignore")},
		{"carries every field", map[string]string{"a": `{"mode":"Automatic","admission":{"mode":"Enforce","onMissing":"Deny"},"pause":[{"reason":"ana: release"}],` + numbers + `}`},
			func(t *testing.T, p gate.Policy) {
				r := p.Rails[0]
				if r.Mode != gate.Automatic || r.Admission != gate.AdmissionEnforce || !r.DenyPending || len(r.Paused) != 1 ||
					r.WarnBelow != gate.Known(80) || r.DenyBelow != gate.Known(50) || r.ConfidenceBelow != gate.Known(60) {
					t.Errorf("rail %+v", r)
				}
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var all []unstructured.Unstructured
			for name, spec := range tt.specs {
				all = append(all, guardrail(t, name, spec))
			}
			tt.check(t, Compose(all, labels.Set{"env": "prod"}, thursday))
		})
	}
}

func unreadable(word string) func(*testing.T, gate.Policy) {
	return func(t *testing.T, p gate.Policy) {
		t.Helper()
		if len(p.Rails) != 1 || !strings.Contains(p.Rails[0].Unreadable, word) {
			t.Errorf("policy %+v, want one unreadable rail that names %s", p, word)
		}
	}
}

// A Guardrail that cannot be read holds, and says why, once: it makes up no reasons beyond that.
func TestAGuardrailThatCannotBeReadHoldsForThatReasonAlone(t *testing.T) {
	p := Compose([]unstructured.Unstructured{guardrail(t, "a", `{"maxBlastRadius":3}`)}, nil, thursday)
	v := gate.Decide(p, gate.Assessment{Score: gate.Known(100), Confidence: gate.Known(100), Choice: []string{"admit"}},
		gate.Facts{Menu: []gate.Action{{ID: "admit", Verb: "admit", Reach: gate.ReachAnswer}}})
	if v.Decision != gate.Hold || len(v.Reasons) != 1 || v.Reasons[0].Rule != "readable" || p.Refuses(v) || p.Admission() != gate.AdmissionWarn {
		t.Errorf("verdict %+v under %v", v, p.Admission())
	}
}

func TestANamespaceThatNobodyHasSeenIsHeldAndStillGuarded(t *testing.T) {
	all := []unstructured.Unstructured{guardrail(t, "all", `{"admission":{"mode":"Enforce"},`+numbers+`}`),
		guardrail(t, "prod", `{"namespaceSelector":{"matchLabels":{"env":"prod"}},`+numbers+`}`)}
	p := composeUnseen(all, "new", thursday)
	if len(p.Rails) != 2 || p.Rails[0].Name != "all" || p.Rails[1].Unreadable == "" {
		t.Errorf("policy %+v, want the Guardrail of all namespaces and one that holds", p)
	}
	v := gate.Decide(p, gate.Assessment{Score: gate.Known(10), Confidence: gate.Known(100), Choice: []string{"admit"}},
		gate.Facts{Menu: []gate.Action{{ID: "admit", Reach: gate.ReachAnswer}}, Rollback: gate.Known(false), Failing: gate.Known(false)})
	if !p.Refuses(v) {
		t.Errorf("a Guardrail of all namespaces refuses in a new one too: %+v", v)
	}
}

// What a namespace is not labelled with is not known either: a Guardrail for everything but production must not be taken to
// apply to a namespace that may be production.
func TestANamespaceThatNobodyHasSeenIsNotTakenForUnlabelled(t *testing.T) {
	for name, expression := range map[string]string{
		"NotIn":        `{"key":"env","operator":"NotIn","values":["prod"]}`,
		"DoesNotExist": `{"key":"env","operator":"DoesNotExist"}`,
	} {
		t.Run(name, func(t *testing.T) {
			strict := guardrail(t, "strict", `{"namespaceSelector":{"matchExpressions":[`+expression+`]},"admission":{"mode":"Enforce"},`+numbers+`}`)
			for _, r := range composeUnseen([]unstructured.Unstructured{strict}, "new", thursday).Rails {
				if r.Name == "strict" {
					t.Errorf("%s applies to a namespace whose labels nobody knows", r.Name)
				}
			}
		})
	}
	byName := guardrail(t, "by-name", `{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"new"}},`+numbers+`}`)
	if p := composeUnseen([]unstructured.Unstructured{byName}, "new", thursday); p.Rails[0].Name != "by-name" {
		t.Errorf("a Guardrail that selects by name applies at once: %+v", p)
	}
}
