package certs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

const keepVersions = 2 // the current one, and one for a reader that is a moment late

// Folder is a Store in a folder of files, for a laptop. Each version is a folder of its own, 0700 with files of 0600, that
// appears whole or not at all, by a rename; the highest number is current. A rename onto a version that is there already
// fails, and that is the compare-and-swap.
type Folder string

// Load reads the current version.
func (f Folder) Load(context.Context) (map[string][]byte, string, error) {
	version, err := f.current()
	if err != nil || version == 0 {
		return nil, "0", err
	}
	files := map[string][]byte{}
	for _, name := range []string{fileRoots, fileRootKeys, fileLeaf, fileLeafKey} {
		content, err := os.ReadFile(filepath.Join(f.dir(version), name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, "", fmt.Errorf("read the serving certificate: %w", err)
		}
		files[name] = content
	}
	return files, strconv.Itoa(version), nil
}

// Save makes the version after the given one.
func (f Folder) Save(_ context.Context, files map[string][]byte, version string) error {
	n, err := strconv.Atoi(version)
	if err != nil {
		return fmt.Errorf("save over version %q: %w", version, err)
	}
	switch now, err := f.current(); {
	case err != nil:
		return err
	case now != n:
		return ErrConflict
	}
	draft, err := os.MkdirTemp(string(f), "draft-")
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(string(f), 0o700); err == nil {
			draft, err = os.MkdirTemp(string(f), "draft-")
		}
	}
	if err != nil {
		return fmt.Errorf("make a folder for the serving certificate: %w", err)
	}
	defer func() { _ = os.RemoveAll(draft) }() // gone already if it was renamed
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(draft, name), content, 0o600); err != nil {
			return fmt.Errorf("write the serving certificate: %w", err)
		}
	}
	if err := os.Rename(draft, f.dir(n+1)); err != nil {
		if _, there := os.Stat(f.dir(n + 1)); there == nil {
			return ErrConflict
		}
		return fmt.Errorf("put the serving certificate in place: %w", err)
	}
	if old := n + 1 - keepVersions; old > 0 {
		_ = os.RemoveAll(f.dir(old)) // tried again with the next version
	}
	return nil
}

// current is the highest version; 0 is none.
func (f Folder) current() (int, error) {
	entries, err := os.ReadDir(string(f))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("read the folder of the serving certificate: %w", err)
	}
	highest := 0
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && e.IsDir() {
			highest = max(highest, n)
		}
	}
	return highest, nil
}

func (f Folder) dir(version int) string {
	return filepath.Join(string(f), fmt.Sprintf("%06d", version))
}
