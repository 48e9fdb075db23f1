package drift

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"moorgate.dev/internal/source/render"
)

func secretOf(t *testing.T, manifest string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(manifest), &u.Object); err != nil {
		t.Fatal(err)
	}
	return u
}

func sealer(t *testing.T) *Sealer {
	t.Helper()
	s, err := NewSealer()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const credentials = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\n"

// TestASealTellsOneValueFromAnotherAndNothingElse has the same value twice in one object, in another object, and in another process.
func TestASealTellsOneValueFromAnotherAndNothingElse(t *testing.T) {
	s := sealer(t)
	seals := func(s *Sealer, namespace, manifest string) map[string]any {
		u, why := s.sealed(secretOf(t, manifest), namespace)
		if why != "" {
			t.Fatal(why)
		}
		data, _, _ := unstructured.NestedMap(u.Object, "data")
		return data
	}
	one := seals(s, "shop", credentials+"stringData: {a: hunter2, b: hunter2}\ndata: {c: aHVudGVyMg==, a: b2xk}\n")
	if len(one) != 3 || one["a"] == one["b"] || one["b"] == one["c"] {
		t.Errorf("the same value of two keys has one seal: %v", one)
	}
	if two := seals(s, "shop", credentials+"data: {a: aHVudGVyMg==}\n"); two["a"] != one["a"] {
		t.Error("the same value in base64 has another seal, or data wins over stringData")
	}
	for name, other := range map[string]map[string]any{"value": seals(s, "shop", credentials+"stringData: {a: hunter3}"), "namespace": seals(s, "bank", credentials+"stringData: {a: hunter2}"),
		"process": seals(sealer(t), "shop", credentials+"stringData: {a: hunter2}"), "object": seals(s, "shop", strings.Replace(credentials, "db", "dc", 1)+"stringData: {a: hunter2}")} {
		if other["a"] == one["a"] {
			t.Errorf("another %s has the same seal", name)
		}
	}
}

func TestWhatGitDoesNotHoldItselfIsNotCompared(t *testing.T) {
	for manifest, want := range map[string]string{
		"stringData: {a: b}\nsops: {mac: x}":                      "encrypted in Git",
		"stringData: {a: 'ENC[AES256_GCM,data:x]'}":               "encrypted in Git",
		"data: {a: 'ENC[AES256_GCM,data:x]'}":                     "encrypted in Git",
		"stringData: {a: '${PASSWORD}'}":                          "with a placeholder in Git",
		"stringData: {a: '<path:kv/data/db#password>'}":           "with a placeholder in Git",
		"stringData: {a: 'ref+vault://db/password'}":              "with a placeholder in Git",
		"data: {a: e3sgLlZhbHVlcyB9fQ==}":                         "with a placeholder in Git",
		"data: {a: hunter2-planted!}":                             "not of the form of a Secret",
		"data: {a: {b: planted}}":                                 "not of the form of a Secret",
		"data: planted":                                           "not of the form of a Secret",
		"stringData: [planted]":                                   "not of the form of a Secret",
		"type: Opaque":                                            "",
		"stringData: {a: 'an ordinary value with { and $ in it'}": "",
	} {
		u, why := sealer(t).sealed(secretOf(t, credentials+manifest), "shop")
		if why != want || (u == nil) != (want != "") {
			t.Errorf("%s: %q, want %q", manifest, why, want)
		}
	}
}

// TestL16NoValueOfASecretIsInWhatIsCompared reads a tree with values in all places that a Secret has for them.
func TestL16NoValueOfASecretIsInWhatIsCompared(t *testing.T) {
	files := map[string][]byte{"deploy/db.yaml": []byte(strings.Replace(credentials, "{name: db}", "{name: db, annotations: {note: planted-note, kubectl.kubernetes.io/last-applied-configuration: planted}}", 1) +
		"stringData: {password: planted-git}\ndata: {token: cGxhbnRlZC1kYXRh}\nplanted: planted\n")}
	made := parse(Tree{Commit: "c", Files: files}, tree{sealer: sealer(t)}, "shop", render.Own("deploy"))
	if made.unsound != nil || len(made.objects) != 1 {
		t.Fatalf("%d objects, %v", len(made.objects), made.unsound)
	}
	if text := made.objects[0].text; strings.Contains(text, "planted") || strings.Contains(text, "cGxhbnRlZ") || text == "" {
		t.Errorf("a value is kept: %s", text)
	}
	if made := parse(Tree{Commit: "c", Files: files}, tree{}, "shop", render.Own("deploy")); len(made.objects) != 0 {
		t.Error("it is compared without being asked for")
	}
}
