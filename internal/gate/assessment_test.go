package gate

import (
	"slices"
	"testing"
)

func TestWeightiest(t *testing.T) {
	findings := []Finding{{ID: "a", Points: 5}, {ID: "b", Points: 30}, {ID: "c", Points: 1, Hard: true}, {ID: "d", Points: 30}, {ID: "e", Points: 2, Hard: true}, {ID: "f", Points: 31}}
	before := slices.Clone(findings)
	var got string
	for _, f := range Weightiest(findings) {
		got += f.ID
	}
	if got != "ecfbda" {
		t.Errorf("order %s", got)
	}
	if !slices.EqualFunc(findings, before, func(a, b Finding) bool { return a.ID == b.ID }) {
		t.Error("the findings themselves were sorted")
	}
}
