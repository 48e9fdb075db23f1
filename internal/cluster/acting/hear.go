package acting

import (
	"context"
	"fmt"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// hear writes down every word of a human once: what an action rests on is in the log before the action is.
func (a *Acts) hear(ctx context.Context, q flow.Question) error {
	given, _ := q.Facts.Approvals.Get()
	for i := range given {
		what := fmt.Sprint(q.Case, given[i].Name, given[i].Approver, given[i].At.UnixNano())
		if a.words.has(what) {
			continue
		}
		_, err := a.Log.Append(ctx, gate.Record{Kind: gate.RecordApproval, Correlation: q.Case, Signal: &q.Signal, Approval: &given[i], Digest: given[i].Plan})
		if err != nil {
			return fmt.Errorf("write down what %s said about case %s: %w", given[i].Approver, q.Case, err)
		}
		a.words.since(what, a.Now())
	}
	return nil
}
