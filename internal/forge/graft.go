package forge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// graft puts files, by their paths below a folder, into the folder's tree and answers with the new tree. What it does not name
// stays as it is. A path that leads through a file or a link, or out of the folder, is an error.
func (m *made) graft(folder plumbing.Hash, files map[string][]byte) (plumbing.Hash, error) {
	var tree object.Tree
	if !folder.IsZero() {
		found, err := object.GetTree(m.old, folder)
		if err != nil {
			return plumbing.ZeroHash, fmt.Errorf("read a folder: %w", plain(err, unsound))
		}
		tree.Entries = slices.Clone(found.Entries)
	}
	below := map[string]map[string][]byte{}
	for path, content := range files {
		name, rest, deeper := strings.Cut(path, "/")
		if name == "" || name == "." || name == ".." || strings.EqualFold(name, ".git") || strings.ContainsRune(name, 0) {
			return plumbing.ZeroHash, fmt.Errorf("%q is no path of a file", path)
		}
		if deeper {
			if below[name] == nil {
				below[name] = map[string][]byte{}
			}
			below[name][rest] = content
			continue
		}
		blob := m.fresh.NewEncodedObject()
		blob.SetType(plumbing.BlobObject)
		w, err := blob.Writer()
		if err != nil {
			return plumbing.ZeroHash, fmt.Errorf("write a file: %w", err)
		}
		if _, err := w.Write(content); err != nil {
			return plumbing.ZeroHash, fmt.Errorf("write a file: %w", err)
		}
		hash, err := m.take(blob)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		if err := enter(&tree, object.TreeEntry{Name: name, Mode: filemode.Regular, Hash: hash}); err != nil {
			return plumbing.ZeroHash, err
		}
	}
	for name, files := range below {
		hash, err := m.graft(folderIn(tree, name), files)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		if err := enter(&tree, object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: hash}); err != nil {
			return plumbing.ZeroHash, err
		}
	}
	slices.SortFunc(tree.Entries, func(a, b object.TreeEntry) int { return strings.Compare(sortName(a), sortName(b)) })
	return m.keep(&tree)
}

// enter puts an entry into a tree, in place of one of the same name and kind.
func enter(tree *object.Tree, e object.TreeEntry) error {
	for i, there := range tree.Entries {
		if there.Name != e.Name {
			continue
		}
		if (there.Mode == filemode.Dir) != (e.Mode == filemode.Dir) || there.Mode == filemode.Symlink || there.Mode == filemode.Submodule {
			return fmt.Errorf("%q is something else in the repository, and is left alone", e.Name)
		}
		tree.Entries[i].Hash = e.Hash
		return nil
	}
	tree.Entries = append(tree.Entries, e)
	return nil
}

func folderIn(tree object.Tree, name string) plumbing.Hash {
	for _, e := range tree.Entries {
		if e.Name == name && e.Mode == filemode.Dir {
			return e.Hash
		}
	}
	return plumbing.ZeroHash
}

// sortName is what Git sorts a tree by: a folder's name ends in a slash there.
func sortName(e object.TreeEntry) string {
	if e.Mode == filemode.Dir {
		return e.Name + "/"
	}
	return e.Name
}
