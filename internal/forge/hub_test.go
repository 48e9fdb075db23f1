package forge

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"moorgate.dev/internal/redact"
	"moorgate.dev/test/github"
)

const before, after = "kind: Deployment\nspec:\n  replicas: 3 # ours\n", "kind: Deployment\nspec:\n  replicas: 5 # ours\n"

// hubStage is a GitHub with one repository, and a clock that stands still until somebody waits.
type hubStage struct {
	*testing.T
	server *github.Server
	repo   *github.Repo

	lock sync.Mutex
	at   time.Time
}

func onHub(t *testing.T) *hubStage {
	t.Helper()
	s := &hubStage{T: t, at: time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC)}
	s.server = github.Start(t.TempDir(), github.Options{Token: token, Verified: true, Now: s.now})
	t.Cleanup(s.server.Close)
	t.Cleanup(func() {
		for _, wrong := range s.server.Wrong() {
			t.Errorf("GitHub would not know this: %s", wrong)
		}
		for _, r := range s.server.Requests() {
			if strings.Contains(strings.ToLower(r.Path+r.Query), "merge") || strings.Contains(strings.ToLower(r.Path), "graphql") || strings.Contains(r.Body, `"force":true`) {
				t.Errorf("this was asked for: %s %s %s", r.Method, r.Path, r.Body)
			}
		}
	})
	var err error
	if s.repo, err = s.server.Add("acme", "shop"); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"deploy/web.yaml": before, "deploy/db.yaml": "a: 1\n", ".github/workflows/ci.yaml": "on: push\n", "CODEOWNERS": "* @acme\n", "deploy/link.yaml": "-> web.yaml"}
	s.repo.Push("main", files)
	return s
}

func (s *hubStage) now() time.Time {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.at
}

func (s *hubStage) pass(d time.Duration) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.at = s.at.Add(d)
}

func hubDoor(t *testing.T) *redact.Door {
	t.Helper()
	d, err := redact.New(redact.Options{Key: []byte(strings.Repeat("k", redact.KeyBytes))})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func tokenOf() (string, error) { return token, nil }

func (s *hubStage) hub(change ...func(*HubOptions)) *Hub {
	s.Helper()
	o := HubOptions{Base: s.server.URL, Local: true, Token: tokenOf, Door: hubDoor(s.T), Now: s.now, Timeout: 5 * time.Second,
		Pause: func(ctx context.Context, d time.Duration) error {
			s.pass(d)
			return ctx.Err()
		}}
	for _, c := range change {
		c(&o)
	}
	h, err := NewHub(o)
	if err != nil {
		s.Fatal(err)
	}
	return h
}

// digits are 64 hexadecimal digits that begin with a number, so that branches differ.
func digits(n int) string { return fmt.Sprintf("%012x%052x", n+1, n+1) }

func (s *hubStage) proposal() Proposal {
	return Proposal{Repository: "acme/shop", Base: "main", BaseCommit: s.repo.Head("main"), Key: digits(1), ValueHash: digits(5),
		Files: map[string][]byte{"deploy/web.yaml": []byte(after)}, Title: "Adopt replicas of Deployment shop/web", Body: "Because.\n", Labels: []string{"drift"}}
}

func (s *hubStage) propose(h *Hub, p Proposal, want State) Outcome {
	s.Helper()
	o, err := h.Propose(s.Context(), p)
	if err != nil || o.State != want {
		s.Fatalf("got %+v (%v), want %s", o, err, want)
	}
	return o
}

// open are the pull requests that are open.
func (s *hubStage) open() []github.Issue {
	var out []github.Issue
	for _, p := range s.repo.Pulls() {
		if p.State == "open" {
			out = append(out, p)
		}
	}
	return out
}

func (s *hubStage) fsck() {
	s.Helper()
	if out, err := exec.CommandContext(s.Context(), "git", "-C", s.repo.Dir, "-c", "safe.directory=*", "fsck", "--strict").CombinedOutput(); err != nil {
		s.Errorf("git fsck: %v\n%s", err, out)
	}
}

func TestAProposalBecomesOnePullRequest(t *testing.T) {
	s := onHub(t)
	p := s.proposal()
	o := s.propose(s.hub(), p, Opened)
	open := s.open()
	if len(open) != 1 || open[0].Head != "moorgate/drift/"+p.Key[:12] || o.Number != open[0].Number || !o.Verified || len(o.Notes) > 0 ||
		!strings.HasSuffix(o.URL, "/acme/shop/pull/1") || open[0].Labels[0] != "drift" {
		t.Fatalf("%+v, and open are %+v", o, open)
	}
	was, is := s.repo.Files("main"), s.repo.Files(open[0].Head)
	if is["deploy/web.yaml"] != after {
		t.Errorf("it says %q", is["deploy/web.yaml"])
	}
	is["deploy/web.yaml"] = was["deploy/web.yaml"]
	if fmt.Sprint(is) != fmt.Sprint(was) {
		t.Error("other files changed too")
	}
	c := s.repo.Commit(o.Commit)
	if len(c.ParentHashes) != 1 || c.ParentHashes[0].String() != p.BaseCommit || !strings.HasPrefix(c.Message, p.Title+"\n\n") {
		t.Errorf("the commit is %s", c)
	}
	s.fsck()
	asked := len(s.server.Requests())
	if s.propose(s.hub(), p, Unchanged); len(s.server.Requests()) != asked+2 {
		t.Errorf("to say the same again took %d requests", len(s.server.Requests())-asked)
	}
}

// TestADraftIsOneWhereThereAreDrafts opens drafts at a GitHub that makes them, and at one that does not.
func TestADraftIsOneWhereThereAreDrafts(t *testing.T) {
	for name, drafts := range map[string]bool{"there are drafts": true, "there are none": false} {
		t.Run(name, func(t *testing.T) {
			s := onHub(t)
			if !drafts {
				s.server.Script(github.NoDrafts)
			}
			p := s.proposal()
			p.Draft = true
			o := s.propose(s.hub(), p, Opened)
			open := s.open()
			if len(open) != 1 || open[0].Draft != drafts || o.Draft != drafts || len(open[0].Labels) != 1 || !o.Verified {
				t.Fatalf("%+v, and open are %+v", o, open)
			}
			if s.propose(s.hub(), p, Unchanged); len(s.open()) != 1 {
				t.Errorf("said again, open are %+v", s.open())
			}
		})
	}
}

func TestAnotherValueIsWrittenInPlace(t *testing.T) {
	s := onHub(t)
	p := s.proposal()
	first := s.propose(s.hub(), p, Opened)
	p.ValueHash, p.Files, p.Body = digits(6), map[string][]byte{"deploy/web.yaml": []byte(strings.Replace(after, "5", "7", 1))}, "Now seven.\n"
	second := s.propose(s.hub(), p, Updated)
	c := s.repo.Commit(second.Commit)
	if second.Number != first.Number || len(s.open()) != 1 || len(c.ParentHashes) != 1 || c.ParentHashes[0].String() != first.Commit ||
		!strings.HasSuffix(s.open()[0].Body, "\nNow seven.\n") || strings.Count(s.open()[0].Body, markerOpen) != 1 {
		t.Errorf("got %+v; open are %+v", second, s.open())
	}
	s.propose(s.hub(), p, Unchanged)
}

func TestABaseThatMovedIsTakenIn(t *testing.T) {
	s := onHub(t)
	p := s.proposal()
	first := s.propose(s.hub(), p, Opened)
	moved := s.repo.Push("main", map[string]string{"deploy/db.yaml": "a: 2\n"})
	s.propose(s.hub(), p, Unchanged) // the file is the same there, and so nothing is said anew
	p.Files["deploy/web.yaml"] = []byte("# new\n" + after)
	s.propose(s.hub(), p, Stale)
	p.BaseCommit = s.repo.Push("main", map[string]string{"deploy/web.yaml": "# new\n" + before})
	o := s.propose(s.hub(), p, Updated)
	c := s.repo.Commit(o.Commit)
	if o.Number != first.Number || len(c.ParentHashes) != 2 || c.ParentHashes[1].String() != p.BaseCommit || p.BaseCommit == moved {
		t.Errorf("the commit is %s", c)
	}
	was, is := s.repo.Files("main"), s.repo.Files(branchOf(p.Key))
	if is["deploy/web.yaml"] != "# new\n"+after || is["deploy/db.yaml"] != "a: 2\n" || len(is) != len(was) {
		t.Errorf("the branch holds %q", is["deploy/web.yaml"])
	}
	s.propose(s.hub(), p, Unchanged)
	s.fsck()
}

func TestAPersonsBranchIsLeftAlone(t *testing.T) {
	for name, touch := range map[string]func(*hubStage, string){
		"who pushed a commit":             func(s *hubStage, b string) { s.repo.Push(b, map[string]string{"deploy/db.yaml": "a: 9\n"}) },
		"who amended and pushed by force": func(s *hubStage, b string) { s.repo.Rewrite(b, map[string]string{"deploy/db.yaml": "a: 9\n"}) },
	} {
		t.Run(name, func(t *testing.T) {
			s := onHub(t)
			p := s.proposal()
			s.propose(s.hub(), p, Opened)
			touch(s, branchOf(p.Key))
			head := s.repo.Head(branchOf(p.Key))
			s.propose(s.hub(), p, TheirBranch)
			p.ValueHash, p.Files["deploy/web.yaml"] = digits(7), []byte(strings.Replace(after, "5", "8", 1))
			s.propose(s.hub(), p, TheirBranch)
			if o, err := s.hub().Withdraw(t.Context(), p, "gone"); err != nil || o.State != TheirBranch {
				t.Errorf("got %+v (%v)", o, err)
			}
			if s.repo.Head(branchOf(p.Key)) != head || len(s.open()) != 1 {
				t.Error("it was not left alone")
			}
		})
	}
}

// Who pushes between our look and our write loses nothing.
func TestAPushInBetweenIsNotLost(t *testing.T) {
	s := onHub(t)
	p := s.proposal()
	s.propose(s.hub(), p, Opened)
	theirs := ""
	s.server.Script(func(r github.Request) github.Fault {
		if r.Method == http.MethodPatch && strings.Contains(r.Path, "/git/refs/") && theirs == "" {
			return github.Fault{Before: func() { theirs = s.repo.Push(branchOf(p.Key), map[string]string{"deploy/db.yaml": "a: 9\n"}) }}
		}
		return github.Fault{}
	})
	p.ValueHash, p.Files["deploy/web.yaml"] = digits(7), []byte(strings.Replace(after, "5", "8", 1))
	s.propose(s.hub(), p, TheirBranch)
	if s.repo.Head(branchOf(p.Key)) != theirs {
		t.Error("their commit is gone")
	}
}

func TestAPersonsNoIsRememberedUntilTheValueChanges(t *testing.T) {
	s := onHub(t)
	p := s.proposal()
	o := s.propose(s.hub(), p, Opened)
	s.repo.Close(o.Number)
	for range 3 {
		s.propose(s.hub(), p, Rejected)
	}
	p.ValueHash, p.Files["deploy/web.yaml"] = digits(7), []byte(strings.Replace(after, "5", "8", 1))
	s.propose(s.hub(), p, Opened)
	p = s.proposal()
	s.repo.Close(2)
	s.propose(s.hub(), p, Rejected) // the older no still holds
	if len(s.repo.Pulls()) != 2 {
		t.Errorf("%d pull requests", len(s.repo.Pulls()))
	}
}

func TestWhatIsGoneIsWithdrawnAndMayComeBack(t *testing.T) {
	s := onHub(t)
	p := s.proposal()
	s.propose(s.hub(), p, Opened)
	why := "the drift is gone, says @robin in #1"
	if o, err := s.hub().Withdraw(t.Context(), p, why); err != nil || o.State != Withdrawn || len(o.Notes) > 0 {
		t.Fatalf("got %+v (%v)", o, err)
	}
	pull := s.repo.Pulls()[0]
	if pull.State != "closed" || len(pull.Comments) != 1 || strings.Contains(pull.Comments[0], " @robin") || len(s.repo.Branches()) != 1 {
		t.Errorf("it is %+v, and branches are %v", pull, s.repo.Branches())
	}
	if o, err := s.hub().Withdraw(t.Context(), p, why); err != nil || o.State != Nothing || len(s.repo.Pulls()[0].Comments) != 1 {
		t.Errorf("got %+v (%v)", o, err)
	}
	if o := s.propose(s.hub(), p, Opened); o.Number != 2 {
		t.Errorf("got %+v", o)
	}
	s.repo.Merge(2)
	p.BaseCommit = s.repo.Head("main")
	s.propose(s.hub(), p, Already)
	if o, err := s.hub().Withdraw(t.Context(), p, why); err != nil || o.State != Nothing || len(s.repo.Branches()) != 1 {
		t.Errorf("got %+v (%v), and branches are %v", o, err, s.repo.Branches())
	}
}

func TestWhatIsNeverProposed(t *testing.T) {
	file := func(path, content string) func(*Proposal) {
		return func(p *Proposal) { p.Files = map[string][]byte{path: []byte(content)} }
	}
	s := onHub(t)
	for name, change := range map[string]func(*Proposal){
		"a workflow":            file(".github/workflows/ci.yaml", "on: pull_request_target\n"),
		"a workflow, shouted":   file(".GitHub/Workflows/ci.yaml", "x"),
		"any of GitHub's files": file(".github/dependabot.yml", "x"),
		"owners":                file("CODEOWNERS", "* @evil\n"),
		"owners as YAML":        file("docs/CODEOWNERS.yaml", "x"),
		"a script":              file("deploy/run.sh", "x"),
		"a way out":             file("../x.yaml", "x"),
		"a way out in between":  file("deploy/../../x.yaml", "x"),
		"an absolute path":      file("/etc/x.yaml", "x"),
		"Git's own folder":      file(".git/config.yaml", "x"),
		"a path of two lines":   file("deploy/a\nb.yaml", "x"),
		"a link":                file("deploy/link.yaml", "x"),
		"a folder":              file("deploy", "x"),
		"a new file":            file("deploy/new.yaml", "x"),
		"a file below a file":   file("deploy/web.yaml/x.yaml", "x"),
		"Moorgate's own rules":  file("deploy/web.yaml", "apiVersion: moorgate.dev/v1alpha1\nkind: Guardrail\n"),
		"no text":               file("deploy/web.yaml", "a\x00b"),
		"a secret":              file("deploy/web.yaml", before+"password: hunter2hunter2\n"),
		"a key":                 file("deploy/web.yaml", before+"  token: ghp_"+strings.Repeat("a1B2", 9)+"\n"),
		"no file":               func(p *Proposal) { p.Files = nil },
		"another repository":    func(p *Proposal) { p.Repository = "acme/shop/../other" },
		"a repository's parent": func(p *Proposal) { p.Repository = "acme/.." },
		"a key that is none":    func(p *Proposal) { p.Key = "../../heads/main" + p.Key },
		"onto our own branch":   func(p *Proposal) { p.Base = branchOf(p.Key) },
		"a base that leads out": func(p *Proposal) { p.Base = "a/../b" },
		"too long a text":       func(p *Proposal) { p.Body = strings.Repeat("x", maxBody+1) },
	} {
		p := s.proposal()
		change(&p)
		if o, err := s.hub().Propose(t.Context(), p); err != nil || o.State != Refused || len(o.Notes) != 1 || strings.Contains(o.Notes[0], "hunter2") {
			t.Errorf("%s: got %+v (%v)", name, o, err)
		}
	}
	for _, r := range s.server.Requests() {
		if r.Method != http.MethodGet {
			t.Errorf("%s %s was asked", r.Method, r.Path)
		}
	}
}

func TestTitlesCallNobodyAndCloseNothing(t *testing.T) {
	for text, want := range map[string]string{
		"Adopt replicas=5 of Deployment shop/web":                  "Adopt replicas=5 of Deployment shop/web",
		"fixes #12 @acme/all GH-3 https://x.io/1\nMoorgate-Key: x": "fixes 12 acme/all 3 https x.io/1 Moorgate-Key x",
		"<b>`x`</b>": "b x /b",
	} {
		if got := subject(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
