package remediate

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
	"moorgate.dev/internal/redact/plant"
	"moorgate.dev/remediate/causes"
)

func doorForTests(t *testing.T) *redact.Door {
	t.Helper()
	d, err := redact.New(redact.Options{Key: bytes.Repeat([]byte{7}, redact.KeyBytes)})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// secrets that stand in one line, as whoever logs one writes it.
func secrets(t *testing.T) []plant.Secret {
	t.Helper()
	var all []plant.Secret
	plant.Each(500, func(s plant.Secret) {
		if !strings.ContainsAny(s.Text, "\n\r") && len(s.Text) < 300 {
			all = append(all, s)
		}
	})
	if len(all) < 100 {
		t.Fatalf("only %d secrets", len(all))
	}
	return all
}

// TestACutLogShowsNoHalfOfASecret cuts a log at every place of the line that holds a secret.
func TestACutLogShowsNoHalfOfASecret(t *testing.T) {
	door := doorForTests(t)
	for _, s := range append(secrets(t), plant.Secret{Kind: "short", Text: "DB_PASSWORD=hunter2trombone", Secret: "hunter2trombone"}) {
		rest := "\n" + strings.Repeat("all is well\n", logBytes/12+1)
		for cut := range len(s.Text) {
			log := s.Text[cut:] + rest
			p := &patrol{Watcher: Watcher{Door: door, Logs: func(_ context.Context, _ gate.Ref, _ string, _ bool, n int64) ([]byte, error) {
				return []byte(log[:min(int64(len(log)), n)]), nil
			}}}
			e := p.log(t.Context(), causes.World{Container: "app"}, gate.Ref{})
			if begins := door.Text(e.Text[:1000]); plant.Leaks(begins, s.Secret) || e.Left == "" {
				t.Fatalf("%s, cut at %d: %.80q, left out %q", s.Kind, cut, begins, e.Left)
			}
		}
	}
}

func TestALogOfOneEndlessLineIsUnread(t *testing.T) {
	p := &patrol{Watcher: Watcher{Logs: func(context.Context, gate.Ref, string, bool, int64) ([]byte, error) {
		return bytes.Repeat([]byte("x"), logBytes+1), nil
	}}}
	if e := p.log(t.Context(), causes.World{}, gate.Ref{}); e.Text != "" || !strings.Contains(e.Unread, "longer than 64 KiB") {
		t.Errorf("%.80q, unread %q", e.Text, e.Unread)
	}
	p.Logs = func(context.Context, gate.Ref, string, bool, int64) ([]byte, error) { return []byte("short\n"), nil }
	if e := p.log(t.Context(), causes.World{}, gate.Ref{}); e.Text != "short\n" || e.Left+e.Unread != "" {
		t.Errorf("%+v", e)
	}
}

// TestNotesAndLastMessagesShowNoHalfOfASecret has the secret stand wherever a note or a message is cut, by us or before.
func TestNotesAndLastMessagesShowNoHalfOfASecret(t *testing.T) {
	p := &patrol{Watcher: Watcher{Door: doorForTests(t)}}
	for _, s := range secrets(t) {
		for _, before := range []int{0, maxNotice - 20, maxNotice - 5, maxNotice} {
			note := strings.Repeat("word ", before/5) + s.Text
			if got := p.note(note); plant.Leaks(got, s.Secret) {
				t.Errorf("%s after %d bytes: %q", s.Kind, before, got)
			}
		}
		for cut := range len(s.Text) {
			message := s.Text[cut:] + "\n" + strings.Repeat("all is well\n", messageMost/12) + s.Text[:cut]
			if got := p.Door.Text(lastWords(message)); plant.Leaks(got, s.Secret) {
				t.Fatalf("%s, cut at %d: %q", s.Kind, cut, got)
			}
		}
	}
	if got := lastWords("out of memory"); got != "out of memory" {
		t.Errorf("%q", got)
	}
}

// TestWhatIsElected shows when a plan that stands on a Case is taken over for a cause that no rule knows.
func TestWhatIsElected(t *testing.T) {
	failing := pods(causes.Looping, causes.Well)
	failing[0].Exit, failing[0].Restarts = gate.Known(causes.Exit{Code: 137, Reason: "Error"}), 4
	w := causes.World{Symptom: causes.CrashLoop, Pods: failing, Complete: gate.Known(true), Source: gate.Known(""), Earlier: gate.Known[*causes.Earlier](nil)}
	c, _ := causes.Of(w)
	m := menu(w, c, "")
	rules := causes.Assess(w, m)
	if rules.Cause != gate.CauseOther || m[0].ID != causes.Evict {
		t.Fatalf("cause %s, menu %+v", rules.Cause, m)
	}
	evict := m[0].PlanDigest()
	forged := m[0]
	forged.Target.UID = "forged"
	known := rules
	known.Cause = "application-error"
	inGit := append(menu(w, c, ""), gate.Action{ID: causes.PullRequest, Verb: "pull-request", Reach: gate.ReachGit})
	history := func(n int) gate.Fact[gate.Tally] {
		return gate.Known(gate.Tally{Cause: gate.CauseOther, Verb: cluster.VerbEvict, Tried: n, Healed: n})
	}
	for _, row := range []struct {
		name              string
		rules             gate.Assessment
		facts             gate.Facts
		plan              string
		elected           bool
		score, confidence int
	}{
		{"no plan", rules, gate.Facts{Menu: m}, "", false, 55, 50},
		{"one on the menu", rules, gate.Facts{Menu: m}, evict, true, 55, 50},
		{"one that is not on the menu", rules, gate.Facts{Menu: m}, forged.PlanDigest(), false, 55, 50},
		{"one that reaches Git", rules, gate.Facts{Menu: inGit}, inGit[len(inGit)-1].PlanDigest(), false, 55, 50},
		{"a cause that a rule knows", known, gate.Facts{Menu: m}, evict, false, 55, 50},
		{"ten of ten healed", rules, gate.Facts{Menu: m, History: history(10)}, evict, true, 86, 72},
		{"seventy of seventy healed", rules, gate.Facts{Menu: m, History: history(70)}, evict, true, 97, 94},
		{"what healed for another cause", rules, gate.Facts{Menu: m, History: gate.Known(gate.Tally{Cause: "application-error", Verb: cluster.VerbEvict, Tried: 70, Healed: 70})}, evict, true, 55, 50},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := elected(row.rules, row.facts, row.plan)
			if a.Elected != row.elected || row.elected != (a.Choice[0] == causes.Evict) || a.Score != gate.Known(row.score) || a.Confidence != gate.Known(row.confidence) {
				t.Errorf("%+v", a)
			}
		})
	}
	if fmt.Sprint(rules) != fmt.Sprint(causes.Assess(w, m)) {
		t.Error("the rules' own opinion was changed")
	}
}
