package cluster

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

// A Guardrail is read anew whenever it is another one, or the same in another version; one that does not say which it is, as from
// a file, is always.
func TestAChangedGuardrailIsReadAnew(t *testing.T) {
	seen := &Parsed{}
	modeOf := func(uid types.UID, version, mode string) string {
		u := guardrail(t, "rail", fmt.Sprintf(`{"mode":%q,%s}`, mode, numbers))
		u.SetUID(uid)
		u.SetResourceVersion(version)
		rail, err := seen.of(&u).rail(thursday)
		if err != nil {
			return "cannot be read"
		}
		return rail.Mode.String()
	}
	for _, step := range []struct {
		uid           types.UID
		version, mode string
		want          string
	}{
		{"a", "1", "Observe", "Observe"},
		{"a", "1", "Propose", "Observe"}, // which no API server would say: it was remembered
		{"a", "2", "Propose", "Propose"},
		{"b", "2", "Approve", "Approve"},
		{"a", "3", "Never", "cannot be read"},
		{"a", "4", "Approve", "Approve"},
		{"", "4", "Observe", "Observe"},
		{"", "4", "Propose", "Propose"},
		{"a", "", "Observe", "Observe"},
		{"a", "", "Propose", "Propose"},
	} {
		if got := modeOf(step.uid, step.version, step.mode); got != step.want {
			t.Errorf("%+v: %s", step, got)
		}
	}
	for i := range 2 * parsedMax {
		if modeOf("c", fmt.Sprint(i), "Observe"); len(seen.kept) > parsedMax {
			t.Fatalf("%d readings are remembered", len(seen.kept))
		}
	}
	if (*Parsed)(nil).of(new(guardrail(t, "rail", `{`+numbers+`}`))).err != nil {
		t.Error("a nil Parsed reads too")
	}
}
