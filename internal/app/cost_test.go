package app

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"moorgate.dev/internal/advise/sift"
	"moorgate.dev/test/openai"
)

// TestWhatAReadinessQuestionCosts reviews every manifest of the gate's stories with a model beside the checks, and counts what a real
// socket was asked: at most 4,000 tokens at the median.
func TestWhatAReadinessQuestionCosts(t *testing.T) {
	stories, err := filepath.Glob("../../test/scenarios/webhook/*/*.txtar")
	if err != nil || len(stories) < 50 {
		t.Fatalf("%d stories, %v", len(stories), err)
	}
	s := openai.Start(openai.Options{Answer: func(openai.Request) openai.Reply {
		return openai.Reply{Content: `{"cause":"sound","findings":[],"choice":["admit"],"score":100,"confidence":90,"unsure":false,"why":"nothing"}`}
	}})
	defer s.Close()
	model := modelFile(t, s, "")
	for _, story := range stories {
		a, err := txtar.ParseFile(story)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		for _, f := range a.Files {
			if strings.HasSuffix(f.Name, ".yaml") && bytes.Contains(f.Data, []byte("template:")) {
				if err := os.WriteFile(filepath.Join(dir, filepath.Base(f.Name)), f.Data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		var out, errs bytes.Buffer
		Main([]string{"review", "-f", dir, "--offline", "--model", model, "-n", "shop"}, &out, &errs) // what it says is for other tests
	}
	var counts []int
	for _, r := range s.Requests() {
		if r.Model == "small" {
			counts = append(counts, sift.Tokens(r.System())+sift.Tokens(r.User()))
		}
	}
	slices.Sort(counts)
	if len(counts) < 50 {
		t.Fatalf("only %d questions", len(counts))
	}
	median, most := counts[len(counts)/2], counts[len(counts)-1]
	t.Logf("%d questions: %d tokens at the median, %d at most", len(counts), median, most)
	if median > 4000 {
		t.Errorf("%d tokens at the median", median)
	}
}
