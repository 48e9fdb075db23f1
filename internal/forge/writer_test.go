package forge

import (
	"errors"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

const token = "s3cret-token"

// take serves the repository over HTTP with git itself, for fetches by everybody and pushes by whoever has the token.
func (r *repo) take() string {
	r.t.Helper()
	program, err := exec.LookPath("git")
	if err != nil {
		r.t.Fatalf("find git, to serve a repository over HTTP: %v", err)
	}
	config, err := r.inner.Config()
	r.ok(err)
	config.Raw.Section("http").SetOption("receivepack", "true")
	r.ok(r.inner.SetConfig(config))
	handler := &cgi.Handler{Path: program, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + r.dir, "GIT_HTTP_EXPORT_ALL=1",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.Contains(req.URL.String(), "git-receive-pack") {
			if _, password, ok := req.BasicAuth(); !ok || password != token {
				w.Header().Set("WWW-Authenticate", "Basic")
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
		}
		handler.ServeHTTP(w, req)
	}))
	r.t.Cleanup(s.Close)
	return s.URL
}

func writer() Writer {
	return Writer{Reader: Reader{Local: true}, Token: token, Name: "Moorgate", Email: "moorgate@example.com",
		Now: func() time.Time { return time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC) }}
}

func TestPutAddsOneCommitAndLeavesTheRestAlone(t *testing.T) {
	for _, way := range []string{"on disk", "over http"} {
		t.Run(way, func(t *testing.T) {
			r := newRepo(t)
			before := r.commit(map[string]string{"deploy/web.yaml": "a: 1\n", "deploy/run.sh": "x", "README.md": "hello"})
			url := r.url()
			if way == "over http" {
				url = r.take()
			}
			repo := Repository{URL: url, Branch: "main"}
			commit, err := writer().Put(t.Context(), repo, map[string][]byte{"anchors/judge.txt": []byte("one\n"), "deploy/web.yaml": []byte("a: 2\n")}, "Anchors\n")
			if err != nil {
				t.Fatal(err)
			}
			made, err := r.inner.CommitObject(plumbing.NewHash(commit))
			r.ok(err)
			if len(made.ParentHashes) != 1 || made.ParentHashes[0].String() != before || made.Author.Name != "Moorgate" {
				t.Errorf("the commit is %+v", made)
			}
			for file, want := range map[string]string{"anchors/judge.txt": "one\n", "deploy/web.yaml": "a: 2\n", "deploy/run.sh": "x", "README.md": "hello"} {
				f, err := made.File(file)
				if err != nil {
					t.Fatalf("%s: %v", file, err)
				}
				if got, err := f.Contents(); err != nil || got != want {
					t.Errorf("%s holds %q (%v), want %q", file, got, err, want)
				}
			}
			check := exec.CommandContext(t.Context(), "git", "-C", r.dir, "-c", "safe.directory=*", "fsck", "--strict")
			if out, err := check.CombinedOutput(); err != nil {
				t.Errorf("git fsck: %v\n%s", err, out)
			}
			again, err := writer().Put(t.Context(), repo, map[string][]byte{"anchors/judge.txt": []byte("one\n")}, "Anchors\n")
			if err != nil || again != commit {
				t.Errorf("what is there already gave commit %s (%v), want none", again, err)
			}
		})
	}
}

func TestPutRefuses(t *testing.T) {
	r := newRepo(t)
	r.commit(map[string]string{"deploy/web.yaml": "a: 1\n", "deploy/link": "-> web.yaml"})
	served := r.take()
	file := func(path string) map[string][]byte { return map[string][]byte{path: []byte("x")} }
	tests := []struct {
		name, url, branch, want string
		files                   map[string][]byte
		change                  func(*Writer)
	}{
		{name: "a branch that is not there", url: r.url(), branch: "gone", files: file("a"), want: "there is no such branch"},
		{name: "a path through a file", url: r.url(), branch: "main", files: file("deploy/web.yaml/x"), want: "is something else"},
		{name: "a path over a folder", url: r.url(), branch: "main", files: file("deploy"), want: "is something else"},
		{name: "a path over a link", url: r.url(), branch: "main", files: file("deploy/link"), want: "is something else"},
		{name: "a way out", url: r.url(), branch: "main", files: file("../a"), want: "is no path"},
		{name: "Git's own folder", url: r.url(), branch: "main", files: file("x/.Git/config"), want: "is no path"},
		{name: "no token", url: served, branch: "main", files: file("a"), want: "credentials", change: func(w *Writer) { w.Token = "" }},
		{name: "a wrong token", url: served, branch: "main", files: file("a"), want: "credentials", change: func(w *Writer) { w.Token = "wrong" }},
		{name: "a token in the clear", url: "http://example.invalid/x", branch: "main", files: file("a"), want: "over https only"},
		{name: "this machine", url: served, branch: "main", files: file("a"), want: "https only", change: func(w *Writer) { w.Local = false }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := writer()
			if tt.change != nil {
				tt.change(&w)
			}
			_, err := w.Put(t.Context(), Repository{URL: tt.url, Branch: tt.branch}, tt.files, "x")
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), token) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// A branch that moves between look and push is not overwritten: somebody else's commit is never lost.
func TestPutNeverOverwritesABranchThatMoved(t *testing.T) {
	r := newRepo(t)
	r.commit(map[string]string{"a": "1"})
	served := r.take()
	theirs, moves := "", 1
	w := writer()
	w.Now = func() time.Time { // called while the commit is made, after the head was read
		moves++
		theirs = r.commit(map[string]string{"a": strconv.Itoa(moves)})
		return time.Unix(5, 0)
	}
	for _, url := range []string{r.url(), served} {
		if _, err := w.Put(t.Context(), Repository{URL: url, Branch: "main"}, map[string][]byte{"b": []byte("x")}, "x"); !errors.Is(err, ErrMoved) {
			t.Errorf("%s: got %v, want that the branch moved", url, err)
		}
		head, err := r.inner.Head()
		r.ok(err)
		if head.Hash().String() != theirs {
			t.Errorf("the branch stands at %s, want %s", head.Hash(), theirs)
		}
	}
}
