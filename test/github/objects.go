package github

import (
	"io"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// must stops a test server whose own disk fails.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (r *Repo) head(branch string) (plumbing.Hash, bool) {
	ref, err := r.store.Reference(plumbing.NewBranchReferenceName(branch))
	if err != nil {
		return plumbing.ZeroHash, false
	}
	return ref.Hash(), true
}

func (r *Repo) point(branch string, at plumbing.Hash) {
	must(r.store.SetReference(plumbing.NewHashReference(plumbing.NewBranchReferenceName(branch), at)))
}

func (r *Repo) commit(hash plumbing.Hash) *object.Commit {
	c, err := object.GetCommit(r.store, hash)
	if err != nil {
		return nil
	}
	return c
}

func (r *Repo) keep(o interface {
	Encode(plumbing.EncodedObject) error
}) plumbing.Hash {
	encoded := r.store.NewEncodedObject()
	must(o.Encode(encoded))
	hash, err := r.store.SetEncodedObject(encoded)
	must(err)
	return hash
}

func (r *Repo) blob(content []byte) plumbing.Hash {
	o := r.store.NewEncodedObject()
	o.SetType(plumbing.BlobObject)
	w, err := o.Writer()
	must(err)
	_, err = w.Write(content)
	must(err)
	must(w.Close())
	hash, err := r.store.SetEncodedObject(o)
	must(err)
	return hash
}

func (r *Repo) content(hash plumbing.Hash) string {
	b, err := object.GetBlob(r.store, hash)
	must(err)
	reader, err := b.Reader()
	must(err)
	content, err := io.ReadAll(reader)
	must(err)
	return string(content)
}

// flat are the files of a tree by their paths.
func (r *Repo) flat(tree plumbing.Hash) map[string]object.TreeEntry {
	out := map[string]object.TreeEntry{}
	t, err := object.GetTree(r.store, tree)
	must(err)
	for _, e := range t.Entries {
		if e.Mode != filemode.Dir {
			out[e.Name] = e
			continue
		}
		for path, below := range r.flat(e.Hash) {
			out[e.Name+"/"+path] = below
		}
	}
	return out
}

// build makes a tree of files by their paths.
func (r *Repo) build(files map[string]object.TreeEntry) plumbing.Hash {
	var tree object.Tree
	folders := map[string]map[string]object.TreeEntry{}
	for path, e := range files {
		name, rest, deeper := strings.Cut(path, "/")
		if !deeper {
			tree.Entries = append(tree.Entries, object.TreeEntry{Name: name, Mode: e.Mode, Hash: e.Hash})
			continue
		}
		if folders[name] == nil {
			folders[name] = map[string]object.TreeEntry{}
		}
		folders[name][rest] = e
	}
	for name, below := range folders {
		tree.Entries = append(tree.Entries, object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: r.build(below)})
	}
	sorted := func(e object.TreeEntry) string {
		if e.Mode == filemode.Dir {
			return e.Name + "/"
		}
		return e.Name
	}
	slices.SortFunc(tree.Entries, func(a, b object.TreeEntry) int { return strings.Compare(sorted(a), sorted(b)) })
	return r.keep(&tree)
}

// ancestors are all commits that a commit builds on, and itself.
func (r *Repo) ancestors(of plumbing.Hash) map[plumbing.Hash]bool {
	seen := map[plumbing.Hash]bool{}
	for next := []plumbing.Hash{of}; len(next) > 0; next = next[1:] {
		if c := r.commit(next[0]); c != nil && !seen[next[0]] {
			seen[next[0]] = true
			next = append(next, c.ParentHashes...)
		}
	}
	return seen
}
