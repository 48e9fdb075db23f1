package forge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// maxEntries bounds the names in the folder, whatever they are, and maxSkipped those that are told of by name.
const (
	maxEntries = 100_000
	maxSkipped = 20
)

// unsound is what is said of an object that is missing or cannot be read.
const unsound = "the repository is broken there"

func (r Reader) walk(ctx context.Context, o origin, at point, folder, known string) (Tree, error) {
	head := at.commit
	if head.IsZero() {
		var err error
		if head, err = o.head(at.branch); errors.Is(err, plumbing.ErrReferenceNotFound) {
			return Tree{}, errNoBranch
		} else if err != nil {
			return Tree{}, fmt.Errorf("find the branch: %w", err)
		}
	}
	t := Tree{Commit: head.String()}
	if t.Commit == known {
		return t, nil
	}
	store, err := o.objects(ctx, at, head)
	if err != nil {
		return Tree{}, err
	}
	commit, err := object.GetCommit(store, head)
	if err != nil {
		return Tree{}, fmt.Errorf("read commit %s: %w", head, plain(err, unsound))
	}
	whole, err := commit.Tree()
	if err != nil {
		return Tree{}, fmt.Errorf("read the root folder of commit %s: %w", head, plain(err, unsound))
	}
	if at.flux {
		if r.left, err = leftOut(ctx, whole, at.ignore, r.Limits.withDefaults().FileSize); err != nil {
			return Tree{}, fmt.Errorf("read what is left out of commit %s: %w", head, err)
		}
	}
	root := whole
	if folder != "" {
		if root, err = whole.Tree(folder); err != nil {
			return Tree{}, fmt.Errorf("there is no folder %q in commit %s", folder, head)
		}
	}
	t.Time, t.Files = commit.Committer.When, map[string][]byte{}
	if err := r.collect(ctx, root, folder, &t); err != nil {
		return Tree{}, fmt.Errorf("read folder %q of commit %s: %w", folder, head, err)
	}
	if err := r.reach(ctx, whole, folder, &t); err != nil {
		return Tree{}, fmt.Errorf("read what folder %q of commit %s refers to: %w", folder, head, err)
	}
	if err := r.around(ctx, whole, folder, &t); err != nil {
		return Tree{}, fmt.Errorf("read what lies around folder %q of commit %s: %w", folder, head, err)
	}
	return t, nil
}

func (r Reader) collect(ctx context.Context, root *object.Tree, folder string, t *Tree) error {
	limits := r.Limits.withDefaults()
	walker := object.NewTreeWalker(root, true, nil)
	defer walker.Close()
	var total int64
	for entries := 0; ; entries++ {
		name, entry, err := walker.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return plain(err, unsound)
		}
		name = path.Join(folder, name)
		if entries == maxEntries {
			return fmt.Errorf("it has more than %d entries", maxEntries)
		}
		if r.without(name) || !wanted(t, name, entry.Mode) {
			continue
		}
		if len(t.Files) == limits.Files {
			return fmt.Errorf("it has more than %d YAML files", limits.Files)
		}
		file, err := content(root, &entry, limits.FileSize)
		if err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		if total += int64(len(file)); total > limits.TotalSize {
			return fmt.Errorf("its YAML files are longer than %d MiB together", limits.TotalSize>>20)
		}
		t.Files[name] = file
	}
}

// without reports whether a file is left out.
func (r Reader) without(name string) bool { return r.left != nil && r.left(name) }

// wanted reports whether an entry is a YAML file. What is never followed is told of.
func wanted(t *Tree, name string, mode filemode.FileMode) bool {
	switch mode {
	case filemode.Symlink:
		skip(t, name, "is a symbolic link")
		return false
	case filemode.Submodule:
		skip(t, name, "is a submodule")
		return false
	}
	return mode.IsFile() && (path.Ext(name) == ".yaml" || path.Ext(name) == ".yml" || path.Base(name) == "Kustomization")
}

func skip(t *Tree, name, why string) {
	if len(t.Skipped) < maxSkipped {
		t.Skipped = append(t.Skipped, fmt.Sprintf("%q %s", name, why))
	} else if len(t.Skipped) == maxSkipped {
		t.Skipped = append(t.Skipped, "and more links and submodules")
	}
}

func content(root *object.Tree, entry *object.TreeEntry, limit int64) ([]byte, error) {
	f, err := root.TreeEntryFile(entry)
	if err != nil {
		return nil, plain(err, unsound)
	}
	if f.Size > limit {
		return nil, fmt.Errorf("it is longer than %d KiB", limit>>10)
	}
	r, err := f.Reader()
	if err != nil {
		return nil, plain(err, unsound)
	}
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = refuse("it is longer than %d KiB", limit>>10)
	}
	return b, plain(err, unsound)
}
