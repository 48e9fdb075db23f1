package github

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// Repo is a bare repository on disk, with pull requests and issues in memory.
type Repo struct {
	Owner, Name string
	Dir         string

	server *Server
	store  storer.Storer
	issues []*Issue // pull requests too: they share their numbers
}

// Issue is an issue, or a pull request where it has a Head.
type Issue struct {
	Number             int
	Title, Body        string
	State              string // open or closed
	Labels, Comments   []string
	Head, Base         string // branches
	HeadSHA            string // where the branch stood when the pull request was closed
	Draft, Merged      bool
	Created, ClosedAt  time.Time
	ClosedBy, OpenedBy string
}

// Add makes an empty bare repository.
func (s *Server) Add(owner, name string) (*Repo, error) {
	dir := filepath.Join(s.dir, owner, name+".git")
	inner, err := git.PlainInit(dir, true)
	if err != nil {
		return nil, fmt.Errorf("make a repository: %w", err)
	}
	store := inner.Storer
	if err := store.SetReference(plumbing.NewSymbolicReference(plumbing.HEAD, plumbing.Main)); err != nil {
		return nil, fmt.Errorf("make a repository: %w", err)
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	r := &Repo{Owner: owner, Name: name, Dir: dir, server: s, store: store}
	s.repos[owner+"/"+name] = r
	return r, nil
}

// Clone is where the repository is served to Git.
func (r *Repo) Clone() string { return fmt.Sprintf("%s/%s/%s.git", r.server.URL, r.Owner, r.Name) }

// Push adds a commit with files to a branch as a person would, and answers with it. A content of "-> x" is a link to x.
func (r *Repo) Push(branch string, files map[string]string) string {
	r.server.lock.Lock()
	defer r.server.lock.Unlock()
	var parents []plumbing.Hash
	tree := map[string]object.TreeEntry{}
	if head, ok := r.head(branch); ok {
		parents = []plumbing.Hash{head}
		tree = r.flat(r.commit(head).TreeHash)
	}
	return r.person(branch, "a person's change", parents, tree, files)
}

// Rewrite replaces a branch by one commit onto the main branch, as who amends and pushes with force. It keeps the message.
func (r *Repo) Rewrite(branch string, files map[string]string) string {
	r.server.lock.Lock()
	defer r.server.lock.Unlock()
	message := "a person's change"
	if head, ok := r.head(branch); ok {
		message = r.commit(head).Message
	}
	onto, _ := r.head("main")
	return r.person(branch, message, []plumbing.Hash{onto}, r.flat(r.commit(onto).TreeHash), files)
}

func (r *Repo) person(branch, message string, parents []plumbing.Hash, tree map[string]object.TreeEntry, files map[string]string) string {
	for path, content := range files {
		mode := filemode.Regular
		if target, link := strings.CutPrefix(content, "-> "); link {
			mode, content = filemode.Symlink, target
		}
		tree[path] = object.TreeEntry{Mode: mode, Hash: r.blob([]byte(content))}
	}
	by := object.Signature{Name: "Robin", Email: "robin@example.com", When: r.server.options.Now()}
	hash := r.keep(&object.Commit{Author: by, Committer: by, Message: message, TreeHash: r.build(tree), ParentHashes: parents})
	r.point(branch, hash)
	return hash.String()
}

// Head is where a branch stands; empty: there is none.
func (r *Repo) Head(branch string) string {
	r.server.lock.Lock()
	defer r.server.lock.Unlock()
	head, ok := r.head(branch)
	if !ok {
		return ""
	}
	return head.String()
}

// Commit is a commit of the repository.
func (r *Repo) Commit(hash string) *object.Commit {
	r.server.lock.Lock()
	defer r.server.lock.Unlock()
	return r.commit(plumbing.NewHash(hash))
}

// Files are the contents of a branch by their paths.
func (r *Repo) Files(branch string) map[string]string {
	r.server.lock.Lock()
	defer r.server.lock.Unlock()
	out := map[string]string{}
	head, ok := r.head(branch)
	if !ok {
		return out
	}
	for path, entry := range r.flat(r.commit(head).TreeHash) {
		out[path] = r.content(entry.Hash)
	}
	return out
}

// Branches are the names of all branches.
func (r *Repo) Branches() []string {
	r.server.lock.Lock()
	defer r.server.lock.Unlock()
	var names []string
	refs, err := r.store.IterReferences()
	must(err)
	must(refs.ForEach(func(ref *plumbing.Reference) error {
		if ref.Name().IsBranch() {
			names = append(names, ref.Name().Short())
		}
		return nil
	}))
	slices.Sort(names)
	return names
}

// Pulls are copies of the pull requests, and Issues of the issues that are none.
func (r *Repo) Pulls() []Issue { return r.list(true) }

// Issues are copies of the issues that are no pull requests.
func (r *Repo) Issues() []Issue { return r.list(false) }

func (r *Repo) list(pulls bool) []Issue {
	r.server.lock.Lock()
	defer r.server.lock.Unlock()
	var out []Issue
	for _, i := range r.issues {
		if (i.Head != "") == pulls {
			out = append(out, *i)
		}
	}
	return out
}

// Close closes an issue or a pull request as a person would.
func (r *Repo) Close(number int) {
	r.server.lock.Lock()
	defer r.server.lock.Unlock()
	r.close(r.issues[number-1], "robin")
}

// Merge merges a pull request as a person would: its branch's files go onto its base.
func (r *Repo) Merge(number int) {
	r.server.lock.Lock()
	defer r.server.lock.Unlock()
	i := r.issues[number-1]
	head, _ := r.head(i.Head)
	base, _ := r.head(i.Base)
	by := object.Signature{Name: "Robin", Email: "robin@example.com", When: r.server.options.Now()}
	r.point(i.Base, r.keep(&object.Commit{Author: by, Committer: by, Message: "merge", TreeHash: r.commit(head).TreeHash, ParentHashes: []plumbing.Hash{base, head}}))
	i.Merged = true
	r.close(i, "robin")
}

func (r *Repo) close(i *Issue, by string) {
	if head, ok := r.head(i.Head); ok {
		i.HeadSHA = head.String()
	}
	i.State, i.ClosedBy, i.ClosedAt = "closed", by, r.server.options.Now()
}
