package source

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// TestAnOverlayGetsAWordOfItsOwn has layouts in which a base is shared: Plan refuses each, and PlanOver edits the overlay alone or
// refuses by name.
func TestAnOverlayGetsAWordOfItsOwn(t *testing.T) {
	stories, err := filepath.Glob("testdata/overlays/*.txtar")
	if err != nil || len(stories) < 12 {
		t.Fatalf("%d layouts, %v", len(stories), err)
	}
	for _, file := range stories {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			l := readLayout(t, file)
			var shared *Refusal
			if _, err := Plan(l.files, l.roots, l.root, l.ask, nil); !errors.As(err, &shared) || shared.Rule != Shared {
				t.Fatalf("the base is not refused: %v", err)
			}
			c, err := PlanOver(l.files, l.roots, l.root, l.ask, nil)
			if got := outcome(c, err); got != l.gives {
				t.Fatalf("got  %s (%v)\nwant %s", got, err, l.gives)
			}
			if err == nil {
				confirm(t, l, c)
			}
		})
	}
}

func TestAWordOfItsOwnIsOnlyForAFieldThatIsThere(t *testing.T) {
	l := readLayout(t, "testdata/overlays/replicas.txtar")
	for name, a := range map[string]Ask{
		"a field that is added":     {Object: l.ask.Object, Field: Path{{Field: "spec"}, {Field: "paused"}}, Op: Set, Value: true},
		"another operation":         {Object: l.ask.Object, Field: l.ask.Field, Op: Drop},
		"an object that is nowhere": {Object: Name{Kind: "Deployment", Name: "none"}, Field: l.ask.Field, Op: Set, Value: int64(1)},
	} {
		if c, err := PlanOver(l.files, l.roots, l.root, a, nil); err == nil {
			t.Errorf("%s: got %+v", name, c)
		}
	}
}
