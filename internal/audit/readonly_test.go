//go:build linux

package audit

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

func TestReadOnlyDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error)
	go func() {
		if os.Getuid() == 0 { // root may write anywhere; this thread, which ends with the goroutine, may not
			runtime.LockOSThread()
			if err := errors.Join(os.Chown(dir, 65534, 65534), os.Chmod(filepath.Dir(dir), 0o755), syscall.Setfsuid(65534)); err != nil {
				failed <- err
				return
			}
		}
		_, err := Open(dir, Options{Now: noon})
		failed <- err
	}()
	err := <-failed
	wantError(t, err, "open the lock")
	if !errors.Is(err, os.ErrPermission) {
		t.Errorf("not a permission error: %v", err)
	}
}
