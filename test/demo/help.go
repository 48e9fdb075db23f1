package main

import (
	"context"
	"fmt"
	"strings"
)

// help tells the last scene: one pod of four crash-loops, its siblings are well, and it is evicted once a human has said so.
func help(ctx context.Context, s *stage) error {
	if err := s.applyQuietly(ctx, "6-till.yaml"); err != nil {
		return err
	}
	s.out.say("Guardrail till has mode Approve and allows evictions; an administrator gives moorgate-act the right, for this namespace:")
	if !s.kubectl(ctx, "-n", "till", "create", "rolebinding", "moorgate-act-evict", "--clusterrole=moorgate-act-evict",
		"--serviceaccount=moorgate-system:moorgate-act") {
		return fmt.Errorf("could not give the right to evict")
	}
	pod, err := s.breakOne(ctx)
	if err != nil {
		return err
	}
	s.out.say("One of four pods, %s, begins to crash. Nothing is done by itself: it waits for half a minute, and for a human.", pod)
	name, err := s.actingCase(ctx, `{range .items[?(@.status.acting.phase=="Held")]}{.metadata.name}{"\n"}{end}`)
	if err != nil {
		return err
	}
	template, err := s.file("acting.tmpl")
	if err != nil {
		return err
	}
	s.kubectl(ctx, "-n", "till", "get", "case", name, "-o", "go-template-file="+template)
	if err := s.moorgate(ctx, "approve", name, "-n", "till", "--reason", "one bad pod of four", "--yes", "--kubeconfig", s.cluster.Kubeconfig()); err != nil {
		return err
	}
	if _, err := s.actingCase(ctx, `{range .items[?(@.status.acting.phase=="Healed")]}{.metadata.name}{"\n"}{end}`); err != nil {
		return err
	}
	s.kubectl(ctx, "-n", "till", "get", "case", name, "-o", "go-template-file="+template)
	s.out.say("The whole story, as the audit log has it:")
	return s.moorgate(ctx, "audit", "why", "till/"+name, "--dir", s.process.AuditDir)
}

// breakOne has one pod of the till crash, once all of them are ready.
func (s *stage) breakOne(ctx context.Context) (string, error) {
	if err := s.wait(ctx, "the pods of the till", func() (bool, error) {
		ready, err := s.get(ctx, "-n", "till", "get", "deployment", "till", "-o", "jsonpath={.status.readyReplicas}")
		return ready == "4", err
	}); err != nil {
		return "", err
	}
	names, err := s.get(ctx, "-n", "till", "get", "pods", "-l", "app=till", "-o", `jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}`)
	if err != nil {
		return "", err
	}
	pod, _, _ := strings.Cut(names, "\n")
	out, err := s.cluster.Kubectl(ctx, "-n", "till", "label", "pod", pod, "sim.moorgate.dev/fault=crashloop").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("have pod %s crash: %w\n%s", pod, err, out)
	}
	return pod, nil
}

// actingCase waits for a Case that a jsonpath finds among those of the till.
func (s *stage) actingCase(ctx context.Context, path string) (name string, err error) {
	err = s.wait(ctx, "what becomes of the Case", func() (bool, error) {
		out, err := s.get(ctx, "-n", "till", "get", "cases", "-l", "moorgate.dev/face=remediate", "-o", "jsonpath="+path)
		name, _, _ = strings.Cut(out, "\n")
		return name != "", err
	})
	if err != nil {
		acting, _ := s.get(ctx, "-n", "till", "get", "cases", "-o", "jsonpath={.items[*].status.acting}")
		return "", fmt.Errorf("%w\nthe Case says: %s", err, acting)
	}
	return name, nil
}
