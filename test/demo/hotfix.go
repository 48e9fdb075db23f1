package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"moorgate.dev/test/github"
)

// githubToken is what the demo's GitHub takes.
const githubToken = "a-token-of-the-demo"

// startGitHub starts a server that speaks as GitHub does, over a real bare repository, and returns the flags by which Moorgate opens
// pull requests there.
func (s *stage) startGitHub() ([]string, error) {
	s.github = github.Start(filepath.Join(s.dir, "github"), github.Options{Token: githubToken})
	var err error
	if s.repo, err = s.github.Add("acme", "catalog"); err != nil {
		return nil, err
	}
	file := filepath.Join(s.dir, "github-token")
	if err := os.WriteFile(file, []byte(githubToken), 0o600); err != nil {
		return nil, fmt.Errorf("write the token: %w", err)
	}
	return []string{"--github-url", s.github.URL, "--github-token-file", file}, nil
}

const gitSource = `apiVersion: moorgate.dev/v1alpha1
kind: GitSource
metadata: {name: catalog, namespace: catalog}
spec: {url: "%s", branch: main, path: deploy}
`

// hotfix tells the drift scene: a Git repository says one thing, and somebody sets another image on the running cluster. Git is asked to
// say so too.
func hotfix(ctx context.Context, s *stage) error {
	content, err := story.ReadFile("story/4-search.yaml")
	if err != nil {
		return fmt.Errorf("find the story's 4-search.yaml: %w", err)
	}
	s.repo.Push("main", map[string]string{"deploy/4-search.yaml": string(content)})
	if err := s.applyQuietly(ctx, "4-search.yaml"); err != nil {
		return err
	}
	s.out.say("The repository acme/catalog holds deploy/4-search.yaml, and a GitSource says that namespace catalog follows it. Its Guardrail has")
	s.out.say("mode Propose: pull requests, and nothing live. (The GitHub is a local server over a real repository.)")
	if err := s.applyText(ctx, fmt.Sprintf(gitSource, s.repo.Clone())); err != nil {
		return err
	}
	if !s.kubectl(ctx, "-n", "catalog", "set", "image", "deployment/search", "app=ghcr.io/acme/search:5.1.9") {
		return fmt.Errorf("could not change the image")
	}
	if err := s.showCase(ctx, "catalog", "drift"); err != nil {
		return err
	}
	s.out.say("The same from a terminal, with the rights of whoever asks; exit code 1 says that something differs:")
	if err := s.differs(ctx, "-n", "catalog", "--local-git", "--kubeconfig", s.cluster.Kubeconfig()); err != nil {
		return err
	}
	return s.proposed(ctx)
}

// proposed shows the pull request, and what becomes of it once people merge it.
func (s *stage) proposed(ctx context.Context) error {
	if err := s.wait(ctx, "the pull request", func() (bool, error) { return len(s.repo.Pulls()) == 1, nil }); err != nil {
		return err
	}
	pull := s.repo.Pulls()[0]
	s.out.say("Pull request 1 of acme/catalog, %q:", pull.Title)
	diff := []string{"-C", s.repo.Dir, "diff", "main", pull.Head}
	if err := s.show(exec.CommandContext(ctx, "git", diff...), "git", diff[2:]); err != nil {
		return fmt.Errorf("show what is proposed: %w", err)
	}
	s.out.say("Nobody but people merges it. Here they do:")
	s.repo.Merge(1)
	const gone = `jsonpath={range .items[?(@.status.acting.phase=="Healed")]}{.status.acting.text}{"\n"}{end}`
	if err := s.wait(ctx, "what became of it", func() (bool, error) {
		text, err := s.get(ctx, "-n", "catalog", "get", "cases", "-o", gone)
		return text != "", err
	}); err != nil {
		return err
	}
	s.kubectl(ctx, "-n", "catalog", "get", "cases")
	return nil
}
