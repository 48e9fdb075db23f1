package causes

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"moorgate.dev/internal/gate"
)

func failing(n int, exits ...Exit) []Pod {
	var pods []Pod
	for i := range n {
		p := Pod{Ref: gate.Ref{Kind: "Pod", Name: "web-" + string(rune('a'+i))}, Controller: "ReplicaSet", State: Looping, Restarts: 3,
			Exit: gate.Unknown[Exit]("nobody said")}
		if len(exits) > 0 {
			p.Exit = gate.Known(exits[i%len(exits)])
		}
		pods = append(pods, p)
	}
	return pods
}

func world(pods []Pod) World {
	return World{At: noon, Symptom: CrashLoop, Root: gate.Ref{Kind: "Deployment", Name: "web", UID: "u"}, Container: "app", Pods: pods, Complete: gate.Known(true),
		Source: gate.Known(""), Earlier: gate.Known[*Earlier](nil), Evidence: []gate.Evidence{{ID: EvidencePods}, {ID: EvidenceWorkload}, {ID: EvidenceRevisions}}}
}

func TestCauses(t *testing.T) {
	failed, killed, oom := Exit{Code: 1, Reason: "Error"}, Exit{Code: 137, Reason: "Error"}, Exit{Code: 137, Reason: "OOMKilled"}
	for name, c := range map[string]struct {
		pods []Pod
		want string
		says string
	}{
		"a program that ends with an error":    {failing(5, failed), "application-error", "container app ends with exit code 1 in 5 of 5 pods of Deployment/web; up to 3 restarts"},
		"a crash by a signal of its own":       {failing(1, Exit{Code: 139, Reason: "Error"}), "application-error", "exit code 139"},
		"a kill for its memory":                {failing(2, oom), "out-of-memory", "no limit of its own"},
		"a kill by nobody knows whom":          {failing(2, killed), "other", "was killed (exit code 137, Error)"},
		"a shutdown by nobody knows whom":      {failing(2, Exit{Code: 143, Reason: "Error"}), "other", "was killed (exit code 143, Error)"},
		"a program that never started":         {failing(2, Exit{Code: 128, Reason: "StartError"}), "other", "exit code 128 (StartError)"},
		"a status that does not say":           {failing(2), "other", "its status does not tell"},
		"pods that end in different ways":      {failing(4, failed, oom), "other", "or"},
		"pods most of which run out of memory": {failing(3, oom, failed, oom), "out-of-memory", "2 of 3 pods"},
	} {
		t.Run(name, func(t *testing.T) {
			a := Assess(world(c.pods), nil)
			if a.Cause != c.want || !strings.Contains(a.Findings[0].Text, c.says) {
				t.Errorf("the cause is %q: %s", a.Cause, a.Findings[0].Text)
			}
		})
	}
}

func TestALimitIsTold(t *testing.T) {
	pods := failing(1, Exit{Code: 137, Reason: "OOMKilled"})
	pods[0].Limited, pods[0].Limit = true, "64Mi"
	if text := Assess(world(pods), nil).Findings[0].Text; !strings.Contains(text, "(limit 64Mi)") {
		t.Error(text)
	}
}

func TestChoices(t *testing.T) {
	failed, oom := Exit{Code: 1, Reason: "Error"}, Exit{Code: 137, Reason: "OOMKilled"}
	one := append(failing(1, failed), Pod{State: Well})
	for name, c := range map[string]struct {
		pods []Pod
		menu []string
		want string
	}{
		"goes back when every pod fails":                {failing(3, failed), []string{RollBack, Escalate}, RollBack},
		"proposes it where Git owns the manifest":       {failing(3, oom), []string{PullRequest, Escalate}, PullRequest},
		"replaces the one that fails":                   {one, []string{Evict, RollBack, Escalate}, Evict},
		"escalates when nothing is known to help":       {failing(3, failed), []string{Escalate, Nothing}, Escalate},
		"escalates when the cause is not known":         {failing(3), []string{Evict, RollBack, Escalate}, Escalate},
		"chooses nothing that is not offered":           {failing(3, failed), nil, ""},
		"does not go back while some pods do not crash": {append(failing(2, oom), Pod{State: Well}), []string{RollBack, Escalate}, Escalate},
	} {
		t.Run(name, func(t *testing.T) {
			var menu []gate.Action
			for _, id := range c.menu {
				menu = append(menu, gate.Action{ID: id})
			}
			if got := strings.Join(Assess(world(c.pods), menu).Choice, " "); got != c.want {
				t.Errorf("the choice is %q, want %q", got, c.want)
			}
		})
	}
}

func TestWhatCouldNotBeReadLowersTheConfidence(t *testing.T) {
	w := world(failing(3, Exit{Code: 1, Reason: "Error"}))
	sure, _ := Assess(w, nil).Confidence.Get()
	w.Evidence[1] = gate.Evidence{ID: EvidenceWorkload, Source: "Deployment/web", Unread: "reading it is not permitted"}
	less, _ := Assess(w, nil).Confidence.Get()
	if sure != applicationError.Sure || less != sure-doubtUnread || !slices.Equal(w.Unread(), []string{"Deployment/web: reading it is not permitted"}) {
		t.Errorf("the confidence fell from %d to %d; unread is %v", sure, less, w.Unread())
	}
}

func TestSilentWhenNothingCrashLoops(t *testing.T) {
	if a := Assess(world([]Pod{{State: Well}}), []gate.Action{{ID: Evict}}); a.Silent == "" || len(a.Choice) > 0 {
		t.Errorf("the assessment is %+v", a)
	}
}

// TestAssessments shows what holds of every assessment: the choice is on the menu, numbers are percentages, evidence that
// is cited exists, no finding outweighs the cause, and texts are one printable line.
func TestAssessments(t *testing.T) {
	states := []State{Looping, Unsure, Finished, Unwell, Well}
	rapid.Check(t, func(t *rapid.T) {
		var pods []Pod
		for range rapid.IntRange(1, 6).Draw(t, "pods") {
			p := Pod{State: rapid.SampledFrom(states).Draw(t, "state"), Restarts: rapid.Int32Range(0, 9).Draw(t, "restarts")}
			if rapid.Bool().Draw(t, "known") {
				p.Exit = gate.Known(Exit{Code: rapid.Int32Range(0, 255).Draw(t, "code"), Reason: rapid.SampledFrom([]string{"Error", "OOMKilled", "x\x1b[2J"}).Draw(t, "reason")})
			}
			pods = append(pods, p)
		}
		w := world(pods)
		w.Root.Name, w.Complete = rapid.String().Draw(t, "name"), gate.Known(rapid.Bool().Draw(t, "complete"))
		var menu []gate.Action
		for _, id := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{Evict, RollBack, PullRequest, Escalate, Nothing}), rapid.ID).Draw(t, "menu") {
			menu = append(menu, gate.Action{ID: id})
		}
		a := Assess(w, menu)
		for _, id := range a.Choice {
			if !slices.ContainsFunc(menu, func(m gate.Action) bool { return m.ID == id }) {
				t.Fatalf("%q is not on the menu", id)
			}
		}
		score, known := a.Score.Get()
		confidence, _ := a.Confidence.Get()
		if known == (a.Silent != "") || score < 0 || score > 100 || confidence < 0 || confidence > 100 {
			t.Fatalf("score %d, confidence %d, silent %q", score, confidence, a.Silent)
		}
		for _, f := range a.Findings {
			if f.Points > a.Findings[0].Points || len(f.Text) > maxText || strings.ContainsFunc(f.Text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Fatalf("the finding is %+v", f)
			}
			for _, id := range f.Evidence {
				if !slices.ContainsFunc(w.Evidence, func(e gate.Evidence) bool { return e.ID == id }) {
					t.Fatalf("%s cites %s", f.ID, id)
				}
			}
		}
	})
}

func TestEveryCauseIsDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range All() {
		if c.ID == "" || c.Title == "" || c.Text == "" || c.Since == "" || seen[c.ID] || c.Points < pointsChoice || c.Sure < 1 || c.Sure > 100 {
			t.Errorf("the cause %+v", c.Doc)
		}
		seen[c.ID] = true
	}
}

// TestEveryCauseIsInTheReadme shows that people can read which causes are known.
func TestEveryCauseIsInTheReadme(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range All() {
		if !strings.Contains(string(readme), "`"+c.ID+"`") {
			t.Errorf("the README does not tell of %s", c.ID)
		}
	}
}
