package cluster_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"moorgate.dev/test/cluster"
)

// ownCluster is what the re-executed test binary does: it never stops what it starts.
func ownCluster() {
	c, err := cluster.Start(context.Background(), cluster.Options{Nodes: cluster.NodeOptions{Count: -1}})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(filepath.Dir(c.Kubeconfig()))
	select {}
}

func TestKilledOwnerLeavesNoProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a cluster; -short is set")
	}
	owner, dir := startOwner(t)
	recorded, err := os.ReadFile(filepath.Join(dir, "pids"))
	if err != nil {
		t.Fatal(err)
	}
	pids := strings.Fields(string(recorded))
	if len(pids) != 5 {
		t.Fatalf("%d components, want 5", len(pids))
	}
	if err := owner.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait() // it was killed
	eventually(t, "no component left", func(context.Context) error {
		for _, pid := range pids {
			if alive(pid, dir) {
				return fmt.Errorf("process %s still runs in %s", pid, dir)
			}
		}
		return nil
	})

	c, err := cluster.Start(t.Context(), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c.Stop()
	for whose, path := range map[string]string{"the killed run": dir, "the stopped run": filepath.Dir(c.Kubeconfig())} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("folder of %s: %v, want none", whose, err)
		}
	}
}

// startOwner starts a process that owns a cluster, and returns it with the folder of its run.
func startOwner(t *testing.T) (*exec.Cmd, string) {
	t.Helper()
	owner := exec.CommandContext(t.Context(), os.Args[0])
	owner.Env = append(owner.Environ(), ownerVar+"=1")
	owner.Stderr = os.Stderr
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	dir := strings.TrimSpace(line)
	if err != nil || !filepath.IsAbs(dir) {
		t.Fatalf("start a cluster in another process: %q, %v", line, err)
	}
	return owner, dir
}

// alive tells whether a process of the run in dir still has that pid.
func alive(pid, dir string) bool {
	out, err := exec.Command("ps", "-ww", "-o", "stat=,args=", "-p", pid).Output()
	return err == nil && strings.Contains(string(out), dir) && !strings.HasPrefix(string(out), "Z")
}
