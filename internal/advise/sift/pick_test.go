package sift

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"moorgate.dev/internal/gate"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func cost(all []gate.Evidence) int {
	n := 0
	for _, e := range all {
		n += Cost(e)
	}
	return n
}

func TestEverySourceGetsAFloorAndNoneTakesAll(t *testing.T) {
	evidence := []gate.Evidence{
		{ID: "log", Source: "log of app", Trust: gate.FromLog, At: noon, Text: randomLog(3000)},
		{ID: "pods", Source: "pods", Trust: gate.FromAPI, At: noon, Text: "web-1: CrashLoopBackOff\nweb-2: Running"},
		{ID: "events", Source: "events", Trust: gate.FromEvent, At: noon, Text: "Back-off restarting failed container"},
		{ID: "quota", Source: "ResourceQuotas", Trust: gate.FromAPI, At: noon, Unread: "forbidden"},
	}
	picked, left := Select(Need{Face: gate.FaceRemediate}, evidence, 2000)
	if len(picked) != 4 || cost(picked) > 2000 {
		t.Fatalf("%d items, %d tokens", len(picked), cost(picked))
	}
	if n := textCost(picked[0].Text); n > 1200 || n < 1000 {
		t.Errorf("the log takes %d", n)
	}
	if picked[1].Text != evidence[1].Text || picked[2].Text != evidence[2].Text {
		t.Error("what is short is not whole")
	}
	if len(left) != 1 || !strings.HasPrefix(left[0], "log: ") || picked[0].Left == "" || picked[0].Size != len(evidence[0].Text) {
		t.Errorf("%q", left)
	}
}

// randomLog has lines of many kinds, so that none folds into another.
func randomLog(n int) string {
	var b strings.Builder
	for i := range n {
		word := strings.Map(func(r rune) rune { return 'g' + r - '0' }, fmt.Sprint(i*7919))
		fmt.Fprintf(&b, "%s %s did %s\n", word, word, word)
	}
	return b.String()
}

func TestWhatMattersMostComesFirst(t *testing.T) {
	var evidence []gate.Evidence
	for i := range 40 {
		evidence = append(evidence, gate.Evidence{ID: fmt.Sprint("log-", i), Trust: gate.FromLog, At: noon.Add(time.Duration(i) * time.Minute), Text: strings.Repeat("word ", 30) + fmt.Sprint(i)})
	}
	evidence = append(evidence, gate.Evidence{ID: "state", Trust: gate.FromAPI, Text: "replicas: 3"})
	picked, left := Select(Need{Face: gate.FaceWebhook, Cited: []string{"log-3"}}, evidence, 900)
	ids := make([]string, len(picked))
	for i, e := range picked {
		ids[i] = e.ID
	}
	if !slices.Contains(ids, "state") || !slices.Contains(ids, "log-3") || !slices.Contains(ids, "log-39") || slices.Contains(ids, "log-0") {
		t.Error(ids)
	}
	if len(left) == 0 || !strings.Contains(left[0], "of 40 items of container logs left out: ") {
		t.Errorf("%q", left)
	}
}

func TestSelectInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "n")
		budget := rapid.IntRange(0, 3000).Draw(t, "budget")
		var evidence []gate.Evidence
		for i := range n {
			e := gate.Evidence{ID: fmt.Sprint("e", i), Source: rapid.StringN(0, 20, 60).Draw(t, "source"), At: noon.Add(-time.Duration(i) * time.Hour),
				Trust: rapid.SampledFrom([]gate.Trust{gate.FromAPI, gate.FromLog, gate.FromEvent, gate.FromGit, gate.FromMetric, "", "x"}).Draw(t, "trust")}
			if rapid.Bool().Draw(t, "read") {
				e.Text = drawLog(t)
			} else {
				e.Unread = "forbidden"
			}
			evidence = append(evidence, e)
		}
		need := Need{Face: rapid.SampledFrom([]gate.Face{gate.FaceWebhook, gate.FaceDrift, gate.FaceRemediate, ""}).Draw(t, "face")}
		before := slices.Clone(evidence)
		picked, left := Select(need, evidence, budget)
		if got := cost(picked); got > budget {
			t.Fatalf("%d tokens of %d", got, budget)
		}
		if !slices.Equal(before, evidence) {
			t.Fatal("the evidence was changed")
		}
		if len(picked) < n && len(left) == 0 {
			t.Fatalf("%d of %d, and nothing is said", len(picked), n)
		}
		again, l := Select(need, evidence, budget)
		if !slices.Equal(again, picked) || !slices.Equal(l, left) {
			t.Fatal("picked in two ways")
		}
		at := -1
		for _, p := range picked {
			i := slices.IndexFunc(evidence, func(e gate.Evidence) bool { return e.ID == p.ID })
			if i <= at {
				t.Fatal("not in the order of the evidence")
			}
			at = i
		}
	})
}
