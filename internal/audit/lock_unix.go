//go:build unix

package audit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// lockDir takes the directory for this process alone. The operating system ends the lock with the process, so there are
// no stale ones. The file says who holds it, for people and for the error that the next one gets.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close() // nothing was written
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock the directory: %w", err)
		}
		holder, _ := io.ReadAll(io.LimitReader(f, 200)) // whoever it is, we do not get the lock
		return nil, fmt.Errorf("%s has it open; one process at a time may write: %w", describe(holder), err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "an unnamed host"
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = fmt.Fprintf(f, "process %d (%s) on %s\n", os.Getpid(), filepath.Base(os.Args[0]), host)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write who holds the lock: %w", err), f.Close())
	}
	return f, nil
}

func describe(holder []byte) string {
	if s := printable(strings.TrimSpace(string(holder)), 120); s != "" {
		return s
	}
	return "another process"
}
