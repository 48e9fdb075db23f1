package forge

import (
	"context"
	"fmt"

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
	limits := r.Limits.withDefaults()
	var total int64
	for _, b := range t.Files {
		total += int64(len(b))
	}
	asked := map[string]bool{}
	for range maxRounds {
		found := false
		for _, name := range r.Beyond(t.Files, folder) {
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
			if err != nil || !entry.Mode.IsFile() {
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
