package main

import (
	"bufio"
	"bytes"
	"context"
	"embed"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"moorgate.dev/test/cluster"
)

//go:embed story
var story embed.FS

const (
	namespace = "moorgate-system"
	readyIn   = 60 * time.Second // for Moorgate to come up
	seenIn    = 45 * time.Second // for an effect to show
	between   = 200 * time.Millisecond
)

// stage is the running cluster with Moorgate on it.
type stage struct {
	cluster  *cluster.Cluster
	moorgate string // the binary
	dir      string // scratch, removed at the end
	process  *exec.Cmd
	exited   chan error
	out      *screen
}

// newStage starts the cluster and Moorgate. The caller closes the stage, also after an error.
func newStage(ctx context.Context, moorgate string) (*stage, error) {
	s := &stage{out: newScreen(os.Stdout), exited: make(chan error, 1)}
	var err error
	if s.moorgate, err = filepath.Abs(moorgate); err != nil {
		return s, fmt.Errorf("find the moorgate binary: %w", err)
	}
	if _, err := os.Stat(s.moorgate); err != nil {
		return s, fmt.Errorf("find the moorgate binary (make build makes it): %w", err)
	}
	if s.dir, err = os.MkdirTemp("", "moorgate-demo-"); err != nil {
		return s, fmt.Errorf("make a scratch folder: %w", err)
	}
	s.out.heading("Starting a Kubernetes control plane with three simulated nodes")
	if s.cluster, err = cluster.Start(ctx, cluster.Options{}); err != nil {
		return s, err
	}
	s.out.heading("Installing Moorgate: its kinds, three identities with their rights, and the fences around them")
	if err := s.run(ctx, s.moorgate, "install", "--kubeconfig", s.cluster.Kubeconfig()); err != nil {
		return s, err
	}
	return s, s.start(ctx)
}

// start runs Moorgate as its users would on a laptop: one process, each part under its own identity.
func (s *stage) start(ctx context.Context) error {
	webhook, err := s.cluster.ServiceAccountKubeconfig(ctx, namespace, "moorgate-webhook")
	if err != nil {
		return err
	}
	judge, err := s.cluster.ServiceAccountKubeconfig(ctx, namespace, "moorgate-judge")
	if err != nil {
		return err
	}
	listen, err := freeAddress()
	if err != nil {
		return err
	}
	health, err := freeAddress()
	if err != nil {
		return err
	}
	logs, err := os.Create(filepath.Join(s.dir, "moorgate.log"))
	if err != nil {
		return fmt.Errorf("open Moorgate's log: %w", err)
	}
	defer logs.Close()
	s.process = exec.Command(s.moorgate, "run", "--webhook-kubeconfig", webhook, "--judge-kubeconfig", judge,
		"--audit-dir", s.audit(), "--listen", listen, "--url", "https://"+listen, "--health", health, "--drift-every", "2s")
	s.process.Stdout, s.process.Stderr = logs, logs
	if err := s.process.Start(); err != nil {
		return fmt.Errorf("start moorgate run: %w", err)
	}
	go func() { s.exited <- s.process.Wait() }()
	return s.wait(ctx, readyIn, "Moorgate to be ready", func() (bool, error) {
		resp, err := http.Get("http://" + health + "/readyz")
		if err != nil {
			return false, nil
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK, nil
	})
}

func (s *stage) audit() string { return filepath.Join(s.dir, "audit") }

// close ends Moorgate, then the cluster, and removes what they left.
func (s *stage) close() {
	if s.process != nil && s.process.Process != nil {
		_ = s.process.Process.Signal(os.Interrupt)
		select {
		case <-s.exited:
		case <-time.After(15 * time.Second):
			_ = s.process.Process.Kill()
		}
	}
	if s.cluster != nil {
		s.cluster.Stop()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// wait polls until check is true. It fails when the deadline passes or Moorgate has ended.
func (s *stage) wait(ctx context.Context, most time.Duration, what string, check func() (bool, error)) error {
	deadline := time.After(most)
	for {
		ok, err := check()
		if err != nil {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-s.exited:
			s.exited <- err
			return fmt.Errorf("wait for %s: moorgate ended (%v):\n%s", what, err, s.logTail())
		case <-deadline:
			return fmt.Errorf("wait for %s: not within %s; the end of Moorgate's log:\n%s", what, most, s.logTail())
		case <-time.After(between):
		}
	}
}

func (s *stage) logTail() string {
	b, err := os.ReadFile(filepath.Join(s.dir, "moorgate.log"))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}

// kubectl runs kubectl before the audience and returns whether it succeeded.
func (s *stage) kubectl(ctx context.Context, args ...string) bool {
	s.out.command("kubectl " + strings.Join(args, " "))
	cmd := s.cluster.Kubectl(ctx, args...)
	out, err := cmd.CombinedOutput()
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		s.out.output(lines.Text())
	}
	return err == nil
}

// get asks kubectl in silence.
func (s *stage) get(ctx context.Context, args ...string) (string, error) {
	out, err := s.cluster.Kubectl(ctx, args...).Output()
	var failed *exec.ExitError
	if err != nil && !isExit(err, &failed) {
		return "", err
	}
	return strings.TrimSpace(string(out)), nil
}

// run runs a program before the audience.
func (s *stage) run(ctx context.Context, name string, args ...string) error {
	s.out.command("moorgate " + strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, name, args...)
	out, err := cmd.CombinedOutput()
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		s.out.output(lines.Text())
	}
	if err != nil {
		return fmt.Errorf("run moorgate %s: %w", args[0], err)
	}
	return nil
}

// file copies a file of the story to the scratch folder and returns its path.
func (s *stage) file(name string) (string, error) {
	b, err := story.ReadFile("story/" + name)
	if err != nil {
		return "", fmt.Errorf("find the story's %s: %w", name, err)
	}
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return "", fmt.Errorf("write the story's %s: %w", name, err)
	}
	return path, nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}
