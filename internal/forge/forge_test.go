package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/memfs"
	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// repo is a real bare repository on disk, written by go-git.
type repo struct {
	t     *testing.T
	dir   string
	tree  billy.Filesystem
	inner *git.Repository
}

func newRepo(t *testing.T) *repo {
	t.Helper()
	r := &repo{t: t, dir: t.TempDir(), tree: memfs.New()}
	var err error
	r.inner, err = git.InitWithOptions(filesystem.NewStorage(osfs.New(r.dir), cache.NewObjectLRUDefault()), r.tree,
		git.InitOptions{DefaultBranch: plumbing.Main})
	r.ok(err)
	config, err := r.inner.Config()
	r.ok(err)
	config.Core.IsBare = true
	r.ok(r.inner.SetConfig(config))
	return r
}

func (r *repo) ok(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *repo) commit(files map[string]string) string {
	r.t.Helper()
	w, err := r.inner.Worktree()
	r.ok(err)
	for name, content := range files {
		if target, link := strings.CutPrefix(content, "-> "); link {
			r.ok(r.tree.Symlink(target, name))
		} else {
			f, err := r.tree.Create(name)
			r.ok(err)
			_, err = f.Write([]byte(content))
			r.ok(errors.Join(err, f.Close()))
		}
		_, err := w.Add(name)
		r.ok(err)
	}
	hash, err := w.Commit("change", &git.CommitOptions{Author: &object.Signature{Name: "t", Email: "t@example.com", When: time.Unix(1, 0)}})
	r.ok(err)
	return hash.String()
}

func (r *repo) url() string { return "file://" + r.dir }

// serve answers Git's smart protocol for the repository with git itself, and counts the fetches.
func (r *repo) serve(fetches *int) string {
	r.t.Helper()
	program, err := exec.LookPath("git")
	if err != nil {
		r.t.Fatalf("find git, to serve a repository over HTTP: %v", err)
	}
	handler := &cgi.Handler{Path: program, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + r.dir, "GIT_HTTP_EXPORT_ALL=1",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, "/git-upload-pack") {
			*fetches++
		}
		handler.ServeHTTP(w, req)
	}))
	r.t.Cleanup(s.Close)
	return s.URL
}

func TestReadAnswersTheYAMLFilesUnderThePath(t *testing.T) {
	r := newRepo(t)
	r.commit(map[string]string{"deploy/web.yaml": "old: true\n", "README.md": "no"})
	commit := r.commit(map[string]string{"deploy/web.yaml": "a: 1\n", "deploy/sub/db.yml": "b: 2\n", "deploy/notes.txt": "no",
		"other/x.yaml": "no: 1\n", "deploy/link.yaml": "-> ../other/x.yaml"})
	fetches := 0
	for name, url := range map[string]string{"from disk": r.url(), "over http": r.serve(&fetches)} {
		t.Run(name, func(t *testing.T) {
			tree, err := Reader{Local: true}.Read(t.Context(), Repository{URL: url, Branch: "main", Path: "deploy/"}, "")
			if err != nil {
				t.Fatal(err)
			}
			if tree.Commit != commit || len(tree.Files) != 2 || string(tree.Files["deploy/web.yaml"]) != "a: 1\n" || string(tree.Files["deploy/sub/db.yml"]) != "b: 2\n" {
				t.Fatalf("got %+v, want commit %s", tree, commit)
			}
			if len(tree.Skipped) != 1 || !strings.Contains(tree.Skipped[0], "deploy/link.yaml") || !strings.Contains(tree.Skipped[0], "symbolic link") {
				t.Fatalf("the link is not told of: %q", tree.Skipped)
			}
		})
	}
}

func TestReadAsksForNothingMoreWhenTheHeadIsKnown(t *testing.T) {
	r := newRepo(t)
	first := r.commit(map[string]string{"web.yaml": "a: 1\n"})
	fetches := 0
	repo := Repository{URL: r.serve(&fetches), Branch: "main"}
	read := func(known string) Tree {
		t.Helper()
		tree, err := Reader{Local: true}.Read(t.Context(), repo, known)
		if err != nil {
			t.Fatal(err)
		}
		return tree
	}
	if tree := read(first); tree.Commit != first || tree.Files != nil || fetches != 0 {
		t.Fatalf("got %+v after %d fetches, want nothing new", tree, fetches)
	}
	second := r.commit(map[string]string{"web.yaml": "a: 2\n"})
	if tree := read(first); tree.Commit != second || string(tree.Files["web.yaml"]) != "a: 2\n" || fetches != 1 {
		t.Fatalf("got %+v after %d fetches, want the second commit", tree, fetches)
	}
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	r := newRepo(t)
	files := map[string]string{"big/web.yaml": strings.Repeat("#", 2000), "x/y.yaml": "-> ../big"}
	for i := range 5 {
		files[fmt.Sprintf("many/%d.yaml", i)] = strings.Repeat("a", 300)
	}
	r.commit(files)
	fetches := 0
	served := r.serve(&fetches)
	local := func(l Limits) Reader { return Reader{Local: true, Limits: l} }
	tests := []struct {
		name   string
		reader Reader
		repo   Repository
		want   string
	}{
		{"no such branch on disk", local(Limits{}), Repository{URL: r.url(), Branch: "gone"}, "there is no such branch"},
		{"no such branch over http", local(Limits{}), Repository{URL: served, Branch: "gone"}, "there is no such branch"},
		{"no such folder", local(Limits{}), Repository{URL: r.url(), Branch: "main", Path: "nope"}, `there is no folder "nope"`},
		{"a folder that is a link", local(Limits{}), Repository{URL: r.url(), Branch: "main", Path: "x/y.yaml"}, `there is no folder "x/y.yaml"`},
		{"a way out", local(Limits{}), Repository{URL: r.url(), Branch: "main", Path: "a/../../b"}, "leads out of the repository"},
		{"no repository on disk", local(Limits{}), Repository{URL: "file:///nonexistent", Branch: "main"}, "there is no Git repository there"},
		{"no server", local(Limits{}), Repository{URL: "http://127.0.0.1:1/x", Branch: "main"}, "connection refused"},
		{"disk is not allowed", Reader{}, Repository{URL: r.url(), Branch: "main"}, "file:// is not allowed here"},
		{"this machine is not allowed", Reader{}, Repository{URL: served, Branch: "main"}, "127.0.0.1 is not allowed"},
		{"cloud metadata is never allowed", local(Limits{}), Repository{URL: "http://169.254.169.254/x", Branch: "main"}, "169.254.169.254 is not allowed"},
		{"a scheme that none is", local(Limits{}), Repository{URL: "git://example.com/x", Branch: "main"}, "git:// is not supported"},
		{"ssh without a key", local(Limits{}), Repository{URL: "ssh://git@example.com/x", Branch: "main"}, "by SSH it is read with a key alone"},
		{"a branch that is none", local(Limits{}), Repository{URL: r.url(), Branch: "a..b"}, "is no name for a branch"},
		{"too many files", local(Limits{Files: 4}), Repository{URL: r.url(), Branch: "main", Path: "many"}, "more than 4 YAML files"},
		{"too long a file", local(Limits{FileSize: 1024}), Repository{URL: r.url(), Branch: "main", Path: "big"}, "longer than 1 KiB"},
		{"too much together", local(Limits{TotalSize: 1000}), Repository{URL: r.url(), Branch: "main", Path: "many"}, "longer than 0 MiB together"},
		{"too long a download", local(Limits{Packed: 100}), Repository{URL: served, Branch: "main"}, "more than the 0 MiB that may be downloaded"},
		{"too much unpacked", local(Limits{Unpacked: 500}), Repository{URL: served, Branch: "main"}, "unpacks to more than the allowed 0 MiB"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.reader.Read(t.Context(), test.repo, "")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestReadNeverShowsCredentials(t *testing.T) {
	for _, url := range []string{"https://user:hunter2@example.com/x", "https://hunter2@example.com/x", "https://example.com/x?token=hunter2",
		"https://example.com/x#hunter2", "https://hunter2:%zz@example.com"} {
		_, err := Reader{}.Read(t.Context(), Repository{URL: url, Branch: "main"}, "")
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Fatalf("%s: got %v", path.Base(url), err)
		}
	}
}

func TestReadEndsWithItsTimeout(t *testing.T) {
	stuck := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		select {
		case <-stuck:
		case <-req.Context().Done():
		}
	}))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(stuck) })
	_, err := Reader{Local: true, Timeout: 50 * time.Millisecond}.Read(t.Context(), Repository{URL: s.URL, Branch: "main"}, "")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v, want a deadline", err)
	}
}

func TestReadNeedsNoGitProgram(t *testing.T) {
	r := newRepo(t)
	commit := r.commit(map[string]string{"web.yaml": "a: 1\n"})
	t.Setenv("PATH", os.DevNull)
	tree, err := Reader{Local: true}.Read(t.Context(), Repository{URL: r.url(), Branch: "main"}, "")
	if err != nil || tree.Commit != commit {
		t.Fatalf("got %v, %v", tree.Commit, err)
	}
}

func TestReadGoesOnToWhatTheFolderRefersTo(t *testing.T) {
	r := newRepo(t)
	r.commit(map[string]string{"deploy/Kustomization": "k", "base/kustomization.yaml": "b", "base/app.env": "A=1", "other/x.yaml": "no", "link.yaml": "-> base/app.env"})
	reader := Reader{Local: true, Beyond: func(files map[string][]byte, folder string) []string {
		if files["base/kustomization.yaml"] == nil {
			return []string{folder + "/../etc/passwd", "../x", "gone", "base", "base/kustomization.yaml", "link.yaml"}
		}
		return []string{"base/app.env"}
	}}
	tree, err := reader.Read(t.Context(), Repository{URL: r.url(), Branch: "main", Path: "deploy"}, "")
	if err != nil || len(tree.Files) != 3 || string(tree.Files["base/app.env"]) != "A=1" || !slices.Equal(tree.Skipped, []string{`"link.yaml" is a symbolic link`}) {
		t.Errorf("got %v, %v", tree, err)
	}
	reader.Limits.Files = 2
	if _, err = reader.Read(t.Context(), Repository{URL: r.url(), Branch: "main", Path: "deploy"}, ""); err == nil || !strings.Contains(err.Error(), "more than 2 files") {
		t.Errorf("got %v", err)
	}
}

func TestReadLooksForOtherKustomizations(t *testing.T) {
	r := newRepo(t)
	r.commit(map[string]string{"deploy/Kustomization": "k", "dev/kustomization.yml": "d", "dev/x.yaml": "x", "dev/y.yaml": "y", "base/web.yaml": "w"})
	reader := Reader{Local: true, Beside: func(files map[string][]byte, folder string) []string {
		if folder != "deploy" || files["dev/kustomization.yml"] == nil {
			t.Errorf("asked about %q with %d files", folder, len(files))
		}
		return []string{"dev/x.yaml", "gone"}
	}}
	read := func() Tree {
		tree, err := reader.Read(t.Context(), Repository{URL: r.url(), Branch: "main", Path: "deploy"}, "")
		if err != nil {
			t.Fatal(err)
		}
		return tree
	}
	if tree := read(); len(tree.Files) != 3 || string(tree.Files["dev/x.yaml"]) != "x" || tree.Partly != "" {
		t.Errorf("got %v", tree)
	}
	reader.Limits.Files = 2
	if tree := read(); len(tree.Files) != 1 || !strings.Contains(tree.Partly, "more than 2 files") {
		t.Errorf("too much is given up, and said: %v", tree)
	}
	reader.Limits.Files = 0
	r.commit(map[string]string{"far/kustomization.yaml": "-> ../dev/kustomization.yml"})
	if tree := read(); len(tree.Files) != 1 || !strings.Contains(tree.Partly, `"far/kustomization.yaml" is a symbolic link`) {
		t.Errorf("a link is not followed, and said: %v", tree)
	}
	reader.Beside = nil
	if tree := read(); tree.Partly == "" {
		t.Error("nobody looked, and nobody says so")
	}
}

func FuzzWeigh(f *testing.F) {
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x01"))
	f.Fuzz(func(_ *testing.T, pack []byte) { _ = weigh(pack, 1<<16) })
}
