package drift

import (
	"strings"
	"testing"

	"moorgate.dev/internal/gate"
)

func TestTheMenuOffersProvenEditsOfEveryKind(t *testing.T) {
	replicas := fieldsOf("spec", "replicas")
	tests := []struct {
		name  string
		drift Drift
		want  gate.Edit
		text  string
	}{
		{"a field that was changed", Drift{Path: replicas, Git: int64(2), Live: int64(5)}, gate.Edit{Path: "spec.replicas", Old: "2", New: "5"}, "- replicas: 2 + replicas: 5"},
		{"a field that was added", Drift{Path: fieldsOf("spec", "minReadySeconds"), Live: int64(9), Added: true}, gate.Edit{Path: "spec.minReadySeconds", New: "9"}, "+ minReadySeconds: 9"},
		{"a field that was removed", Drift{Path: replicas, Git: int64(2), Missing: true}, gate.Edit{Path: "spec.replicas", Old: "2"}, "- replicas: 2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := looked(test.drift)
			a, offered := adoption(l)
			if !offered || len(a.Edits) != 1 || a.Edits[0] != test.want || !strings.HasSuffix(a.Text, test.text) {
				t.Fatalf("got %+v, %q", a, l.proposals[0].why)
			}
		})
	}
}

func TestTheMenuOffersNoEditThatIsNotProven(t *testing.T) {
	for name, d := range map[string]Drift{
		"an addition in flow style":  {Path: fieldsOf("spec", "labels", "image"), Live: "a:1", Added: true},
		"an addition that is hidden": {Path: fieldsOf("spec", "template", "env"), Live: "x", Added: true},
		"a removal in flow style":    {Path: fieldsOf("metadata", "name"), Git: int64(1), Missing: true},
	} {
		if _, offered := adoption(looked(d)); offered {
			t.Errorf("%s is offered", name)
		}
	}
}
