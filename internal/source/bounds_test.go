package source

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestAliasesThatBlowUpAreRefused(t *testing.T) {
	nested := "a0: &a0 [" + strings.Repeat("x, ", 7) + "x]\n"
	for i := range 8 {
		nested += fmt.Sprintf("a%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 7), i)
	}
	tests := []struct{ name, document, want string }{
		{"a long text many times", "x: &a " + strings.Repeat("A", 100_000) + "\ny: [" + strings.Repeat("*a, ", 3999) + "*a]\n", "its aliases make more than"},
		{"aliases of aliases", nested, "its aliases make more than"},
		{"an alias that holds itself", "a: &a [*a]\n", "it"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := toJSON([]byte(test.document))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
		})
	}
	if _, err := toJSON([]byte("x: &a {k: v}\ny: {<<: *a, z: *a}\n")); err != nil {
		t.Fatalf("aliases as people use them: %v", err)
	}
}

func TestReadEndsAtTheMost(t *testing.T) {
	files := map[string][]byte{"a.yaml": []byte("apiVersion: v1\nkind: X\nmetadata: {name: a}\n---\napiVersion: v1\nkind: X\nmetadata: {name: b}\n---\napiVersion: v1\nkind: Z\nmetadata: {name: c}\n")}
	kinds := []schema.GroupKind{{Kind: "X"}}
	for most, want := range map[int]string{1: "more than 1 objects", 2: ""} {
		objects, err := Read(files, Wanted{Namespace: "shop", Kinds: kinds, Most: most})
		if want == "" && (err != nil || len(objects) != 3 || objects[2].Desired != nil) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("at most %d: %d objects, %v", most, len(objects), err)
		}
	}
	files["b.yaml"] = []byte("apiVersion: v1\nkind: X\nmetadata: {name: a, namespace: other}\n")
	objects, err := Read(files, Wanted{Namespace: "shop", Kinds: kinds, Most: 2})
	if err != nil || len(objects) != 4 || objects[3].Desired != nil || objects[3].Namespace != "other" {
		t.Errorf("what belongs elsewhere is told of and not kept: %v, %v", objects, err)
	}
}

func TestReadTellsAFewProblemsOnly(t *testing.T) {
	files := map[string][]byte{"a.yaml": []byte(strings.Repeat("---\napiVersion: v1\nkind: X\nmetadata: {name: a}\n", 1000))}
	_, err := Read(files, Wanted{Namespace: "shop"})
	if err == nil || strings.Count(err.Error(), "\n") != mostProblems || !strings.Contains(err.Error(), "and more") {
		t.Errorf("got %d problems", strings.Count(err.Error(), "\n"))
	}
}
