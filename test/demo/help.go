package main

import (
	"context"
	"fmt"
	"strings"
)

// help tells of an action: one pod of four crash-loops, its siblings are well, and it is evicted once a human has said so.
func help(ctx context.Context, s *stage) error {
	if err := s.applyQuietly(ctx, "6-till.yaml"); err != nil {
		return err
	}
	s.out.say("Guardrail till has mode Approve and allows evictions; an administrator gives moorgate-act the right, for this namespace:")
	if !s.kubectl(ctx, "-n", "till", "create", "rolebinding", "moorgate-act-evict", "--clusterrole=moorgate-act-evict",
		"--serviceaccount=moorgate-system:moorgate-act") {
		return fmt.Errorf("could not give the right to evict")
	}
	if err := s.breakSome(ctx, "till", "crashloop"); err != nil {
		return err
	}
	s.out.say("One of four pods begins to crash. Nothing is done by itself: it waits for half a minute, and for a human.")
	name, err := s.actingCase(ctx, `{range .items[?(@.status.acting.phase=="Held")]}{.metadata.name}{"\n"}{end}`, "")
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
	if _, err := s.actingCase(ctx, `{range .items[?(@.status.acting.phase=="Healed")]}{.metadata.name}{"\n"}{end}`, ""); err != nil {
		return err
	}
	s.kubectl(ctx, "-n", "till", "get", "case", name, "-o", "go-template-file="+template)
	s.out.say("The whole story, as the audit log has it:")
	return s.moorgate(ctx, "audit", "why", "till/"+name, "--dir", s.process.AuditDir)
}

// breakSome has one pod of a workload of four fail for each of the given faults, once all of them are ready.
func (s *stage) breakSome(ctx context.Context, name string, faults ...string) error {
	if err := s.wait(ctx, "the pods of "+name, func() (bool, error) {
		ready, err := s.get(ctx, "-n", "till", "get", "deployment", name, "-o", "jsonpath={.status.readyReplicas}")
		return ready == "4", err
	}); err != nil {
		return err
	}
	names, err := s.get(ctx, "-n", "till", "get", "pods", "-l", "app="+name, "-o", `jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}`)
	if err != nil {
		return err
	}
	pods := strings.Fields(names)
	if len(pods) < len(faults) {
		return fmt.Errorf("%s has %d pods", name, len(pods))
	}
	for i, fault := range faults {
		out, err := s.cluster.Kubectl(ctx, "-n", "till", "label", "pod", pods[i], "sim.moorgate.dev/fault="+fault).CombinedOutput()
		if err != nil {
			return fmt.Errorf("have pod %s fail: %w\n%s", pods[i], err, out)
		}
	}
	return nil
}

// actingCase waits for a Case that a jsonpath finds among those of the till: the first line that begins with the given text, without it.
func (s *stage) actingCase(ctx context.Context, path, begins string) (name string, err error) {
	err = s.wait(ctx, "what becomes of the Case", func() (bool, error) {
		out, err := s.get(ctx, "-n", "till", "get", "cases", "-l", "moorgate.dev/face=remediate", "-o", "jsonpath="+path)
		for line := range strings.Lines(out) {
			if rest, ok := strings.CutPrefix(strings.TrimSpace(line), begins); ok {
				name = rest
			}
		}
		return name != "", err
	})
	if err != nil {
		acting, _ := s.get(ctx, "-n", "till", "get", "cases", "-o", "jsonpath={.items[*].status.acting}")
		return "", fmt.Errorf("%w\nthe Case says: %s", err, acting)
	}
	return name, nil
}
