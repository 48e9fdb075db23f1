package main

import (
	"context"
	"fmt"
)

// waiting tells the last scene: a change that the checks let in, and a model does not. The client waits for its word by itself.
func waiting(ctx context.Context, s *stage) error {
	if err := s.applyQuietly(ctx, "8-orders.yaml"); err != nil {
		return err
	}
	if err := s.wait(ctx, "the rollout of orders", func() (bool, error) {
		ready, err := s.get(ctx, "-n", "press", "get", "deployment", "orders", "-o", "jsonpath={.status.readyReplicas}")
		return ready == "2", err
	}); err != nil {
		return err
	}
	file, err := s.file("8-orders-hasty.yaml")
	if err != nil {
		return err
	}
	s.out.say("No check finds fault with the next change. Its Guardrail has a model's word waited for: the API server tells kubectl to come")
	s.out.say("again (429, Retry-After), and holds nothing meanwhile. (The answer is scripted, as above.)")
	if s.kubectl(ctx, "apply", "-f", file) {
		return fmt.Errorf("what the model speaks against was let in")
	}
	said, err := s.get(ctx, "-n", "press", "get", "cases", "-o", `jsonpath={range .items[?(@.status.answer=="Denied")]}{.status.summary}{end}`)
	if err != nil || said == "" {
		return fmt.Errorf("no Case says that a model kept it out: %w", err)
	}
	s.out.say("Nothing was started: the old pods run on, and there is no new ReplicaSet.")
	s.kubectl(ctx, "-n", "press", "get", "replicasets")
	s.kubectl(ctx, "-n", "press", "get", "cases")
	return nil
}
