package drift

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/forge"
	"moorgate.dev/internal/gate"
)

// Act opens the pull request that a Permit is for, or has the one that is open say what is proposed now. It does not matter how often:
// there is one.
func (p *Proposals) Act(ctx context.Context, permit gate.Permit, plan gate.Action) (gate.Outcome, error) {
	if plan.Request == nil || !permit.Spend(plan) {
		return gate.OutcomeRefused, errors.New("there is no permit for this pull request, or it was used: nothing was sent")
	}
	var proposal forge.Proposal
	if err := json.Unmarshal(plan.Request.Body, &proposal); err != nil {
		return gate.OutcomeRefused, fmt.Errorf("nothing was sent: %w", err)
	}
	if proposal.BaseCommit != plan.Base {
		return gate.OutcomeRefused, errors.New("nothing was sent: its request is not the one that carries it out")
	}
	o, err := p.Hub.Propose(ctx, proposal)
	var wait *forge.Limited
	switch {
	case errors.As(err, &wait):
		return gate.OutcomeRefused, err
	case err != nil:
		return gate.OutcomeUnknown, err
	}
	switch o.State {
	case forge.Opened, forge.Updated, forge.Unchanged:
		p.came, p.cameFor = o, plan.PlanDigest()
		return gate.OutcomeDone, nil
	case forge.Already:
		return gate.OutcomeNothing, errors.New("there is nothing to say in Git that it does not say already")
	case forge.Rejected:
		return gate.OutcomeRefused, fmt.Errorf("people closed %s, which proposed the same", o.URL)
	}
	return gate.OutcomeRefused, fmt.Errorf("%s: %s", o.State, strings.Join(o.Notes, "; "))
}

// title names what a pull request is about: "Deployment shop/web: image as the cluster has it".
func title(l *look) string {
	var names []string
	for _, d := range l.drifts {
		fields := d.Path.Fields()
		if name := fields[len(fields)-1]; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if more := len(names) - 3; more > 0 {
		names = append(names[:3], fmt.Sprintf("%d more", more))
	}
	return objectName(l.subject) + ", " + strings.Join(names, ", ") + " as the cluster has it"
}

// story is what a pull request tells the people who decide on it.
func (p *Proposals) story(c *v1alpha1.Case, l *look, by *Delivered) forge.Story {
	s := forge.Story{Object: objectName(l.subject), Case: caseRef(c), Revert: reverts(l, by),
		RestartsNothing: true} // a dry run of these edits showed it, before there was a plan of them to judge
	s.Hold, s.HoldNot = holds(l, by)
	if at := c.Status.Audit; at != nil {
		s.Audit = fmt.Sprintf("record %d of log %s", at.Sequence, at.Log)
	}
	for i, d := range l.drifts {
		git, live := d.texts()
		s.Rows = append(s.Rows, forge.Row{Field: d.Path.String(), Git: git, Live: live, Who: d.Owner.User, Manager: d.Owner.Manager, When: d.Owner.Time,
			Where: l.proposals[i].where})
	}
	for _, f := range c.Status.Findings {
		if f.Nature == string(gate.Advised) { // which is shown to people, and counts for nothing here
			s.Model = strings.TrimSpace(s.Model + " " + strings.TrimPrefix(f.Text, "the model: "))
		}
	}
	s.Intent = map[string]string{IntentEmergency: "an emergency fix", IntentRoutine: "a routine operation"}[l.intention.intent]
	for _, f := range l.intention.findings() {
		s.Why = append(s.Why, f.Text)
	}
	if len(s.Why) == 0 {
		s.Why = []string{"a person changed what Git declares, after Git said so; whether on purpose is for you to say"}
	}
	return s
}

// reverts are the commands by which people go back to Git instead.
func reverts(l *look, by *Delivered) []string {
	s := l.subject
	if l.release != "" {
		return []string{l.release}
	}
	if from, ok := kustomizationOf(l, by); ok {
		return []string{fmt.Sprintf("flux reconcile kustomization %s -n %s --with-source", from.Name, from.Namespace)}
	}
	if l.object.Root != "" {
		return []string{fmt.Sprintf("kubectl apply -n %s -k %s", s.Namespace, fileName(path.Dir(l.object.Root)))}
	}
	return []string{fmt.Sprintf("kubectl apply -n %s -f %s", s.Namespace, fileName(l.object.File))}
}

func objectName(r gate.Ref) string { return r.Kind + " " + r.Namespace + "/" + r.Name }
