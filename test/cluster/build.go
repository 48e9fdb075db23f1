package cluster

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	progressEvery = 15 * time.Second
	pruneAfter    = 30 * 24 * time.Hour
)

// recipe builds one program of a nested module; the program answers to every name in as.
type recipe struct {
	dir, output, ldflags string
	as                   []string
	what, takes          string
}

// plan is what to build, and the key under which the result is kept.
type plan struct {
	key     string
	recipes []recipe
}

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

// moduleDir is where Moorgate's source is. The go command knows, in a checkout, in a workspace and in the module cache alike.
func moduleDir(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "moorgate.dev").Output()
	if err != nil {
		return "", fmt.Errorf("find Moorgate's source with go list (run inside the module, or set %s): %w", assetsVar, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// planFrom reads the nested modules: their requirements are the one place that says which versions are built.
func planFrom(dir string) (plan, error) {
	hash := sha256.New()
	for _, name := range []string{"controlplane", "kwok"} {
		for _, file := range []string{"go.mod", "go.sum", "main.go"} {
			content, err := os.ReadFile(filepath.Join(dir, name, file))
			if err != nil {
				return plan{}, fmt.Errorf("read the source of %s: %w", name, err)
			}
			fmt.Fprintf(hash, "%s/%s %d\n%s", name, file, len(content), content)
		}
	}
	kubernetes, err := required(filepath.Join(dir, "controlplane", "go.mod"), "k8s.io/kubernetes")
	if err != nil {
		return plan{}, err
	}
	kwok, err := required(filepath.Join(dir, "kwok", "go.mod"), "sigs.k8s.io/kwok")
	if err != nil {
		return plan{}, err
	}
	stamp := "-X k8s.io/component-base/version.gitVersion=" + kubernetes + " -X k8s.io/client-go/pkg/version.gitVersion=" + kubernetes
	return plan{
		key: fmt.Sprintf("%s-kwok-%s-%s-%s-%s-%x", kubernetes, kwok, runtime.Version(), runtime.GOOS, runtime.GOARCH, hash.Sum(nil)[:6]),
		recipes: []recipe{
			{dir: filepath.Join(dir, "controlplane"), output: "controlplane", ldflags: "-s -w " + stamp,
				as:   []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"},
				what: "Kubernetes " + kubernetes, takes: "about 11 minutes on 2 cores"},
			{dir: filepath.Join(dir, "kwok"), output: "kwok", ldflags: "-s -w",
				what: "KWOK " + kwok, takes: "about 3 minutes on 2 cores"},
		},
	}, nil
}

// required is the version of module that the go.mod at path requires.
func required(path, module string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read required versions: %w", err)
	}
	match := regexp.MustCompile(`(?m)^\s*(?:require\s+)?` + regexp.QuoteMeta(module) + `\s+(v\S+)`).FindSubmatch(content)
	if match == nil {
		return "", fmt.Errorf("read required versions: %s does not require %s", path, module)
	}
	return string(match[1]), nil
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
