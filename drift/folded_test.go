package drift

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"moorgate.dev/internal/source"
	"moorgate.dev/internal/source/render"
)

const oddNumbers = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, annotations: {note: "<&> \u2028 é"}}
spec: {replicas: 2, big: 9007199254740993, huge: 1e40, part: 0.25, none: null, map: {}, list: [], bool: false}
`

func TestWhatIsKeptOfAnObjectOpensAsItWas(t *testing.T) {
	files := map[string][]byte{"web.yaml": []byte(oddNumbers)}
	read, err := source.Read(files, source.Wanted{Namespace: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	k := fold(read[0])
	if k.Desired != nil || !strings.Contains(k.text, "9007199254740993") || k.as != of("apps", "v1", "Deployment") {
		t.Errorf("kept %+v", k)
	}
	first, second := k.unfold(), k.unfold()
	if !reflect.DeepEqual(first, read[0]) {
		t.Errorf("got %v, want %v", first.Desired, read[0].Desired)
	}
	first.Desired.Object["spec"].(map[string]any)["replicas"] = int64(9)
	if !reflect.DeepEqual(second, read[0]) || !reflect.DeepEqual(k.unfold(), read[0]) {
		t.Error("who opens it changes what is kept")
	}
}

func TestWhatCannotBeKeptIsUnknown(t *testing.T) {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "data": math.NaN()}}
	if o := fold(source.Object{Name: source.Name{Kind: "ConfigMap", Name: "a"}, Desired: u}).unfold(); o.Unknown == "" || o.Desired != nil {
		t.Errorf("got %+v", o)
	}
	if o := fold(source.Object{Unknown: "a placeholder"}).unfold(); o.Unknown != "a placeholder" || o.Desired != nil {
		t.Errorf("got %+v", o)
	}
}

// TestAnObjectThatSaysTheSameKeepsItsPast has another commit say the same of one object, in other letters, and something else of another.
func TestAnObjectThatSaysTheSameKeepsItsPast(t *testing.T) {
	manifest := func(name, value string) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\ndata:\n  a: " + value + "\n"
	}
	before := parse(treeOf(map[string]string{"deploy/a.yaml": manifest("a", "x"), "deploy/b.yaml": manifest("b", "x")}), tree{}, "shop", render.Own("deploy"))
	after := parse(treeOf(map[string]string{"deploy/a.yaml": "# moved\n" + manifest("a", `"x"`), "deploy/b.yaml": manifest("b", "y")}), before, "shop", render.Own("deploy"))
	name := func(n string) source.Name { return source.Name{Kind: "ConfigMap", Namespace: "shop", Name: n} }
	if before.unsound != nil || after.unsound != nil || before.past[name("a")] == nil {
		t.Fatal(before.unsound, after.unsound)
	}
	if after.past[name("a")] != before.past[name("a")] || after.past[name("b")] == before.past[name("b")] {
		t.Error("the past of what was not changed is not known any more, or that of what was")
	}
}
