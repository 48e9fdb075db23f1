// Package process runs the real moorgate binary on a test cluster: installed as its users install it, in one process or
// a process for each part, each part under its own ServiceAccount with only that one's rights.
//
// It is for tests and the demo. It never stands in for any part of Moorgate: what it starts is what ships.
package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"moorgate.dev/test/cluster"
)

const (
	namespace = "moorgate-system"

	stopIn    = 30 * time.Second
	tailLines = 20
)

// Build builds the binary into dir and returns its path. Go's build cache makes a second build quick.
func Build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "moorgate")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", path, "moorgate.dev").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build moorgate: %w\n%s", err, out)
	}
	return path, nil
}

// Install installs Moorgate's kinds, identities, rights and fences with the binary's own command. args are added to it.
func Install(ctx context.Context, binary string, c *cluster.Cluster, progress io.Writer, args ...string) error {
	cmd := exec.CommandContext(ctx, binary, append([]string{"install", "--kubeconfig", c.Kubeconfig()}, args...)...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = io.MultiWriter(progress, &out), &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("install Moorgate: %w\n%s", err, out.String())
	}
	return nil
}

// Moorgate is a running moorgate.
type Moorgate struct {
	AuditDir string
	LogFile  string

	address string // that the webhook listens on, the same after a restart
	cmd     *exec.Cmd
	began   int64 // how long the process's log was when it started
	health  string
	exited  chan struct{}
	exit    error
	stop    sync.Once
}

// Options say how to start.
type Options struct {
	Binary string
	// Dir holds the audit log, the certificate and the process's own log. A second start in the same folder goes on with
	// them.
	Dir string
	// Address that the webhook listens on. Empty: a free one.
	Address string
	// Args are added to the command line.
	Args []string

	part string // empty: all of them
}

// Address is the one that the webhook listens on.
func (m *Moorgate) Address() string { return m.address }

// PID is the number of the process.
func (m *Moorgate) PID() int { return m.cmd.Process.Pid }

// Exited is closed when the process has ended.
func (m *Moorgate) Exited() <-chan struct{} { return m.exited }

// Stop ends the process in an orderly way and waits for it. A process that does not end is killed.
func (m *Moorgate) Stop() {
	m.stop.Do(func() { _ = m.cmd.Process.Signal(os.Interrupt) })
	select {
	case <-m.exited:
	case <-time.After(stopIn):
		m.Kill()
	}
}

// Kill ends the process at once, as a crash would.
func (m *Moorgate) Kill() {
	_ = m.cmd.Process.Kill()
	<-m.exited
}

// LogTail is the end of the process's log.
func (m *Moorgate) LogTail() string {
	b, err := os.ReadFile(m.LogFile)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
