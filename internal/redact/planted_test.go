package redact

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"moorgate.dev/internal/redact/plant"
)

// TestPlantedSecretsAreNeverSeen plants ten thousand secrets.
func TestPlantedSecretsAreNeverSeen(t *testing.T) {
	d := door(t)
	seen, all, total := map[string]int{}, map[string]int{}, 0
	plant.Each(10_000, func(s plant.Secret) {
		got := d.Text(s.Text)
		all[s.Kind]++
		total++
		if plant.Leaks(got, s.Secret) {
			if seen[s.Kind]++; seen[s.Kind] <= 3 {
				t.Errorf("%s: %q\nbecame %q", s.Kind, s.Text, got)
			}
		}
	})
	for name, n := range seen {
		t.Errorf("%s: %d of %d were seen", name, n, all[name])
	}
	t.Logf("%d secrets of %d kinds", total, plant.Kinds())
}

// TestObjectsShowNoValueThatMayBeSecret plants words that no pattern knows, each where it is masked by its place.
func TestObjectsShowNoValueThatMayBeSecret(t *testing.T) {
	d := door(t)
	word := func(i int) string { return fmt.Sprintf("swordfish%02d", i) }
	container := func(i int) map[string]any {
		return map[string]any{"name": "app", "image": "shop/web:1.4", "command": []any{"serve", word(i)}, "args": []any{word(i + 1)},
			"env": []any{map[string]any{"name": "GREETING", "value": word(i + 2)},
				map[string]any{"name": "DB", "valueFrom": map[string]any{"secretKeyRef": map[string]any{"name": "db", "key": "url"}}}},
			"livenessProbe": map[string]any{"exec": map[string]any{"command": []any{word(i + 3)}}, "httpGet": map[string]any{"path": "/healthz",
				"httpHeaders": []any{map[string]any{"name": "X", "value": word(i + 4)}}}}}
	}
	object := map[string]any{"kind": "Pod", "metadata": map[string]any{"name": "web-1", "managedFields": []any{map[string]any{"manager": word(90)}},
		"annotations": map[string]any{"note": word(91), "deployment.kubernetes.io/revision": "3"}},
		"spec": map[string]any{"containers": []any{container(0)}, "initContainers": []any{container(10)}},
		"data": map[string]any{"config.yaml": word(92), "nested": map[string]any{"x": word(93)}, "n": int64(7)}, "stringData": map[string]any{"k": word(94)}}
	before, _ := json.Marshal(object)
	got, err := json.Marshal(d.Object(object))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(got), "swordfish") {
		t.Errorf("%s", got)
	}
	for _, needed := range []string{`"name":"GREETING"`, `"image":"shop/web:1.4"`, `"key":"url"`, `"path":"/healthz"`, `"deployment.kubernetes.io/revision":"3"`, `"name":"web-1"`} {
		if !strings.Contains(string(got), needed) {
			t.Errorf("%s is gone from %s", needed, got)
		}
	}
	if after, _ := json.Marshal(object); string(after) != string(before) {
		t.Error("the object itself was changed")
	}
}
