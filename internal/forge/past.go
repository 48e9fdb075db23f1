package forge

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Past is what some files held before a commit.
type Past struct {
	// Versions are the files as they were, by their paths, the latest version first. One that is like the one after it is left out.
	Versions []map[string][]byte
	// Whole reports whether the branch has no older commit than those that were read.
	Whole bool
}

// Past reads what files held before a commit at or near the head of a branch. It goes maxBack commits back, first parent by
// first parent: to what the branch said, and not to what those said that were merged into it.
func (r Reader) Past(ctx context.Context, repo Repository, commit string, files []string) (Past, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout())
	defer cancel()
	u, shown, err := parse(repo.URL)
	if err != nil {
		return Past{}, err
	}
	err = repo.Login.fits(u, r.Local)
	login := repo.Login
	if err == nil {
		login, err = r.entering(ctx, u, login)
	}
	var o origin
	if err == nil {
		o, err = r.origin(ctx, u, point{login: login})
	}
	if err != nil {
		return Past{}, fmt.Errorf("read the past of %s: %w", shown, err)
	}
	p, err := r.past(ctx, o, plumbing.NewHash(commit), files)
	if err != nil {
		return Past{}, fmt.Errorf("read the past of commit %.12s of %s: %w", commit, shown, err)
	}
	return p, nil
}

func (r Reader) past(ctx context.Context, o origin, head plumbing.Hash, files []string) (Past, error) {
	store, err := o.fetch(ctx, head, maxBack+1)
	if err != nil {
		return Past{}, err
	}
	at, err := object.GetCommit(store, head)
	if err != nil {
		return Past{}, plain(err, unsound)
	}
	v := versions{limits: r.Limits.withDefaults(), blobs: map[plumbing.Hash][]byte{}}
	next, err := v.hashes(at, files)
	if err != nil {
		return Past{}, err
	}
	var p Past
	for range maxBack {
		if err := ctx.Err(); err != nil {
			return Past{}, err
		}
		if len(at.ParentHashes) == 0 {
			break
		}
		parent, err := object.GetCommit(store, at.ParentHashes[0])
		if errors.Is(err, plumbing.ErrObjectNotFound) {
			break // the server sent no more
		}
		if err != nil {
			return Past{}, plain(err, unsound)
		}
		at = parent
		was, err := v.hashes(at, files)
		if err != nil {
			return Past{}, err
		}
		if maps.Equal(was, next) {
			continue
		}
		if next = was; len(was) == 0 {
			continue
		}
		version, err := v.read(at, was)
		if err != nil {
			return Past{}, err
		}
		p.Versions = append(p.Versions, version)
	}
	p.Whole = len(at.ParentHashes) == 0
	return p, nil
}

// versions reads files of several commits, each content once.
type versions struct {
	limits Limits
	blobs  map[plumbing.Hash][]byte
	total  int64
}

// hashes are the contents of those of the files that a commit has. What is a link is not there.
func (v *versions) hashes(c *object.Commit, files []string) (map[string]plumbing.Hash, error) {
	root, err := c.Tree()
	if err != nil {
		return nil, plain(err, unsound)
	}
	found := map[string]plumbing.Hash{}
	for _, file := range files {
		if entry, err := root.FindEntry(file); err == nil && entry.Mode.IsFile() && entry.Mode != filemode.Symlink {
			found[file] = entry.Hash
		}
	}
	return found, nil
}

func (v *versions) read(c *object.Commit, hashes map[string]plumbing.Hash) (map[string][]byte, error) {
	root, err := c.Tree()
	if err != nil {
		return nil, plain(err, unsound)
	}
	version := map[string][]byte{}
	for file, hash := range hashes {
		if known, found := v.blobs[hash]; found {
			version[file] = known
			continue
		}
		entry, err := root.FindEntry(file)
		if err != nil {
			return nil, plain(err, unsound)
		}
		b, err := content(root, entry, v.limits.FileSize)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", file, err)
		}
		if v.total += int64(len(b)); v.total > v.limits.TotalSize {
			return nil, fmt.Errorf("its files are longer than %d MiB together", v.limits.TotalSize>>20)
		}
		v.blobs[hash], version[file] = b, b
	}
	return version, nil
}
