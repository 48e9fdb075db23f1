package gate

import "testing"

func TestAction(t *testing.T) {
	set := func(path, from, to string, bounds ...Bound) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, a *Assessment, f *Facts) {
			a.Choice, f.History = []string{"scale"}, Known(Tally{Cause: "crash", Verb: "scale", Tried: 40, Healed: 40})
			f.Menu[2].Edits = []Edit{{Path: "metadata.labels[x]", New: `"y"`}, {Path: path, Old: from, New: to}}
			if bounds != nil {
				r.Actions[2].Bounds = bounds
			}
		}
	}
	memory := "spec.template.spec.containers[name=app].resources.limits.memory"
	weigh(t, "action", []weighed{
		{"what is allowed by name", func(*Rail, *Assessment, *Facts) {}, Allow, ""},
		{"another verb", func(r *Rail, _ *Assessment, _ *Facts) { r.Actions = r.Actions[1:] }, Deny, `"evict" is not among`},
		{"a pull request that is not allowed", func(r *Rail, a *Assessment, _ *Facts) { a.Choice, r.Actions = []string{"propose"}, r.Actions[:1] }, Deny, "pull-request"},
		{"an annotation needs no entry", func(r *Rail, a *Assessment, _ *Facts) { a.Choice, r.Actions = []string{"mark"}, nil }, Allow, ""},
		{"another kind", func(r *Rail, _ *Assessment, _ *Facts) { r.Actions[0].Kinds = []string{"Job", "Node"} }, Deny, "to Job, Node, not to Pod"},
		{"any kind", func(r *Rail, _ *Assessment, _ *Facts) { r.Actions[0].Kinds = nil }, Allow, ""},
		{"one entry of several", func(r *Rail, _ *Assessment, _ *Facts) {
			r.Actions = []Permitted{{Verb: "evict", Kinds: []string{"Job"}}, {Verb: "evict"}, {Verb: "scale"}}
		}, Allow, ""},
		{"no entry of several", func(r *Rail, _ *Assessment, _ *Facts) {
			r.Actions = []Permitted{{Verb: "evict", Kinds: []string{"Job"}}, {Verb: "scale"}}
		}, Deny, "not to Pod"},
		{"within bounds", set("spec.replicas", "3", "6"), Allow, ""},
		{"no change at all", set("spec.replicas", "3", "3"), Allow, ""},
		{"down to half", set("spec.replicas", "4", "2"), Allow, ""},
		{"to the least", set("spec.replicas", "2", "1"), Allow, ""},
		{"to the most", set("spec.replicas", "5", "10"), Allow, ""},
		{"below the least", set("spec.replicas", "1", "0"), Deny, "at least 1"},
		{"beyond the most", set("spec.replicas", "10", "11"), Deny, "at most 10"},
		{"by more than may be", set("spec.replicas", "3", "7"), Deny, "by more than 100 %"},
		{"down by more than may be", set("spec.replicas", "4", "2", Bound{Field: "replicas", Change: 49}), Deny, "by more than 49 %"},
		{"down by as much as may be", set("spec.replicas", "4", "2", Bound{Field: "replicas", Change: 50}), Allow, ""},
		{"from a value that is not known", set("spec.replicas", "", "3"), Deny, "from absent to 3"},
		{"from anything where the change is not bounded", set("spec.replicas", "", "3", Bound{Field: "replicas", Max: "3"}), Allow, ""},
		{"to a value that is no quantity", set("spec.replicas", "3", `"many"`), Deny, "no quantity"},
		{"to nothing", set("spec.replicas", "3", ""), Deny, "would be absent"},
		{"under a least that is no quantity", set("spec.replicas", "3", "3", Bound{Field: "replicas", Min: "x"}), Deny, "at least x"},
		{"under a most that is no quantity", set("spec.replicas", "3", "3", Bound{Field: "replicas", Max: "x"}), Deny, "at most x"},
		{"a field that is not bounded", set("spec.minReadySeconds", "3", "700"), Allow, ""},
		{"a field whose name ends alike", set("spec.maxreplicas", "3", "700"), Allow, ""},
		{"a path that is the field itself", set("replicas", "3", "11", Bound{Field: "replicas", Max: "10"}), Deny, "at most 10"},
		{"a shorter path", set("memory", `"1Gi"`, `"64Gi"`), Allow, ""},
		{"a field that is written otherwise", set(memory, `"1Gi"`, `"2Gi"`), Allow, ""},
		{"a field that is written otherwise, beyond its bounds", set(memory, `"1Gi"`, `"3Gi"`), Deny, "at most 2Gi"},
		{"a field that is written in quotes, beyond its bounds", set(`a.resources["limits"]["memory"]`, `"1Gi"`, `"3Gi"`), Deny, "at most 2Gi"},
		{"a bound on no field binds them all", set("spec.minReadySeconds", "3", "7", Bound{Max: "5"}), Deny, "labels[x]"},
		{"as part of a whole", set("spec.template.spec.containers[name=app].resources", `{}`, `{"limits":{"memory":"64Gi"}}`), Deny, "as part of"},
		{"as part of a whole that goes", set("spec.template.spec.containers[name=app].resources", `{"limits":{"memory":"1Gi"}}`, ""), Deny, "as part of"},
		{"as part of a list", set("spec.template.spec.containers", ``, `[{"resources":{"limits":{"memory":"64Gi"}}}]`), Deny, "as part of"},
		{"a whole without it", set("spec.template.spec.containers[name=app].env", `[]`, `[{"name":"memory"}]`), Allow, ""},
		{"a whole that cannot be read", set("spec.template.spec.containers[name=app].env", `[]`, `[{`), Deny, "as part of"},
		{"a pod template of which only the hash is shown", set("spec.template", `"5d4"`, `"6f7"`), Deny, "limits[memory] would be set as part of spec.template"},
		{"a pod template of which only the hash is shown has no replicas", set("spec.template", `"5d4"`, `"6f7"`, Bound{Field: "replicas", Max: "3"}), Allow, ""},
		{"a whole of which only the hash is shown", set("spec", `"5d4"`, `"6f7"`, Bound{Field: "replicas", Max: "3"}), Deny, "as part of spec"},
		{"everything", set("", `"5d4"`, `"6f7"`, Bound{Field: "replicas", Max: "3"}), Deny, "as part of"},
	})
}
