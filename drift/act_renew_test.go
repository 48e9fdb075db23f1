package drift_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/test/github"
)

// moved has Git say something else on the line before the one that is proposed, so that the pull request cannot be merged any more.
func moved(h *harbour, name string) string {
	h.t.Helper()
	is := strings.Replace(web, "- name: app\n", "- name: app # "+name+"\n", 1)
	if is == web {
		h.t.Fatalf("there is no such line:\n%s", web)
	}
	h.repo.Push("main", map[string]string{"deploy/web.yaml": is})
	h.round()
	return is
}

// TestAPullRequestThatNoLongerMergesIsMadeAnew has Git move on under a pull request, twice: once for each, as a commit on top that takes in
// what Git says, counted like any other.
func TestAPullRequestThatNoLongerMergesIsMadeAnew(t *testing.T) {
	h := newHarbour(t, map[string]string{"deploy/web.yaml": web})
	retagged(h, "1.5")
	k := h.standing()
	first := h.act(k)
	h.repo.Push("main", map[string]string{"README.md": "Git moves on elsewhere"})
	h.round()
	writes := h.asked(http.MethodPost)
	if a := h.act(k); a.Phase != v1alpha1.PhaseActed || h.asked(http.MethodPost) != writes {
		t.Errorf("while it can be merged: acting %s", asJSON(a))
	}

	for i, name := range []string{"ours", "theirs"} {
		is := moved(h, name)
		if a := h.act(k); a.Phase != v1alpha1.PhaseRefused || !strings.Contains(a.Text, "anew") {
			t.Fatalf("once Git has moved on: acting %s", asJSON(a))
		}
		if a := h.act(k); a.Phase != v1alpha1.PhaseRefused && a.Phase != v1alpha1.PhaseHeld || h.asked(http.MethodPost) != writes {
			t.Errorf("with no budget left: acting %s", asJSON(a))
		}
		h.anew()
		a := h.act(k)
		pulls := h.pulls()
		if a.Phase != v1alpha1.PhaseActed || !strings.Contains(a.Text, "updated") || len(pulls) != 1 || a.Attempts != int32(i)+2 || a.Plan == first.Plan {
			t.Fatalf("acting %s; pull requests %+v", asJSON(a), pulls)
		}
		if got := h.repo.Files(pulls[0].Head)["deploy/web.yaml"]; got != strings.Replace(is, "web:1.4", "web:1.5", 1) {
			t.Errorf("it proposes\n%s", got)
		}
		writes = h.asked(http.MethodPost)
		if a := h.act(k); a.Phase != v1alpha1.PhaseActed || h.asked(http.MethodPost) != writes {
			t.Errorf("looked at again: acting %s", asJSON(a))
		}
	}

	h.repo.Merge(1)
	h.round()
	if a := h.act(k); a.Phase != v1alpha1.PhaseHealed || !strings.Contains(a.Text, "merged") {
		t.Errorf("once it is merged: acting %s", asJSON(a))
	}
}

// TestAPullRequestThatWaitsToBeMadeAnewIsWithdrawn has the drift go while the budget holds what is to be made anew: nobody else would close
// what is still open.
func TestAPullRequestThatWaitsToBeMadeAnewIsWithdrawn(t *testing.T) {
	h := newHarbour(t, map[string]string{"deploy/web.yaml": web})
	retagged(h, "1.5")
	k := h.standing()
	h.act(k)
	moved(h, "ours")
	h.act(k)
	h.passed += 10 * time.Minute // the same action waits 5 min
	if a := h.act(k); a.Phase != v1alpha1.PhaseHeld || h.pulls()[0].State != "open" {
		t.Fatalf("acting %s", asJSON(a))
	}
	retagged(h, "1.4")
	if a := h.act(k); a.Phase != v1alpha1.PhaseHealed || h.pulls()[0].State != "closed" || h.pulls()[0].Merged {
		t.Errorf("acting %s; pull requests %+v", asJSON(a), h.pulls())
	}
}

// TestAPullRequestThatWasNotMadeAnewIsTriedAgain has the process die over it: that the pull request is open proves nothing.
func TestAPullRequestThatWasNotMadeAnewIsTriedAgain(t *testing.T) {
	h := newHarbour(t, map[string]string{"deploy/web.yaml": web})
	retagged(h, "1.5")
	k := h.standing()
	h.act(k)
	moved(h, "ours")
	h.act(k)
	h.anew()
	h.github.Script(func(r github.Request) github.Fault {
		if r.Method != http.MethodGet {
			return github.Broken
		}
		return github.Fault{}
	})
	if a := h.act(k); a.Phase != v1alpha1.PhaseActing {
		t.Fatalf("acting %s", asJSON(a))
	}
	h.github.Script(nil)
	other, _ := h.crew(t)
	h.actBy(other, k)
	h.passed += time.Hour
	if a := h.actBy(other, k); a.Phase != v1alpha1.PhaseRefused || !strings.Contains(a.Text, "still cannot be merged") {
		t.Errorf("acting %s", asJSON(a))
	}
	h.anew()
	if a := h.actBy(other, k); a.Phase != v1alpha1.PhaseActed || len(h.pulls()) != 1 {
		t.Errorf("acting %s", asJSON(a))
	}
}
