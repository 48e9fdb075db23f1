package forge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// maxRounds bounds how often a reader is asked what else it needs: what is found may refer to more.
const maxRounds = 64

// reach reads what the folder refers to beyond itself, within the same caps. A link or a submodule on the way is not
// followed, so what lies behind it is not there.
func (r Reader) reach(ctx context.Context, whole *object.Tree, folder string, t *Tree) error {
	if r.Beyond == nil {
		return nil
	}
	return r.follow(ctx, whole, t, func() []string { return r.Beyond(t.Files, folder) }, r.without)
}

// follow reads what is named, until nothing new is. What is left out is not there.
func (r Reader) follow(ctx context.Context, whole *object.Tree, t *Tree, named func() []string, without func(name string) bool) error {
	limits := r.Limits.withDefaults()
	var total int64
	for _, b := range t.Files {
		total += int64(len(b))
	}
	asked := map[string]bool{}
	for range maxRounds {
		found := false
		for _, name := range named() {
			if err := ctx.Err(); err != nil {
				return err
			}
			if asked[name] || t.Files[name] != nil {
				continue
			}
			if asked[name] = true; len(asked) > maxEntries {
				return fmt.Errorf("it is more than %d names", maxEntries)
			}
			entry, err := whole.FindEntry(name)
			if err != nil || !entry.Mode.IsFile() || without(name) {
				continue
			}
			if entry.Mode == filemode.Symlink {
				skip(t, name, "is a symbolic link")
				continue
			}
			if len(t.Files) == limits.Files {
				return fmt.Errorf("with it there are more than %d files", limits.Files)
			}
			f, err := content(whole, entry, limits.FileSize)
			if err != nil {
				return fmt.Errorf("%q: %w", name, err)
			}
			if total += int64(len(f)); total > limits.TotalSize {
				return fmt.Errorf("with it the files are longer than %d MiB together", limits.TotalSize>>20)
			}
			t.Files[name], found = f, true
		}
		if !found {
			return nil
		}
	}
	return fmt.Errorf("it refers to more after %d rounds", maxRounds)
}

// around reads the kustomizations of the whole commit, and what Beside names of what they read. Where that is more than the
// caps allow, none of it is kept and Partly says why: it is needed to know what a change would move, and not to know what
// the folder declares. Beyond the folder it is read whether Flux leaves it out or not: somebody else may deliver it.
func (r Reader) around(ctx context.Context, whole *object.Tree, folder string, t *Tree) error {
	if r.Beside == nil {
		t.Partly = "nobody looked for other kustomizations"
		return nil
	}
	wide := Tree{Files: maps.Clone(t.Files), Skipped: slices.Clone(t.Skipped)}
	unseen := ""
	without := func(name string) bool {
		if folder != "" && !strings.HasPrefix(name, folder+"/") || !r.without(name) {
			return false
		}
		unseen = name
		return true
	}
	found, linked, err := kustomizations(ctx, whole)
	if err == nil {
		err = r.follow(ctx, whole, &wide, func() []string { return found }, without)
	}
	if err == nil {
		err = r.follow(ctx, whole, &wide, func() []string { return r.Beside(wide.Files, folder) }, without)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		t.Partly = "to read what the other kustomizations read: " + err.Error()
	case linked != "":
		t.Partly = fmt.Sprintf("%q is a symbolic link", linked)
	case unseen != "":
		t.Files, t.Partly = wide.Files, fmt.Sprintf("%q lies in the folder and is left out of what Flux delivers", unseen)
	default:
		t.Files = wide.Files
	}
	return nil
}

// kustomizations names the kustomization files of a commit, and one that is a link.
func kustomizations(ctx context.Context, whole *object.Tree) (found []string, linked string, err error) {
	walker := object.NewTreeWalker(whole, true, nil)
	defer walker.Close()
	for entries := 0; ; entries++ {
		name, entry, err := walker.Next()
		if errors.Is(err, io.EOF) {
			return found, linked, nil
		}
		if err == nil {
			err = ctx.Err()
		}
		switch {
		case err != nil:
			return nil, "", plain(err, unsound)
		case entries == maxEntries:
			return nil, "", fmt.Errorf("the repository has more than %d entries", maxEntries)
		case !slices.Contains([]string{"kustomization.yaml", "kustomization.yml", "Kustomization"}, path.Base(name)):
		case entry.Mode == filemode.Symlink:
			linked = name
		case entry.Mode.IsFile():
			found = append(found, name)
		}
	}
}
