package app

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/drift"
)

// TestADiffSaysWhatWasDone has a drift with a pull request, and a Case whose text would move a terminal's cursor or end a table.
func TestADiffSaysWhatWasDone(t *testing.T) {
	const pull = "pull request https://github.com/acme/shop/pull/7 is opened"
	k := &v1alpha1.Case{}
	k.Status.Acting = &v1alpha1.Acting{Phase: v1alpha1.PhaseActed, Text: pull + " \x1b[2J|"}
	s := &drift.Sight{Case: k}
	var text strings.Builder
	writeSight(&text, func(_, s string) string { return s }, time.Unix(0, 0), &place{}, s)
	b, err := json.Marshal(objectJSON(s))
	if err != nil {
		t.Fatal(err)
	}
	for form, said := range map[string]string{"text": text.String(), "json": string(b), "markdown": sightMarkdown(s)} {
		if !strings.Contains(strings.ReplaceAll(said, "\\", ""), "acted: ") || !strings.Contains(said, "pull/7") {
			t.Errorf("as %s it does not say what was done: %s", form, said)
		}
		if strings.Contains(said, "\x1b") {
			t.Errorf("as %s it moves the cursor: %q", form, said)
		}
	}
	if got := doneText(&drift.Sight{Case: &v1alpha1.Case{}}); got != "" {
		t.Errorf("where nothing was done it says %q", got)
	}
}
