//go:build unix

package audit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"moorgate.dev/internal/gate"
)

// lockDir takes the directory for this process alone. The operating system ends the lock with the process, so there are
// no stale ones. The file says who holds it, for people and for the error that the next one gets.
//
// Both are locked: the file can be removed under its holder, the directory cannot (then there is no log either), but NFS
// locks no directories.
func lockDir(dir string) (dirLock, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return dirLock{}, fmt.Errorf("open the lock: %w", err)
	}
	d, err := os.Open(dir)
	if err != nil {
		return dirLock{}, errors.Join(fmt.Errorf("open the directory to lock it: %w", err), file.Close())
	}
	err = flock(d)
	if errors.Is(err, syscall.EBADF) || errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.EINVAL) {
		err = nil // this file system locks files only
	}
	if err == nil {
		err = flock(file)
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%s has it open; one process at a time may write: %w", holder(file), err)
	} else if err == nil {
		err = sign(file)
	}
	l := dirLock{dir: d, file: file}
	if err != nil {
		return dirLock{}, errors.Join(err, l.Close())
	}
	return l, nil
}

func flock(f *os.File) error {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return nil
}

// sign writes into the file who holds the lock.
func sign(f *os.File) error {
	host, err := os.Hostname()
	if err != nil {
		host = "an unnamed host"
	}
	if err = f.Truncate(0); err == nil {
		_, err = fmt.Fprintf(f, "process %d (%s) on %s\n", os.Getpid(), filepath.Base(os.Args[0]), host)
	}
	if err != nil {
		return fmt.Errorf("write who holds the lock: %w", err)
	}
	return nil
}

// holder is who the file says has the lock.
func holder(f *os.File) string {
	b, _ := io.ReadAll(io.LimitReader(f, 200)) // whoever it is, we do not get the lock
	if s := gate.OneLine(string(b), 120); s != "" {
		return s
	}
	return "another process"
}
