package drift

import (
	"slices"
	"testing"
)

// What people added is found by who owns it, and nothing else is: what Git declares, what whoever delivers or a controller owns too,
// and what nobody owns.
func TestAdditionsAreWhatPeopleOwnAndGitDoesNotDeclare(t *testing.T) {
	const declared = `{"f:spec":{"f:containers":{"k:{\"name\":\"app\"}":{".":{},"f:name":{},"f:image":{},
		"f:env":{"k:{\"name\":\"A\"}":{".":{},"f:name":{},"f:value":{}}},
		"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{},"f:protocol":{}}}}}}}`
	const person = `{"f:metadata":{"f:annotations":{"f:team":{}},"f:finalizers":{".":{},"v:\"example.com/x\"":{}}},
		"f:spec":{"f:paused":{},"f:gone":{},"f:shared":{},"f:nodeSelector":{},"f:tuning":{"f:a":{}},
		"f:containers":{"k:{\"name\":\"app\"}":{"f:image":{},
			"f:env":{"k:{\"name\":\"A\"}":{"f:value":{}},"k:{\"name\":\"C\"}":{".":{},"f:name":{},"f:value":{}}},
			"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{"f:name":{}}}},
			"k:{\"name\":\"debug\"}":{".":{},"f:name":{},"f:image":{}}}}}`
	app := map[string]any{"name": "app", "image": "a:2", "env": list(map[string]any{"name": "A", "value": "1"}, map[string]any{"name": "C", "value": "3"}),
		"ports": list(map[string]any{"containerPort": int64(80), "protocol": "TCP", "name": "web"})}
	live := deploymentWith(map[string]any{"paused": true, "shared": true, "nodeSelector": map[string]any{"disk": "ssd"}, "defaulted": "by the API server",
		"tuning":     map[string]any{"a": int64(1), "b": "defaulted"},
		"containers": list(app, map[string]any{"name": "debug", "image": "d:1", "pullPolicy": "defaulted"})},
		managed("kubectl-edit", "Update", "", person, 5), managed("kustomize-controller", "Apply", "", `{"f:spec":{"f:shared":{}}}`, 1),
		managed("kubectl-edit", "Update", "status", `{"f:spec":{"f:hidden":{}}}`, 2))
	metadata := live.Object["metadata"].(map[string]any)
	metadata["annotations"], metadata["finalizers"] = map[string]any{"team": "shop"}, list("example.com/x")
	set, err := fields(managed("dry", "Apply", "", declared, 6))
	if err != nil {
		t.Fatal(err)
	}
	drifts, err := additions(live, set)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range drifts {
		if !d.Added || d.Owner.Manager != "kubectl-edit" || d.Git != nil {
			t.Errorf("%+v", d)
		}
		got = append(got, d.Path.String()+" "+asJSON(d.Live))
	}
	slices.Sort(got)
	want := []string{
		`metadata.annotations.team "shop"`,
		`metadata.finalizers ["example.com/x"]`,
		`spec.containers[name=app].env[name=C] {"name":"C","value":"3"}`,
		`spec.containers[name=app].ports[containerPort=80,protocol=TCP].name "web"`,
		`spec.containers[name=debug] {"image":"d:1","name":"debug"}`,
		`spec.nodeSelector {"disk":"ssd"}`,
		`spec.paused true`,
		`spec.tuning {"a":1}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("found\n%q\nwant\n%q", got, want)
	}
}
