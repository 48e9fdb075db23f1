package prompts

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"moorgate.dev/internal/advise/sift"
	"moorgate.dev/internal/gate"
)

var update = flag.Bool("update", false, "write the golden files anew")

const boundary = "7Qd2mXw9Lr4TzKc8"

// most is how many tokens a question of each face may cost.
var most = map[gate.Face]int{gate.FaceWebhook: 4000, gate.FaceDrift: 4000, gate.FaceRemediate: 8000}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what was read last; look at the difference, and run the test with -update:\n%s", name, got)
	}
}

func TestPromptsReadAsWeReadThem(t *testing.T) {
	for _, c := range stories() {
		face := c.q.Signal.Face
		r, err := Render(c.q, c.terms, most[face], boundary)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, r.Name+".system.txt", r.System) // the same for all of a face, or this fails
		golden(t, r.Name+"."+c.name+".user.txt", r.User)
		var pretty map[string]any
		if err := json.Unmarshal(r.Schema, &pretty); err != nil {
			t.Fatal(err)
		}
		indented, _ := json.MarshalIndent(pretty, "", "  ")
		golden(t, r.Name+".schema.json", string(indented)+"\n")
		if r.Tokens > most[face] {
			t.Errorf("%s %s: %d tokens", r.Name, c.name, r.Tokens)
		}
	}
}

func TestTokenTable(t *testing.T) {
	for _, c := range stories() {
		r, err := Render(c.q, c.terms, most[c.q.Signal.Face], boundary)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%-12s %-18s system %5d user %5d together %5d of %5d (at most %d)", r.Name, c.name, sift.Tokens(r.System), sift.Tokens(r.User), r.Tokens,
			most[c.q.Signal.Face], sift.AtMost(r.System)+sift.AtMost(r.User))
	}
}

// TestReleasedPromptsNeverChange fails where the words of a version changed: raise its version, in a new file.
func TestReleasedPromptsNeverChange(t *testing.T) {
	var names []string
	for _, pattern := range []string{"*.md", "*.json"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	slices.Sort(names)
	released := map[string]string{}
	table, err := os.ReadFile(filepath.Join("testdata", "released.txt"))
	if err != nil && !*update {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		if name, sum, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			released[name] = sum
		}
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		now := hex.EncodeToString(sum[:])
		switch was, known := released[name]; {
		case !known && *update:
			released[name] = now // a new version; one that was released is never written over
		case !known:
			t.Errorf("%s is not in testdata/released.txt: run the test with -update", name)
		case was != now:
			t.Errorf("%s was released with other words: leave it, and make a file of the next version", name)
		}
	}
	for name := range released {
		if !slices.Contains(names, name) {
			t.Errorf("%s was released and is gone", name)
		}
	}
	if *update {
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(released)) {
			fmt.Fprintf(&b, "%s %s\n", name, released[name])
		}
		if err := os.WriteFile(filepath.Join("testdata", "released.txt"), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
