package process

import (
	"bytes"
	"cmp"
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
	"time"

	"moorgate.dev/test/cluster"
)

const (
	attempts  = 3
	readyIn   = time.Minute
	pollEvery = 100 * time.Millisecond
)

// errPortTaken means that another process took a port between our choosing it and Moorgate's listening on it.
var errPortTaken = errors.New("a port was taken by another process")

// Start starts Moorgate on a cluster where it is installed, and waits until it is ready. It runs until Stop, not until
// ctx ends.
func Start(ctx context.Context, c *cluster.Cluster, o Options) (*Moorgate, error) {
	webhook, err := c.ServiceAccountKubeconfig(ctx, namespace, "moorgate-webhook")
	if err != nil {
		return nil, err
	}
	judge, err := c.ServiceAccountKubeconfig(ctx, namespace, "moorgate-judge")
	if err != nil {
		return nil, err
	}
	act, err := c.ServiceAccountKubeconfig(ctx, namespace, "moorgate-act")
	if err != nil {
		return nil, err
	}
	o.Args = append([]string{"--webhook-kubeconfig", webhook, "--judge-kubeconfig", judge, "--act-kubeconfig", act, "--audit-listen", "", "--local-git", "--drift-every", "1s"}, o.Args...)
	return launch(ctx, o)
}

// StartPart starts one part alone, "webhook" or "judge", under its own ServiceAccount, and waits until it is ready, as Start does.
func StartPart(ctx context.Context, c *cluster.Cluster, part string, o Options) (*Moorgate, error) {
	identity, err := c.ServiceAccountKubeconfig(ctx, namespace, "moorgate-"+part)
	if err != nil {
		return nil, err
	}
	o.part, o.Args = part, append([]string{"--kubeconfig", identity}, o.Args...)
	return launch(ctx, o)
}

// launch tries anew, with other ports where it chooses them, while somebody is faster to take them.
func launch(ctx context.Context, o Options) (*Moorgate, error) {
	for attempt := 1; ; attempt++ {
		m, err := launchOnce(ctx, o)
		if err == nil || attempt == attempts || !errors.Is(err, errPortTaken) {
			return m, err
		}
	}
}

// launchOnce leaves no process behind when it fails.
func launchOnce(ctx context.Context, o Options) (*Moorgate, error) {
	free, err := freeAddresses(2)
	if err != nil {
		return nil, err
	}
	m := &Moorgate{AuditDir: filepath.Join(o.Dir, "audit"), LogFile: filepath.Join(o.Dir, "moorgate.log"),
		address: o.Address, health: free[1], exited: make(chan struct{})}
	if m.address == "" {
		m.address = free[0]
	}
	args := []string{cmp.Or(o.part, "run"), "--audit-dir", m.AuditDir, "--health", m.health}
	if o.part == "judge" {
		args = append(args, "--audit-listen", m.address)
	} else {
		args = append(args, "--listen", m.address, "--url", "https://"+m.address)
	}
	if err := m.start(o.Binary, append(args, o.Args...)); err != nil {
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
	defer func() { _ = log.Close() }() // the process has its own
	if m.began, err = log.Seek(0, io.SeekEnd); err != nil {
		return fmt.Errorf("find the end of Moorgate's log: %w", err)
	}
	m.cmd = exec.Command(binary, args...)
	m.cmd.Stdout, m.cmd.Stderr = log, log
	if err := cluster.StartBound(m.cmd); err != nil {
		return fmt.Errorf("start moorgate: %w", err)
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
		select {
		case <-m.exited:
			return fmt.Errorf("moorgate ended before it was ready (%w):\n%s", m.failure(), m.LogTail())
		default:
		}
		if why == nil {
			return nil
		}
		select {
		case <-m.exited: // told above
		case <-ctx.Done():
			return fmt.Errorf("moorgate is not ready (%w): %w; the end of its log:\n%s", ctx.Err(), why, m.LogTail())
		case <-time.After(pollEvery):
		}
	}
}

// failure is how the process ended, once it has.
func (m *Moorgate) failure() error {
	log, err := os.ReadFile(m.LogFile)
	if err == nil && bytes.Contains(log[min(m.began, int64(len(log))):], []byte("address already in use")) {
		return fmt.Errorf("%w: %w", errPortTaken, m.exit)
	}
	return m.exit
}

// ready asks Moorgate whether it is, and believes no other server that took the port.
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
	if err != nil {
		return err
	}
	return listens(m.cmd.Process.Pid, m.health)
}

// freeAddresses picks addresses that are free now, each another. Somebody may take one before Moorgate listens.
func freeAddresses(n int) ([]string, error) {
	var all []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close() // not before all are chosen
		all = append(all, l.Addr().String())
	}
	return all, nil
}
