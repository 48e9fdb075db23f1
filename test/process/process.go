// Package process runs the real moorgate binary on a test cluster: installed as its users install it, in one process, each
// part under its own ServiceAccount with only that one's rights.
//
// It is for tests and the demo. It never stands in for any part of Moorgate: what it starts is what ships.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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

	readyIn   = time.Minute
	stopIn    = 30 * time.Second
	pollEvery = 100 * time.Millisecond
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

// Install installs Moorgate's kinds, identities, rights and fences with the binary's own command.
func Install(ctx context.Context, binary string, c *cluster.Cluster, progress io.Writer) error {
	cmd := exec.CommandContext(ctx, binary, "install", "--kubeconfig", c.Kubeconfig())
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
}

// Start starts `moorgate run` on a cluster where it is installed, and waits until it is ready. It runs until Stop, not until
// ctx ends.
func Start(ctx context.Context, c *cluster.Cluster, o Options) (*Moorgate, error) {
	m := &Moorgate{AuditDir: filepath.Join(o.Dir, "audit"), LogFile: filepath.Join(o.Dir, "moorgate.log"), address: o.Address, exited: make(chan struct{})}
	webhook, err := c.ServiceAccountKubeconfig(ctx, namespace, "moorgate-webhook")
	if err != nil {
		return nil, err
	}
	judge, err := c.ServiceAccountKubeconfig(ctx, namespace, "moorgate-judge")
	if err != nil {
		return nil, err
	}
	if m.address == "" {
		if m.address, err = freeAddress(); err != nil {
			return nil, err
		}
	}
	if m.health, err = freeAddress(); err != nil {
		return nil, err
	}
	args := append([]string{"run", "--webhook-kubeconfig", webhook, "--judge-kubeconfig", judge, "--audit-dir", m.AuditDir,
		"--listen", m.address, "--url", "https://" + m.address, "--health", m.health, "--local-git", "--drift-every", "1s"}, o.Args...)
	if err := m.start(o.Binary, args); err != nil {
		return nil, err
	}
	if err := m.waitReady(ctx); err != nil {
		m.Stop()
		return nil, err
	}
	return m, nil
}

func (m *Moorgate) start(binary string, args []string) error {
	log, err := os.OpenFile(m.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open Moorgate's log: %w", err)
	}
	m.cmd = exec.Command(binary, args...)
	m.cmd.Stdout, m.cmd.Stderr = log, log
	endWithParent(m.cmd)
	err = m.cmd.Start()
	_ = log.Close()
	if err != nil {
		return fmt.Errorf("start moorgate run: %w", err)
	}
	go func() {
		m.exit = m.cmd.Wait()
		close(m.exited)
	}()
	return nil
}

func (m *Moorgate) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyIn)
	defer cancel()
	for {
		why := m.ready(ctx)
		if why == nil {
			return nil
		}
		select {
		case <-m.exited:
			return fmt.Errorf("moorgate ended before it was ready (%w):\n%s", m.exit, m.LogTail())
		case <-ctx.Done():
			return fmt.Errorf("moorgate is not ready: %w; the end of its log:\n%s", why, m.LogTail())
		case <-time.After(pollEvery):
		}
	}
}

func (m *Moorgate) ready(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.health+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(strings.TrimSpace(string(text)))
	}
	return err
}

// Address is the one that the webhook listens on.
func (m *Moorgate) Address() string { return m.address }

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

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}
