package forge

import (
	"testing"
)

func TestAPullRequestThatNoLongerMergesIsSaidToBeStuck(t *testing.T) {
	s := onHub(t)
	h, p := s.hub(), s.proposal()
	o := s.propose(h, p, Opened)
	stuck := func(want bool, when string) {
		t.Helper()
		if got, err := h.Stuck(t.Context(), p, o.Number); err != nil || got != want {
			t.Errorf("%s: %t, %v", when, got, err)
		}
	}
	stuck(false, "at once")
	s.repo.Push("main", map[string]string{"deploy/db.yaml": "a: 2\n"})
	stuck(false, "once its base says something else elsewhere")
	s.repo.Push("main", map[string]string{"deploy/web.yaml": "kind: Deployment\nspec:\n  replicas: 4 # ours\n"})
	stuck(true, "once its base says something else there")

	p.BaseCommit, p.Files = s.repo.Head("main"), map[string][]byte{"deploy/web.yaml": []byte(after)}
	again := s.propose(h, p, Updated)
	if again.Number != o.Number || len(s.open()) != 1 {
		t.Errorf("%+v, open are %+v", again, s.open())
	}
	stuck(false, "made anew")

	s.repo.Push("main", map[string]string{"deploy/web.yaml": before})
	s.repo.Push(s.open()[0].Head, map[string]string{"deploy/web.yaml": "kind: Deployment\nspec:\n  replicas: 6 # theirs\n"})
	stuck(false, "where a person works on its branch")
	s.fsck()
}
