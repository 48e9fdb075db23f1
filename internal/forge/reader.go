package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// Repository says what to read.
type Repository struct {
	URL    string
	Branch string // where a Commit is named, it may be empty
	Path   string // of a folder, relative to the root; empty is the root
	Commit string // in full, to be read in place of the branch's head; empty: the head
	Flux   bool   // as Flux delivers it: without what is left out of it, by .sourceignore files, by Ignore, or by Flux itself
	Ignore string // lines as in .gitignore
	Login  Login  // is sent over https alone, or over http where Local allows this machine; or over ssh to a known host
}

// Tree is what a branch holds.
type Tree struct {
	Commit string
	// Time is when the commit was made, by its committer's own word. It is zero where the commit was known.
	Time time.Time
	// Files holds the content of every *.yaml, *.yml and Kustomization file of the folder, and of what lies beyond it, by its
	// path from the repository's root. It is nil where the commit was known.
	Files map[string][]byte
	// Skipped names what was passed over and why: "deploy/link.yaml is a symbolic link".
	Skipped []string
	// Partly says why there may be other kustomizations in the repository that read the same files; empty: all are in Files, with what Beside named.
	Partly string
}

// Limits are caps. A zero field means its default.
type Limits struct {
	Packed    int64 // bytes that may be downloaded at once, 32 MiB
	Unpacked  int64 // bytes that these may unpack to, 192 MiB
	Files     int   // YAML files, 2,000
	FileSize  int64 // bytes in one YAML file, 1 MiB
	TotalSize int64 // bytes in all YAML files, 16 MiB
}

func (l Limits) withDefaults() Limits {
	set := func(n *int64, otherwise int64) {
		if *n == 0 {
			*n = otherwise
		}
	}
	set(&l.Packed, 32<<20)
	set(&l.Unpacked, 192<<20)
	set(&l.FileSize, 1<<20)
	set(&l.TotalSize, 16<<20)
	if l.Files == 0 {
		l.Files = 2000
	}
	return l
}

// Reader reads repositories. The zero Reader is the careful one.
type Reader struct {
	// Local allows file:// and the addresses of this machine: for a laptop, tests and the demo.
	Local   bool
	Limits  Limits
	Timeout time.Duration // for one read; 30 seconds where it is zero
	// Beyond names what else of the commit is to be read, by paths from the root, given what was read of a folder. It is asked
	// again with what was found until it names nothing new; what is not there is passed over. nil: the folder is all.
	Beyond func(files map[string][]byte, folder string) []string
	// Beside is like Beyond, for what the other kustomizations of the repository read, all of which are among the files. What it
	// names is given up where it is too much; the Tree then says so. nil: nobody looks for other kustomizations.
	Beside func(files map[string][]byte, folder string) []string
	// Shelf is where commits that are named are kept for a little while. nil: each read fetches.
	Shelf *Shelf
	// Apps gets the tokens of GitHub Apps. nil: nothing is read as one.
	Apps *Apps

	left func(name string) bool // whether a file of the folder is left out of what is read; nil: none is
}

// Read reads the head of a branch, or the commit that is named. Where that is the known commit, the Tree has no Files: nothing but
// the head is asked, and where the commit is named nothing at all.
func (r Reader) Read(ctx context.Context, repo Repository, known string) (Tree, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout())
	defer cancel()
	u, shown, err := parse(repo.URL)
	if err != nil {
		return Tree{}, err
	}
	at, err := repo.at()
	if err != nil {
		return Tree{}, fmt.Errorf("read %s: %w", shown, err)
	}
	folder, err := clean(repo.Path)
	if err == nil {
		err = repo.Login.fits(u, r.Local)
	}
	if err == nil && known != "" && repo.Commit == known {
		return Tree{Commit: known}, nil
	}
	if err == nil {
		at.login, err = r.entering(ctx, u, repo.Login)
	}
	if err != nil {
		return Tree{}, fmt.Errorf("read %s: %w", shown, err)
	}
	t, err := r.read(ctx, u, at, folder, known)
	if err != nil {
		return Tree{}, fmt.Errorf("read %s of %s: %w", at, shown, err)
	}
	return t, nil
}

func (r Reader) timeout() time.Duration {
	if r.Timeout == 0 {
		return 30 * time.Second
	}
	return r.Timeout
}

func (r Reader) read(ctx context.Context, u *url.URL, at point, folder, known string) (Tree, error) {
	o, err := r.origin(ctx, u, at)
	if err != nil {
		return Tree{}, err
	}
	return r.walk(ctx, o, at, folder, known)
}

func (r Reader) origin(ctx context.Context, u *url.URL, at point) (origin, error) {
	switch u.Scheme {
	case "file":
		return r.disk(u)
	case "https", "http", "ssh":
		if r.Shelf != nil && !at.commit.IsZero() {
			return lender{r, u, at.login}, nil
		}
		return r.remote(ctx, u, at.login)
	}
	return nil, fmt.Errorf("%s:// is not supported", u.Scheme)
}

// parse reads a URL, and how to show it to people. Nothing of a URL that carries credentials is shown.
func parse(raw string) (*url.URL, string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, "", errors.New("read repository: its URL makes no sense")
	}
	_, password := u.User.Password()
	if u.User != nil && (u.Scheme != "ssh" || password) || u.RawQuery != "" || u.Fragment != "" {
		return nil, "", fmt.Errorf("read repository at %s: its URL must not carry a user, a password, a query or a fragment", u.Host)
	}
	shown := *u
	shown.User = nil
	return u, shown.String(), nil
}

// here reports whether a URL is of this machine.
func here(u *url.URL) bool { return u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost" }

func clean(p string) (string, error) {
	if strings.HasPrefix(p, "/") || strings.Contains("/"+p+"/", "/../") {
		return "", fmt.Errorf("path %q leads out of the repository", p)
	}
	return strings.TrimPrefix(path.Clean("/"+p), "/"), nil
}

// client speaks HTTP within the bounds of a read.
func (r Reader) client(login Login) (*http.Client, error) {
	t := guarded(r.Local)
	var err error
	t.TLSClientConfig, err = login.tls()
	return &http.Client{Transport: capped{next: t, limit: r.Limits.withDefaults().Packed}, CheckRedirect: login.stays}, err
}
