package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	ownerLock = "owner.lock"
	pidFile   = "pids"
)

// runDir is the folder of one running cluster. Its owner holds a lock in it; a folder whose lock is free was left by an owner that
// did not end well.
type runDir struct {
	path string
	lock *fileLock
}

// newRunDir makes a folder for one cluster, after clearing away what killed runs left.
func newRunDir(ctx context.Context) (*runDir, error) {
	root, err := runRoot()
	if err != nil {
		return nil, err
	}
	// Under this lock nobody sees a folder between its creation and its owner's lock.
	all, err := lock(ctx, filepath.Join(root, "all.lock"), nil)
	if err != nil {
		return nil, err
	}
	defer all.release()
	if err := sweep(root); err != nil {
		return nil, err
	}
	path, err := os.MkdirTemp(root, "run-")
	if err != nil {
		return nil, fmt.Errorf("make run folder: %w", err)
	}
	owner, err := tryLock(filepath.Join(path, ownerLock))
	if err != nil || owner == nil {
		return nil, fmt.Errorf("own run folder %s: %w", path, err)
	}
	return &runDir{path: path, lock: owner}, nil
}

// runRoot is this user's folder of running clusters. It refuses one that another user could have prepared.
func runRoot() (string, error) {
	root := filepath.Join(os.TempDir(), fmt.Sprintf("moorgate-cluster-%d", os.Getuid()))
	if err := os.Mkdir(root, 0o700); err != nil && !os.IsExist(err) {
		return "", fmt.Errorf("make folder of runs: %w", err)
	}
	stat, err := os.Lstat(root)
	if err != nil {
		return "", fmt.Errorf("look at folder of runs: %w", err)
	}
	sys, ok := stat.Sys().(*syscall.Stat_t)
	if !ok || !stat.IsDir() || int(sys.Uid) != os.Getuid() || stat.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("folder of runs %s is not a folder that only this user can enter: remove it", root)
	}
	return root, nil
}

// sweep ends the processes and removes the folders of clusters whose owner is gone.
func sweep(root string) error {
	runs, err := filepath.Glob(filepath.Join(root, "run-*"))
	if err != nil {
		return fmt.Errorf("list runs: %w", err)
	}
	for _, run := range runs {
		owner, err := tryLock(filepath.Join(run, ownerLock))
		if errors.Is(err, os.ErrNotExist) {
			continue // its owner just removed it
		}
		if err != nil {
			return fmt.Errorf("look for the owner of %s: %w", run, err)
		}
		if owner == nil {
			continue
		}
		endRecorded(run)
		err = os.RemoveAll(run)
		owner.release()
		if err != nil {
			return fmt.Errorf("remove what a killed run left: %w", err)
		}
	}
	return nil
}

// endRecorded kills the processes that run recorded and that are still its own: a pid may have been reused, so only a process whose
// command line names the run's folder counts.
func endRecorded(run string) {
	content, err := os.ReadFile(filepath.Join(run, pidFile))
	if err != nil {
		return // it recorded none
	}
	for line := range strings.Lines(string(content)) {
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil || pid < 2 || !strings.Contains(commandLine(pid), run) {
			continue
		}
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func (d *runDir) file(name string) string { return filepath.Join(d.path, name) }

// record notes a process of this run for a later sweep.
func (d *runDir) record(pid int) error {
	f, err := os.OpenFile(d.file(pidFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("record process: %w", err)
	}
	_, err = fmt.Fprintln(f, pid)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("record process: %w", err)
	}
	return nil
}

// remove deletes the folder. The lock is given back last, so that no sweep meets a half-removed folder.
func (d *runDir) remove() error {
	err := os.RemoveAll(d.path)
	d.lock.release()
	if err != nil {
		return fmt.Errorf("remove run folder: %w", err)
	}
	return nil
}
