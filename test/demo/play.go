package main

import (
	"context"
	"fmt"
	"strings"
)

// scene is one part of the story.
type scene struct {
	title string
	play  func(ctx context.Context, s *stage) error
}

var scenes = []scene{
	{"A sound rollout comes in, and carries its score", soundRollout},
	{"A rollout that could never become ready is refused", neverReady},
	{"A rollout that does not fit and misses a Secret is warned about", tooBig},
	{"Somebody changes the running cluster past Git", hotfix},
	{"A workload crash-loops", crash},
	{"A pod is helped, once a human says so", help},
	{"No rule knows why, so a model is asked", counsel},
	{"The checks pass it, a model does not, and kubectl waits by itself", waiting},
}

func play(ctx context.Context, binary string, once bool) error {
	s, err := newStage(ctx, binary)
	defer s.close()
	if err != nil {
		return err
	}
	if err := s.applyQuietly(ctx, "0-world.yaml"); err != nil {
		return err
	}
	for i, scene := range scenes {
		s.out.heading(fmt.Sprintf("%d. %s", i+1, scene.title))
		if err := scene.play(ctx, s); err != nil {
			return fmt.Errorf("scene %d: %w", i+1, err)
		}
	}
	s.out.heading("What is left: the Cases, and the audit trail")
	s.kubectl(ctx, "get", "cases", "-A")
	if err := s.moorgate(ctx, "audit", "tail", "--dir", s.process.AuditDir, "-n", "12"); err != nil {
		return err
	}
	if err := s.moorgate(ctx, "audit", "verify", "--dir", s.process.AuditDir); err != nil {
		return err
	}
	if once {
		return nil
	}
	s.out.heading("Your turn")
	s.out.say("export KUBECONFIG=%s", s.cluster.Kubeconfig())
	s.out.say("Apply your own manifests in namespace shop, look at `kubectl get cases -A`, `kubectl explain guardrail.spec`,")
	s.out.say("or ask before applying: %s review -f FILE -n shop", binary)
	s.out.say("Moorgate's log: %s", s.process.LogFile)
	s.out.say("ctrl-C ends the demo and removes everything.")
	select {
	case <-ctx.Done():
		return nil
	case <-s.process.Exited():
		return fmt.Errorf("moorgate ended:\n%s", s.process.LogTail())
	}
}

func soundRollout(ctx context.Context, s *stage) error {
	file, err := s.file("1-good.yaml")
	if err != nil {
		return err
	}
	if !s.kubectl(ctx, "apply", "-f", file) {
		return fmt.Errorf("the sound rollout was refused")
	}
	if err := s.wait(ctx, "the rollout's score", func() (bool, error) {
		score, err := s.annotation(ctx, "shop", "checkout", "readiness-score")
		return score != "", err
	}); err != nil {
		return err
	}
	s.out.say("After admission the rollout is annotated (server-side apply, metadata only):")
	template, err := s.file("annotations.tmpl")
	if err != nil {
		return err
	}
	s.kubectl(ctx, "-n", "shop", "get", "deployment", "checkout", "-o", "go-template-file="+template)
	return nil
}

func (s *stage) annotation(ctx context.Context, namespace, name, key string) (string, error) {
	return s.get(ctx, "-n", namespace, "get", "deployment", name, "-o", `jsonpath={.metadata.annotations.moorgate\.dev/`+key+`}`)
}

func neverReady(ctx context.Context, s *stage) error {
	budget, err := s.file("2-budget.yaml")
	if err != nil {
		return err
	}
	file, err := s.file("2-never-ready.yaml")
	if err != nil {
		return err
	}
	s.kubectl(ctx, "apply", "-f", budget)
	if s.kubectl(ctx, "apply", "-f", file) {
		return fmt.Errorf("the rollout that could never become ready was let in")
	}
	s.out.say("Nothing was started. The Case keeps the reasons, although the Deployment never existed.")
	return nil
}

func tooBig(ctx context.Context, s *stage) error {
	file, err := s.file("3-too-big.yaml")
	if err != nil {
		return err
	}
	s.out.say("A dry run first, as many pipelines do: it is never denied and leaves no Case, and while it goes by, Moorgate asks")
	s.out.say("in the background whether the Secret exists (a create with dryRun: its content is never read).")
	s.kubectl(ctx, "apply", "--dry-run=server", "-f", file)
	if !s.kubectl(ctx, "apply", "-f", file) {
		return fmt.Errorf("the rollout was refused, but what may merely not be there yet only warns")
	}
	return nil
}

func crash(ctx context.Context, s *stage) error {
	file, err := s.file("5-crash.yaml")
	if err != nil {
		return err
	}
	if !s.kubectl(ctx, "apply", "-f", file) {
		return fmt.Errorf("could not apply the crashing workload")
	}
	s.out.say("Three pods crash. One cause is one Case:")
	return s.showCase(ctx, "catalog", "remediate")
}

// showCase waits for the Case of a face in a namespace to have its verdict, and shows it.
func (s *stage) showCase(ctx context.Context, namespace, face string) error {
	var name string
	if err := s.wait(ctx, "the Case of "+face, func() (bool, error) {
		out, err := s.get(ctx, "-n", namespace, "get", "cases", "-l", "moorgate.dev/face="+face, "-o",
			`jsonpath={range .items[?(@.status.decision)]}{.metadata.name}{"\n"}{end}`)
		name, _, _ = strings.Cut(out, "\n")
		return name != "", err
	}); err != nil {
		return err
	}
	template, err := s.file("case.tmpl")
	if err != nil {
		return err
	}
	s.kubectl(ctx, "-n", namespace, "get", "case", name, "-o", "go-template-file="+template)
	return nil
}

func (s *stage) applyQuietly(ctx context.Context, name string) error {
	b, err := story.ReadFile("story/" + name)
	if err != nil {
		return fmt.Errorf("find the story's %s: %w", name, err)
	}
	return s.applyText(ctx, string(b))
}

func (s *stage) applyText(ctx context.Context, manifest string) error {
	cmd := s.cluster.Kubectl(ctx, "apply", "-f", "-")
	cmd.Stdin = strings.NewReader(manifest)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apply the story's manifests: %w\n%s", err, out)
	}
	return nil
}
