package cluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

const (
	pastPage  = 100
	pastPages = 20  // more than Expiry leaves in a namespace
	pastMost  = 500 // the newest
)

// Past is one Case that was acted on and whose outcome was verified. The texts in it may be a stranger's or a model's. Its fields
// are those of advise.Remembered, so that one can be made from the other.
type Past struct {
	Case      string // namespace/name
	Namespace string
	Face      gate.Face
	Reason    string
	Key       string
	Kind      string // of the subject
	Workload  string
	Container string // a Case does not say
	Cause     string
	Rests     []string // the ids of its findings
	Findings  []string
	Summary   string
	Verb      string
	Result    gate.Result
	At        time.Time // when it was verified
}

// PastCases returns what remediation did in a namespace and what came of it, newest first, at most 500. It needs the right to
// list Cases there. A page that cannot be read is an error: what is missing might be the warning.
func PastCases(ctx context.Context, r client.Reader, namespace string) ([]Past, error) {
	if namespace == "" { // a list of everything would be other people's
		return nil, fmt.Errorf("list past Cases: no namespace is named")
	}
	var all []Past
	after := ""
	for range pastPages {
		var page v1alpha1.CaseList
		if err := r.List(ctx, &page, client.InNamespace(namespace), client.MatchingLabels{v1alpha1.LabelFace: string(gate.FaceRemediate)},
			client.Limit(pastPage), client.Continue(after)); err != nil {
			return nil, fmt.Errorf("list past Cases in %s: %w", namespace, err)
		}
		for i := range page.Items {
			if p, ok := pastOf(&page.Items[i]); ok {
				all = append(all, p)
			}
		}
		if after = page.Continue; after == "" {
			break
		}
	}
	if after != "" {
		return nil, fmt.Errorf("list past Cases in %s: there are more than %d", namespace, pastPage*pastPages)
	}
	slices.SortFunc(all, func(a, b Past) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Case, b.Case)) })
	return first(all, pastMost), nil
}

var pastResults = map[string]gate.Result{
	v1alpha1.PhaseHealed: gate.ResultHealed, v1alpha1.PhaseIneffective: gate.ResultIneffective, v1alpha1.PhaseWorsened: gate.ResultWorsened,
}

// pastOf is what a Case says of the past, if it was acted on and verified. The spec says which face it is of, not a label.
func pastOf(c *v1alpha1.Case) (Past, bool) {
	s, acting := c.Spec.Signal, c.Status.Acting
	if acting == nil || pastResults[acting.Phase] == "" || s.Face != string(gate.FaceRemediate) || acting.Verb == "" || c.Status.Cause == "" {
		return Past{}, false
	}
	p := Past{Case: c.Namespace + "/" + c.Name, Namespace: c.Namespace, Face: gate.FaceRemediate, Reason: s.Reason, Key: s.Key,
		Kind: c.Spec.Subject.Kind, Workload: c.Spec.Subject.Name, Cause: c.Status.Cause, Summary: c.Status.Summary, Verb: acting.Verb,
		Result: pastResults[acting.Phase], At: acting.At.Time}
	for _, f := range c.Status.Findings {
		if f.Nature != string(gate.Advised) { // what a model said is nothing that can be checked again
			p.Rests = append(p.Rests, f.ID)
		}
		p.Findings = append(p.Findings, f.Text)
	}
	return p, true
}
