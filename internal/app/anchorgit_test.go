package app

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/forge"
	"moorgate.dev/internal/gate"
)

// What the cluster remembers of a log is remembered in a real Git repository too, and proves the log without the cluster.
func TestAnchorsAreRememberedInGit(t *testing.T) {
	_, api := installedOn(t)
	discard, anchors := slog.New(slog.DiscardHandler), cluster.Anchors{Client: api}
	log, err := openLog(t.Context(), filepath.Join(t.TempDir(), "log"), audit.Options{Now: time.Now, Name: "act"}, discard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), gate.Record{Kind: gate.RecordNote, Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	if err := log.close(); err != nil {
		t.Fatal(err)
	}
	if err := (&anchoring{log: log, anchors: anchors, logger: discard}).remember(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := anchors.Set(t.Context(), caPrefix+"test", "roots"); err != nil {
		t.Fatal(err)
	}

	repository := repositoryWith(t, "README.md")
	g := gitAnchors{anchors: anchors, logger: discard, repo: forge.Repository{URL: "file://" + repository, Branch: "main", Path: "clusters/one"},
		writer: forge.Writer{Reader: forge.Reader{Local: true}, Name: "Moorgate", Email: "moorgate@example.com", Now: time.Now}}
	for range 2 { // the second changes nothing
		if err := g.copy(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	folder := "main:clusters/one/" + anchorFolder + "/"
	signed, keys := gitSays(t, repository, "show", folder+log.id()), gitSays(t, repository, "show", folder+log.id()+keysSuffix)
	if _, err := audit.Verify(log.dir, audit.Anchor{Checkpoint: []byte(signed), Keys: strings.Fields(keys)}); err != nil {
		t.Errorf("what Git remembers does not prove the log: %v", err)
	}
	if n := strings.TrimSpace(gitSays(t, repository, "rev-list", "--count", "main")); n != "2" {
		t.Errorf("the branch has %s commits, want one for the anchors", n)
	}
	if listed := gitSays(t, repository, "ls-tree", "--name-only", folder); strings.Contains(listed, caPrefix) {
		t.Errorf("roots to trust are no anchors: %s", listed)
	}
}

// repositoryWith is a Git repository with one file on its branch main.
func repositoryWith(t *testing.T, file string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, file), []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	gitSays(t, dir, "init", "-q", "-b", "main")
	gitSays(t, dir, "add", file)
	gitSays(t, dir, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "x")
	return dir
}

func gitSays(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(context.WithoutCancel(t.Context()), "git", append([]string{"-C", dir, "-c", "safe.directory=*"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}
