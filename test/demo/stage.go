package main

import (
	"bufio"
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"moorgate.dev/test/cluster"
	"moorgate.dev/test/github"
	"moorgate.dev/test/openai"
	"moorgate.dev/test/process"
)

//go:embed story
var story embed.FS

const (
	seenIn  = 2 * time.Minute // for an effect to show
	between = 200 * time.Millisecond
)

// stage is the running cluster with Moorgate on it.
type stage struct {
	cluster *cluster.Cluster
	binary  string
	dir     string // scratch, removed with the cluster
	process *process.Moorgate
	model   *openai.Server
	github  *github.Server
	repo    *github.Repo // acme/catalog
	out     *screen
}

// newStage starts the cluster and Moorgate. The caller closes the stage, also after an error.
func newStage(ctx context.Context, binary string) (*stage, error) {
	s := &stage{out: newScreen(os.Stdout)}
	var err error
	if s.binary, err = filepath.Abs(binary); err != nil {
		return s, fmt.Errorf("find the moorgate binary: %w", err)
	}
	if _, err := os.Stat(s.binary); err != nil {
		return s, fmt.Errorf("find the moorgate binary (make build makes it): %w", err)
	}
	s.out.heading("Starting a Kubernetes control plane with three simulated nodes")
	if s.cluster, err = cluster.Start(ctx, cluster.Options{}); err != nil {
		return s, err
	}
	s.dir = filepath.Join(s.cluster.Dir(), "demo")
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return s, fmt.Errorf("make a scratch folder: %w", err)
	}
	s.out.heading("Installing Moorgate: its kinds, three identities with their rights, and the fences around them")
	s.out.command("moorgate install")
	if err := process.Install(ctx, s.binary, s.cluster, io.Discard); err != nil {
		return s, err
	}
	s.out.command("moorgate run --url https://127.0.0.1:PORT --webhook-kubeconfig FILE --judge-kubeconfig FILE --act-kubeconfig FILE --model FILE --github-url URL --github-token-file FILE")
	model, err := s.startModel()
	if err != nil {
		return s, err
	}
	hub, err := s.startGitHub()
	if err != nil {
		return s, err
	}
	s.process, err = process.Start(ctx, s.cluster, process.Options{Binary: s.binary, Dir: s.dir,
		Args: append(hub, "--act-every", "2s", "--healthy-delay", "10s", "--github-follow", "2s", "--model", model)})
	return s, err
}

// close ends Moorgate, then the cluster, and removes what they left.
func (s *stage) close() {
	if s.process != nil {
		s.process.Stop()
	}
	if s.model != nil {
		s.model.Close()
	}
	if s.github != nil {
		s.github.Close()
	}
	if s.cluster != nil {
		s.cluster.Stop()
	}
}

// wait polls until check is true. It fails when the deadline passes or Moorgate has ended.
func (s *stage) wait(ctx context.Context, what string, check func() (bool, error)) error {
	deadline := time.After(seenIn)
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
		case <-s.process.Exited():
			return fmt.Errorf("wait for %s: moorgate ended:\n%s", what, s.process.LogTail())
		case <-deadline:
			return fmt.Errorf("wait for %s: not within %s; the end of Moorgate's log:\n%s", what, seenIn, s.process.LogTail())
		case <-time.After(between):
		}
	}
}

// kubectl runs kubectl before the audience and returns whether it succeeded.
func (s *stage) kubectl(ctx context.Context, args ...string) bool {
	return s.show(s.cluster.Kubectl(ctx, args...), "kubectl", args) == nil
}

// moorgate runs the binary before the audience.
func (s *stage) moorgate(ctx context.Context, args ...string) error {
	if err := s.show(exec.CommandContext(ctx, s.binary, args...), "moorgate", args); err != nil {
		return fmt.Errorf("run moorgate %s: %w", args[0], err)
	}
	return nil
}

// differs has moorgate diff tell of a difference, which its exit code says too.
func (s *stage) differs(ctx context.Context, args ...string) error {
	err := s.moorgate(ctx, append([]string{"diff"}, args...)...)
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.ExitCode() == 1 {
		return nil
	}
	if err == nil {
		err = errors.New("moorgate diff found nothing that differs")
	}
	return err
}

// show runs a command and prints it with what it says. Paths of the scratch folder are left out of what is shown.
func (s *stage) show(cmd *exec.Cmd, name string, args []string) error {
	s.out.command(name + " " + strings.ReplaceAll(strings.Join(args, " "), s.dir+"/", ""))
	out, err := cmd.CombinedOutput()
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		s.out.output(strings.ReplaceAll(lines.Text(), s.dir+"/", ""))
	}
	return err
}

// get asks kubectl in silence. That there is nothing to get is no error.
func (s *stage) get(ctx context.Context, args ...string) (string, error) {
	out, err := s.cluster.Kubectl(ctx, args...).Output()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return "", err
	}
	return strings.TrimSpace(string(out)), nil
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
