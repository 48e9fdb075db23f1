package cluster

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestBrokenComponentIsExplainedAndLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	bin := t.TempDir()
	for _, name := range programs {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\necho the disk is on fire\nexit 3\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(assetsVar, bin)
	_, err := Start(t.Context(), Options{Progress: io.Discard})
	if err == nil {
		t.Fatal("started")
	}
	for _, part := range []string{"wait for etcd", "exit status 3", "the disk is on fire", "etcd.log"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error does not say %q: %v", part, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "*", "run-*")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func TestSweepEndsWhatADeadOwnerLeftAndNothingElse(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	owned, err := newRunDir(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	left, err := newRunDir(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	orphan := exec.Command("sh", "-c", "while :; do sleep 1; done", left.path)
	stranger := exec.Command("sh", "-c", "while :; do sleep 1; done", "not of this run")
	for _, cmd := range []*exec.Cmd{orphan, stranger} {
		if err := startBound(cmd); err != nil {
			t.Fatal(err)
		}
		if err := left.record(cmd.Process.Pid); err != nil {
			t.Fatal(err)
		}
	}
	left.lock.release() // as the kernel does when an owner is killed

	if err := sweep(filepath.Dir(left.path)); err != nil {
		t.Fatal(err)
	}
	if err := orphan.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("the process of the dead owner: %v, want killed", err)
	}
	if !strings.Contains(commandLine(stranger.Process.Pid), "not of this run") {
		t.Error("a process that is not of the run was ended")
	}
	_ = stranger.Process.Kill()
	_ = stranger.Wait() // it was killed
	if _, err := os.Stat(left.path); !os.IsNotExist(err) {
		t.Errorf("folder of the dead owner: %v, want none", err)
	}
	if _, err := os.Stat(owned.path); err != nil {
		t.Errorf("folder of a living owner: %v", err)
	}
	if err := owned.remove(); err != nil {
		t.Error(err)
	}
}

func TestLockExcludesUntilReleased(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := tryLock(path)
	if err != nil || first == nil {
		t.Fatal(first, err)
	}
	if second, err := tryLock(path); second != nil || err != nil {
		t.Fatalf("second lock: %v, %v; want none", second, err)
	}
	waited := 0
	second, err := lock(t.Context(), path, func() {
		waited++
		first.release()
	})
	if err != nil || waited != 1 {
		t.Fatalf("waited %d times, %v; want once", waited, err)
	}
	second.release()
}

func TestBuildKeyFollowsTheNestedModules(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, module := range []string{"controlplane", "kwok"} {
		write(module+"/go.mod", "module x\n\nrequire (\n\tk8s.io/kubernetes v1.99.1\n\tsigs.k8s.io/kwok v0.9.9\n)\n")
		write(module+"/go.sum", "")
		write(module+"/main.go", "package main\n")
	}
	before, err := planFrom(dir)
	if err != nil || !strings.HasPrefix(before.key, "v1.99.1-kwok-v0.9.9-go") {
		t.Fatalf("key %q, %v", before.key, err)
	}
	write("kwok/main.go", "package main\n\n// changed\n")
	after, err := planFrom(dir)
	if err != nil || after.key == before.key {
		t.Fatalf("key %q after a change, %q before, %v", after.key, before.key, err)
	}
	write("kwok/go.mod", "module x\n")
	if _, err := planFrom(dir); err == nil || !strings.Contains(err.Error(), "does not require sigs.k8s.io/kwok") {
		t.Fatalf("got %v", err)
	}
}

func TestStagesHaveUniqueNames(t *testing.T) {
	stages, err := Stages()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(stages)) {
		var name string
		if _, err := fmt.Sscanf(line, "metadata: {name: %s", &name); err != nil {
			continue
		}
		if seen[name] {
			t.Errorf("two stages are named %s", name)
		}
		seen[name] = true
	}
	if len(seen) < 15 || strings.Contains(string(stages), "[[ ") {
		t.Errorf("%d stages, or a template that was not rendered", len(seen))
	}
}
