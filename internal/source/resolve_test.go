package source

import (
	"reflect"
	"testing"
)

func TestAPathIsFoundAgainByItsText(t *testing.T) {
	live := map[string]any{
		"metadata": map[string]any{"labels": map[string]any{"example.com/team": "x", "a.b": "y", "a": map[string]any{"b": "z"}}, "finalizers": []any{"one", "two"}},
		"spec": map[string]any{"containers": []any{
			map[string]any{"name": "app", "image": "a:1", "ports": []any{map[string]any{"containerPort": int64(80), "protocol": "TCP"}, map[string]any{"containerPort": int64(80), "protocol": "UDP"}}},
			map[string]any{"name": "log", "image": "b:1"}}},
	}
	git := map[string]any{"spec": map[string]any{"ports": []any{map[string]any{"containerPort": int64(90), "hostPort": int64(9)}}}}
	containers := func(name string) Path {
		return Path{{Field: "spec"}, {Field: "containers"}, {Keys: []Key{{Name: "name", Value: name}}}}
	}
	for _, want := range []Path{
		{{Field: "metadata"}, {Field: "labels"}, {Field: "example.com/team"}},
		{{Field: "metadata"}, {Field: "labels"}, {Field: "a.b"}},
		{{Field: "metadata"}, {Field: "labels"}, {Field: "a"}, {Field: "b"}},
		{{Field: "metadata"}, {Field: "finalizers"}, {Value: "two"}},
		containers("log"),
		append(containers("app"), Step{Field: "image"}),
		append(containers("app"), Step{Field: "ports"}, Step{Keys: []Key{{Name: "containerPort", Value: int64(80)}, {Name: "protocol", Value: "UDP"}}}),
		{{Field: "spec"}, {Field: "ports"}, {Keys: []Key{{Name: "containerPort", Value: int64(90)}, {Name: "protocol", Value: "TCP"}}}, {Field: "hostPort"}},
	} {
		if got, err := Resolve(want.String(), live, git); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, %v", want, got, err)
		}
	}
	for _, text := range []string{"", "spec.replicas", "spec.containers[name=none]", "spec.containers[name=app", "spec.containers[name=app].image.x", ".spec", "spec.", "spec.containers[]", "spec..containers"} {
		if got, err := Resolve(text, live, git); err == nil {
			t.Errorf("%q: got %#v", text, got)
		}
	}
}

func TestATextThatTwoFieldsHaveIsRefused(t *testing.T) {
	live := map[string]any{"list": []any{map[string]any{"port": int64(80), "x": "a"}, map[string]any{"port": "80", "x": "b"}}}
	if p, err := Resolve("list[port=80].x", live); err == nil {
		t.Errorf("got %#v", p)
	}
}

func FuzzResolve(f *testing.F) {
	for _, text := range []string{"spec.a", "spec.list[name=x].a", `spec["a.b"]`, "spec.list[0]", "spec.words[=y]", "spec.list[name=x,", "[", "spec.list[name=]"} {
		f.Add(text)
	}
	object := map[string]any{"spec": map[string]any{"a": "1", "a.b": true, "words": []any{"y", "z"}, "list": []any{map[string]any{"name": "x", "a": int64(1)}, map[string]any{"name": "y]", "a": nil}}}}
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := Resolve(text, object); err == nil {
			if _, found := At(object, p); p.String() != text || !found {
				t.Errorf("%q is found as %q (%t)", text, p, found)
			}
		}
	})
}
