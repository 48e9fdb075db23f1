package webhook

import (
	"context"

	admissionv1 "k8s.io/api/admission/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/flow"
	"moorgate.dev/webhook/checks"
)

// Review judges a change that nobody has asked the API server for yet, the same way as if somebody had: from old, nil on
// create, to is. It leaves no record and no Case.
func (s Sight) Review(ctx context.Context, old, is client.Object) (flow.Judgement, error) {
	c := Change{Operation: string(admissionv1.Create), is: is, DryRun: true}
	var err error
	if c.New, err = checks.FromObject(is); err != nil {
		return flow.Judgement{}, err
	}
	if old != nil {
		before, err := checks.FromObject(old)
		if err != nil {
			return flow.Judgement{}, err
		}
		c.Operation, c.Old, c.was = string(admissionv1.Update), &before, old
	}
	seen, err := s.see(ctx, c)
	if err != nil {
		return flow.Judgement{}, err
	}
	return s.judge(ctx, nil, seen)
}
