package audit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// replaceFile puts a small file on stable storage whole, with mode 0600: whoever looks, also after a power cut, finds what
// was there before or what is there now. Nobody else may replace the same file meanwhile.
func replaceFile(dir, name string, content []byte, fsync func(*os.File) error) error {
	f, err := os.OpenFile(filepath.Join(dir, "."+name+".new"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("begin %s: %w", name, err)
	}
	_, err = f.Write(content)
	if err == nil {
		err = fsync(f)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		os.Remove(f.Name()) // as far as possible: what matters is told
		return fmt.Errorf("write %s: %w", name, err)
	}
	return syncDir(dir, fsync)
}

// readSmall reads a file that has no business to be larger than limit bytes.
func readSmall(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only: nothing can be lost
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s has more than %d bytes", path, limit)
	}
	return b, err
}
