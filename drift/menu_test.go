package drift

import (
	"fmt"
	"strings"
	"testing"
)

// TestMoreFieldsThanACaseTellsOfAreNotAdopted has an emergency fix of as many fields as a Case tells of, and of one more.
func TestMoreFieldsThanACaseTellsOfAreNotAdopted(t *testing.T) {
	for n, offered := range map[int]bool{mostEdits: true, mostEdits + 1: false} {
		l := &look{intention: intention{intent: IntentEmergency, sure: 90}, proposals: make([]proposal, n)}
		for i := range n {
			l.drifts = append(l.drifts, Drift{Path: fieldsOf("spec", fmt.Sprint("field", i)), Live: int64(i), Owner: Owner{Manager: "kubectl-edit", Party: Person}})
		}
		_, is := adoption(l)
		a := assess(l)
		if is != offered || (len(a.Choice) == 1) != offered || !offered && !strings.HasPrefix(a.Silent, "9 fields differ") {
			t.Errorf("of %d fields: offered %t, %+v", n, is, a)
		}
	}
}
