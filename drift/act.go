package drift

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/forge"
	"moorgate.dev/internal/gate"
)

// Proposals is this face's part of acting on its Cases: a pull request by which Git learns what somebody changed in the cluster. There
// is one for an object, whatever of it has drifted, and people decide on it.
//
// It runs under another identity than the Detector that keeps the Cases, which may try nothing in the cluster, not even in a dry run.
// It reads Git and the object itself, and makes the same edits again; what differs from the plan that was judged is not proposed.
type Proposals struct {
	// Detector looks. Of its fields Client, Git, Circumstances, Door, Now and Interval are used.
	Detector *Detector
	Hub      *forge.Hub
	// Cluster tells this cluster from all others for which pull requests may be opened in the same repository.
	Cluster string
	Log     flow.Log
	// Draft has pull requests opened as drafts, where GitHub makes those: people say so first that one is ready to be merged.
	Draft bool
	// Follow is how often it is looked at what became of a pull request. Default 5 min.
	Follow time.Duration

	came       forge.Outcome // of the last pull request
	cameFor    string        // the digest of its plan
	deliveries []Delivered   // as of lookedAt
	lookedAt   time.Time
	memos      map[string]memo // by the UIDs of objects
}

var (
	_ acting.Face = (*Proposals)(nil)
	_ flow.Actor  = (*Proposals)(nil)
)

// Complete checks that nothing is missing, and fills in what may be left out.
func (p *Proposals) Complete() error {
	if p.Detector == nil || p.Hub == nil || p.Cluster == "" || p.Log == nil {
		return errors.New("prepare to open pull requests: Detector, Hub, Cluster and Log are all needed")
	}
	if p.Follow <= 0 {
		p.Follow = 5 * time.Minute
	}
	return nil
}

// Name is that of this face.
func (p *Proposals) Name() gate.Face { return gate.FaceDrift }

// Reach is how far a pull request reaches.
func (p *Proposals) Reach() gate.Reach { return gate.ReachGit }

// Ours is whether a Case is named by what it tells of, and tells of fields that differ.
func (p *Proposals) Ours(c *v1alpha1.Case) bool { return tellsOfFields(c) }

func tellsOfFields(c *v1alpha1.Case) bool {
	return c.Spec.Signal.Reason == reasonDrift && c.Name == signalOf(c).CaseName()
}

// Over is whether the fields are not known to differ any more: what nobody compares is not proposed.
func (p *Proposals) Over(c *v1alpha1.Case) bool {
	return !meta.IsStatusConditionTrue(c.Status.Conditions, CaseDrifted)
}

// signalOf is the happening that a Case tells of.
func signalOf(c *v1alpha1.Case) gate.Signal {
	x := c.Spec.Subject
	return gate.Signal{Face: gate.FaceDrift, Reason: c.Spec.Signal.Reason, Key: c.Spec.Signal.Key, Text: c.Spec.Signal.Text, At: c.Spec.Signal.FirstSeen.Time,
		Subject: gate.Ref{Group: x.Group, Version: x.Version, Kind: x.Kind, Namespace: c.Namespace, Name: x.Name, UID: x.UID}}
}

// keyed is a hash of parts that nobody can make who does not know the cluster.
func (p *Proposals) keyed(parts ...string) string {
	sum := hmac.New(sha256.New, []byte(p.Cluster))
	for _, part := range parts {
		_, _ = fmt.Fprintf(sum, "%q\n", part)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// valueOf tells what is proposed about a happening: which fields, and which values they have, as its key does after its last slash. It is
// not about what stands in Git before, nor about the UID, so that a no holds while Git moves on.
func (p *Proposals) valueOf(s gate.Signal) string {
	return p.keyed(s.Key[strings.LastIndex(s.Key, "/")+1:])
}

// Tell says how a pull request came out.
func (p *Proposals) Tell(plan gate.Action, o gate.Outcome, text string) string {
	switch {
	case o == gate.OutcomeDone && p.cameFor == plan.PlanDigest():
		return fmt.Sprintf("pull request %s is %s: people decide on it%s%s", p.came.URL, p.came.State, p.drafted(), vouched(p.came))
	case o == gate.OutcomeDone:
		return "a pull request is open: people decide on it"
	case o == gate.OutcomeUnknown:
		return "nobody knows whether a pull request was opened, and that is found out: " + text
	case o == gate.OutcomeNothing:
		return "there was nothing left to propose: " + text
	}
	return "no pull request was opened: " + text
}

// drafted says whether what was opened is the draft that was asked for.
func (p *Proposals) drafted() string {
	switch {
	case !p.Draft || p.came.State != forge.Opened:
		return ""
	case p.came.Draft:
		return "; it is a draft"
	}
	return "; it is no draft, for GitHub makes none in its repository"
}

// vouched says whether GitHub vouches for a commit that was made.
func vouched(o forge.Outcome) string {
	switch {
	case o.State != forge.Opened && o.State != forge.Updated:
		return ""
	case o.Verified:
		return "; GitHub vouches for its commit"
	}
	return "; its commit is not signed, as those of an App are"
}

// Fate is what became of a pull request of which nobody knows, by what stands in the repository.
func (p *Proposals) Fate(ctx context.Context, c *v1alpha1.Case, _ gate.Ref) (gate.Outcome, string, error) {
	o, err := p.standing(ctx, c)
	stuck := false
	if err == nil && o.State == forge.Open {
		stuck, err = p.stuck(ctx, c, o)
	}
	switch {
	case err != nil:
		return gate.OutcomeUnknown, "", err
	case stuck:
		return gate.OutcomeRefused, fmt.Sprintf("how it ended was not known, and pull request %s still cannot be merged: nothing was proposed", o.URL), nil
	case o.Value == p.valueOf(signalOf(c)):
		return gate.OutcomeDone, fmt.Sprintf("how it ended was not known, and pull request %s was found %s", o.URL, o.State), nil
	case o.State == forge.Rejected: // whatever it proposed: it takes a human now
		return gate.OutcomeDone, fmt.Sprintf("how it ended was not known, and pull request %s was found closed by a person", o.URL), nil
	}
	return gate.OutcomeRefused, "how it ended was not known, and no pull request says so: nothing was proposed", nil
}

// standing is how the pull request of a Case's object stands, whatever it proposes.
func (p *Proposals) standing(ctx context.Context, c *v1alpha1.Case) (forge.Outcome, error) {
	named, err := p.named(ctx, c)
	if err != nil {
		return forge.Outcome{}, err
	}
	return p.Hub.Standing(ctx, named)
}

// named names the pull request of a Case's object.
func (p *Proposals) named(ctx context.Context, c *v1alpha1.Case) (forge.Proposal, error) {
	at, err := p.placeOf(ctx, c, false)
	if err != nil {
		return forge.Proposal{}, err
	}
	named, why := p.proposalFor(at, signalOf(c).Subject)
	if why != "" {
		return forge.Proposal{}, fmt.Errorf("%w: %s", errNoSource, why)
	}
	return named, nil
}

// caseRef is how a Case is written.
func caseRef(c *v1alpha1.Case) string { return cluster.CaseRef(signalOf(c)) }
