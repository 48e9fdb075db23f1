package cluster

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	progressEvery = 15 * time.Second
	pruneAfter    = 30 * 24 * time.Hour
)

// built returns the cached folder of programs, building it if this key was never built.
func built(ctx context.Context, progress io.Writer) (string, error) {
	source, err := moduleDir(ctx)
	if err != nil {
		return "", err
	}
	p, err := planFrom(filepath.Join(source, "test", "cluster"))
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w", err)
	}
	root := filepath.Join(cache, "moorgate", "cluster")
	dir := filepath.Join(root, p.key)
	if len(missingFrom(dir)) == 0 {
		_ = os.Chtimes(dir, time.Now(), time.Now()) // in use: not to be pruned
		return dir, nil
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", fmt.Errorf("make the cache folder: %w", err)
	}
	waiting := every(progressEvery, func(since time.Duration) {
		say(progress, "another process is building the cluster's programs; waited %s", since)
	})
	l, err := lock(ctx, filepath.Join(root, "build.lock"), waiting)
	if err != nil {
		return "", fmt.Errorf("wait for another build: %w", err)
	}
	defer l.release()
	if len(missingFrom(dir)) == 0 {
		return dir, nil
	}
	if err := p.build(ctx, root, progress); err != nil {
		return "", err
	}
	prune(root, p.key, progress)
	return dir, nil
}

// build makes every program beside its final place and renames the folder at the end: a folder under a key is always whole.
func (p plan) build(ctx context.Context, root string, progress io.Writer) error {
	work := filepath.Join(root, "building")
	if err := os.RemoveAll(work); err != nil {
		return fmt.Errorf("clear an unfinished build: %w", err)
	}
	for _, r := range p.recipes {
		if err := r.build(ctx, work, progress); err != nil {
			return err
		}
	}
	dir := filepath.Join(root, p.key)
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("clear a damaged build: %w", err)
	}
	if err := os.Rename(work, dir); err != nil {
		return fmt.Errorf("keep the built programs: %w", err)
	}
	return nil
}

func (r recipe) build(ctx context.Context, work string, progress io.Writer) error {
	say(progress, "building %s from source: the first time takes %s, then it is cached", r.what, r.takes)
	began := time.Now()
	output := filepath.Join(work, r.output)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags="+r.ldflags, "-o", output, ".")
	cmd.Dir = r.dir
	cmd.Env = append(cmd.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // the compilers too
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := startBound(cmd); err != nil {
		return fmt.Errorf("build %s: %w", r.what, err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	still := time.NewTicker(progressEvery)
	defer still.Stop()
	for {
		select {
		case <-still.C:
			say(progress, "building %s: %s so far (the first time takes %s)", r.what, time.Since(began).Round(time.Second), r.takes)
		case err := <-done:
			if ctx.Err() != nil {
				return fmt.Errorf("build %s: %w after %s; what was compiled so far is kept, so building again is quicker: "+
					"go run ./test/cluster/cmd/cluster --build-only", r.what, ctx.Err(), time.Since(began).Round(time.Second))
			}
			if err != nil {
				return fmt.Errorf("build %s: %w\n%s", r.what, err, said.String())
			}
			return r.alias(work)
		}
	}
}

// alias gives the program its names.
func (r recipe) alias(work string) error {
	for _, name := range r.as {
		if err := os.Symlink(r.output, filepath.Join(work, name)); err != nil {
			return fmt.Errorf("name %s: %w", name, err)
		}
	}
	return nil
}

// every returns a function that calls say at most once per period, and the first time at once.
func every(period time.Duration, say func(since time.Duration)) func() {
	began := time.Now()
	var last time.Time
	return func() {
		if time.Since(last) < period {
			return
		}
		last = time.Now()
		say(time.Since(began).Round(time.Second))
	}
}

// prune removes builds that nobody used for a month, and says which. Running programs keep their files until they end.
func prune(root, keep string, progress io.Writer) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return // the next build tries again
	}
	for _, e := range entries {
		stat, err := e.Info()
		if err != nil || !e.IsDir() || e.Name() == keep || time.Since(stat.ModTime()) < pruneAfter {
			continue
		}
		old := filepath.Join(root, e.Name())
		if err := os.RemoveAll(old); err == nil {
			say(progress, "removed %s, unused for a month", old)
		}
	}
}
