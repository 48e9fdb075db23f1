package cluster

import (
	"os"
	"path/filepath"
	"testing"
)

// A killed test leaves its files; the next start of a cluster clears them away, also those of a cluster that was only given.
func TestSweepRemovesTheFilesOfAKilledUserOfAGivenCluster(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "kubectl"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	kubeconfig := filepath.Join(bin, "kubeconfig")
	if err := os.WriteFile(kubeconfig, []byte(`{"clusters":[{"name":"c","cluster":{"server":"https://127.0.0.1:1"}}],
		"contexts":[{"name":"c","context":{"cluster":"c"}}],"current-context":"c"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(existingVar, kubeconfig)
	c, err := startOrConnect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetLogs("a line"); err == nil {
		t.Error("the logs of a cluster that was only given were replaced")
	}
	if err := c.Log("shop", "web-*", "app", "a line"); err == nil {
		t.Error("a container of a cluster that was only given got another log")
	}
	if err := c.Usage(t.Context(), "shop", "web-*", "app", "1", "1Gi"); err == nil {
		t.Error("a container of a cluster that was only given got metrics")
	}
	if c.dir != nil {
		c.dir.lock.release() // as the kernel does when its owner is killed
	}
	next, err := newRunDir(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"moorgate-cluster-*/run-*", "moorgate-cluster-*"} {
		left, err := filepath.Glob(filepath.Join(os.TempDir(), pattern))
		if err != nil || len(left) != 1 {
			t.Errorf("left %v, %v; want only %s", left, err, next.path)
		}
	}
	if err := next.remove(); err != nil {
		t.Error(err)
	}
}
