package app

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"moorgate.dev/drift"
)

// folderFiles and folderBytes bound what is read of a folder: as much as of a repository.
const (
	folderFiles = 2000
	folderBytes = 16 << 20
)

// readFolder reads the YAML files below a folder, or one file, by their paths as somebody here would open them. Links are not
// followed, and .git and the like are passed over.
func readFolder(folder string) (drift.Tree, error) {
	t := drift.Tree{Files: map[string][]byte{}}
	total := int64(0)
	err := filepath.WalkDir(folder, func(at string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case at == folder && e.Type()&fs.ModeSymlink != 0: // the one that somebody named
		case e.IsDir() && at != folder && strings.HasPrefix(e.Name(), "."):
			return fs.SkipDir
		case e.IsDir():
			return nil
		case e.Type()&fs.ModeSymlink != 0:
			t.Skipped = append(t.Skipped, fmt.Sprintf("%q is a symbolic link", at))
			return nil
		case !e.Type().IsRegular() || !slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(at)):
			return nil
		}
		content, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		if total += int64(len(content)); total > folderBytes || len(t.Files) == folderFiles {
			return fmt.Errorf("it has more than %d YAML files or %d MiB of them", folderFiles, folderBytes>>20)
		}
		t.Files[filepath.ToSlash(filepath.Clean(at))] = content
		return nil
	})
	if err != nil {
		return drift.Tree{}, fmt.Errorf("read %s: %w", folder, err)
	}
	if len(t.Files) == 0 {
		return drift.Tree{}, fmt.Errorf("there is no YAML file in %s", folder)
	}
	return t, nil
}
