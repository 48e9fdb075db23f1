package forge

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// strict serves what the address serves, but for commits that are no head of a branch: of those it says what a server says that
// gives none by themselves.
func strict(t *testing.T, address string, heads ...string) string {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(at)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, "/git-upload-pack") {
			body, err := io.ReadAll(req.Body)
			if err != nil {
				t.Error(err)
			}
			req.Body = io.NopCloser(bytes.NewReader(body))
			if !wants(string(body), heads) {
				w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
				line := "ERR upload-pack: not our ref \x1b[31mhostile"
				_, _ = fmt.Fprintf(w, "%04x%s", len(line)+4, line)
				return
			}
		}
		proxy.ServeHTTP(w, req)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func wants(body string, heads []string) bool {
	for _, h := range heads {
		if strings.Contains(body, "want "+h) {
			return true
		}
	}
	return false
}

func TestReadAnswersACommitThatIsNamed(t *testing.T) {
	r := newRepo(t)
	first := r.commit(map[string]string{"deploy/web.yaml": "a: 1\n"})
	head := r.commit(map[string]string{"deploy/web.yaml": "a: 2\n"})
	fetches := 0
	served := r.serve(&fetches)
	for name, repo := range map[string]Repository{
		"from disk":                            {URL: r.url(), Branch: "main"},
		"over http":                            {URL: served, Branch: "main"},
		"of no branch":                         {URL: served},
		"from a server that gives heads alone": {URL: strict(t, served, head), Branch: "main"},
	} {
		t.Run(name, func(t *testing.T) {
			repo.Path, repo.Commit = "deploy", first
			tree, err := Reader{Local: true}.Read(t.Context(), repo, head)
			if err != nil || tree.Commit != first || string(tree.Files["deploy/web.yaml"]) != "a: 1\n" || tree.Time.IsZero() {
				t.Fatalf("got %+v, %v, want commit %s", tree, err, first)
			}
		})
	}
}

func TestReadAsksNobodyForACommitThatIsKnown(t *testing.T) {
	commit := strings.Repeat("a", 40)
	tree, err := Reader{Local: true}.Read(t.Context(), Repository{URL: "http://127.0.0.1:1/x", Branch: "main", Commit: commit}, commit)
	if err != nil || tree.Commit != commit || tree.Files != nil {
		t.Fatalf("got %+v, %v", tree, err)
	}
}

func TestReadSaysWhyThereIsNoSuchCommit(t *testing.T) {
	r := newRepo(t)
	first := r.commit(map[string]string{"web.yaml": "a: 0\n"})
	head := first
	for i := range maxBack {
		head = r.commit(map[string]string{"web.yaml": fmt.Sprintf("a: %d\n", i+1)})
	}
	gone := strings.Repeat("d", 40)
	fetches := 0
	served := r.serve(&fetches)
	severe := strict(t, served, head)
	for name, test := range map[string]struct {
		repo Repository
		want string
	}{
		"not on disk":              {Repository{URL: r.url(), Branch: "main", Commit: gone}, "there is no such commit"},
		"not on a server":          {Repository{URL: served, Branch: "main", Commit: gone}, "not reachable within 50 commits of branch main"},
		"too far back":             {Repository{URL: severe, Branch: "main", Commit: first}, "read commit " + first + " of " + severe + ": it is not reachable within 50 commits of branch main"},
		"of no branch":             {Repository{URL: severe, Commit: first}, "no branch is named"},
		"of a branch that is gone": {Repository{URL: severe, Branch: "gone", Commit: first}, "there is no such branch"},
		"cut short":                {Repository{URL: served, Branch: "main", Commit: first[:12]}, "is no commit in full"},
		"no hash":                  {Repository{URL: served, Branch: "main", Commit: "main"}, "is no commit in full"},
		"neither":                  {Repository{URL: served}, "is no name for a branch"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Reader{Local: true}.Read(t.Context(), test.repo, "")
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hostile") {
				t.Fatalf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestManyFoldersOfOneCommitCostOneFetch has them read side by side.
func TestManyFoldersOfOneCommitCostOneFetch(t *testing.T) {
	r := newRepo(t)
	files := map[string]string{}
	for i := range 100 {
		files[fmt.Sprintf("app%d/web.yaml", i)] = fmt.Sprintf("a: %d\n", i)
	}
	first := r.commit(files)
	r.commit(map[string]string{"app0/web.yaml": "a: -1\n"})
	fetches := 0
	served := r.serve(&fetches)
	reader := Reader{Local: true, Shelf: &Shelf{}}
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			tree, err := reader.Read(t.Context(), Repository{URL: served, Branch: "main", Path: fmt.Sprintf("app%d", i), Commit: first}, "")
			if want := fmt.Sprintf("a: %d\n", i); err != nil || len(tree.Files) != 1 || string(tree.Files[fmt.Sprintf("app%d/web.yaml", i)]) != want {
				t.Errorf("got %v, %v", tree, err)
			}
		})
	}
	if all.Wait(); fetches != 1 {
		t.Errorf("%d fetches, want 1", fetches)
	}
	for range 3 {
		if _, err := reader.Read(t.Context(), Repository{URL: served, Branch: "main", Commit: strings.Repeat("d", 40)}, ""); err == nil || !strings.Contains(err.Error(), "not reachable") {
			t.Errorf("got %v", err)
		}
	}
	if fetches != 3 { // one of the commit, one of the branch
		t.Errorf("what failed is fetched again: %d fetches", fetches)
	}
}
