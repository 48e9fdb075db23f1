package webhook

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

const (
	// opinionFor is how long an opinion speaks for a change that is applied again. It is about the change and what was known
	// then; what is known of the cluster is looked at anew each time.
	opinionFor = time.Hour
	// roundsMax is how often a model is asked about the same change of the same revision, while Cases are kept.
	roundsMax = 8
	// askedMax is how many changes to one workload are asked about within one wait.
	askedMax = 3
	// listedMax is how many findings a Case holds, as in its schema.
	listedMax = 12
)

// heard is what the Cases tell about a rollout that a model is to be asked about.
type heard struct {
	signal   gate.Signal    // of the Case that it has, or is to have
	kase     *v1alpha1.Case // nil: there is none yet
	earliest time.Time      // when the client was first asked to wait with this workload, of the waits that are not over
	asked    int            // how many changes are being asked about
}

// hearer looks for what was heard of a model about a rollout.
type hearer struct {
	cases client.Reader
	now   time.Time
	most  time.Duration // a client waits for
	// vain is for how long it counts that somebody asked ahead in vain. 0: a client that comes has it asked anew.
	vain time.Duration
}

// hear looks for the Case of this change, and for those of other changes to the workload that are waited for.
func (h hearer) hear(ctx context.Context, seen sighting) (heard, error) {
	ref := seen.change.New.Ref
	var list v1alpha1.CaseList
	if err := h.cases.List(ctx, &list, client.InNamespace(ref.Namespace), client.UnsafeDisableDeepCopy,
		client.MatchingLabels{v1alpha1.LabelFace: string(gate.FaceWebhook), v1alpha1.LabelWorkload: cluster.WorkloadLabel(ref)}); err != nil {
		return heard{}, fmt.Errorf("list the cases of %s: %w", ref, err)
	}
	out := heard{}
	byName := map[string]*v1alpha1.Case{}
	for i := range list.Items {
		c := &list.Items[i]
		if c.Spec.Answer == nil || !early(c) {
			continue
		}
		byName[c.Name] = c
		first := c.Spec.Signal.FirstSeen.Time
		if c.Spec.Answer.Said == Retried && (c.Status.Answer == "" || c.Status.Answer == Retried) && h.now.Sub(first) < h.most {
			out.asked++
			if out.earliest.IsZero() || first.Before(out.earliest) {
				out.earliest = first
			}
		}
	}
	for round := range roundsMax {
		out.signal = waitingSignal(seen, round, h.now)
		out.kase = byName[out.signal.CaseName()]
		if out.kase == nil || !h.stale(out.kase) {
			break
		}
	}
	return out, nil
}

// stale is whether what was heard about a change is too old to speak for it. That a model was asked ahead in vain speaks for
// nothing that is applied later.
func (h hearer) stale(c *v1alpha1.Case) bool {
	at, most := c.Spec.Signal.FirstSeen.Time, opinionFor
	if heard := meta.FindStatusCondition(c.Status.Conditions, CaseAdvised); heard != nil {
		at = heard.LastTransitionTime.Time
		if heard.Status == metav1.ConditionFalse && c.Spec.Answer.Said == AskedAhead {
			most = h.vain
		}
	}
	return h.now.Sub(at) > most
}

// waitingSignal is the happening of a rollout that waits for a model: which change it is, from which revision. What is found about it
// is no part of it, nor is its size where that is not its author's to say, so that all that comes again is the same.
func waitingSignal(seen sighting, round int, at time.Time) gate.Signal {
	c := seen.change
	key := fmt.Sprintf("%s change=%s", c.Operation, checks.Change(c.New))
	was := ""
	if c.Old != nil {
		was = checks.TemplateHash(cmp.Or(seen.rollout.Old, c.Old))
		key += fmt.Sprintf(" was=%s since=%s", checks.Change(*c.Old), standsSince(c.was))
		if c.Old.Replicas != c.New.Replicas && !checks.Autoscaled(seen.rollout) {
			key += fmt.Sprintf(" replicas=%d", c.New.Replicas)
		}
	}
	if round > 0 {
		key += fmt.Sprintf(" round=%d", round)
	}
	return gate.Signal{Face: gate.FaceWebhook, Reason: ReasonRollout, Subject: c.New.Ref, At: at, Key: key,
		Text: gate.OneLine(sentence(c, was, seen.template), sentenceMax)}
}

// standsSince is when the template was written that a change would replace: a second rollout of an old template is another happening. It
// is read from the request, which is the same for every replica, where what their caches hold of revisions need not be. A change of size
// does not move it, whoever makes it.
func standsSince(was runtime.Object) string {
	obj, ok := was.(client.Object)
	if !ok {
		return "unknown"
	}
	at, _ := written(obj)
	if at.IsZero() {
		return "unknown"
	}
	return at.UTC().Format(time.RFC3339)
}

// Advised is an assessment with what a model found added to it: it takes points and confidence, and gives none.
func Advised(a gate.Assessment, o v1alpha1.Opinion) gate.Assessment {
	a.Alone = ""
	score, scored := a.Score.Get()
	for _, f := range o.Findings {
		if f.Nature != string(gate.Advised) {
			continue
		}
		points := int(max(0, f.Points))
		a.Findings = append(a.Findings, gate.Finding{ID: f.ID, Text: f.Text, Points: points, Nature: gate.Advised})
		score -= points
	}
	if scored && o.Score != nil && len(o.Findings) >= listedMax {
		score = min(score, int(*o.Score)) // some of what the model found may have found no place on the Case
	}
	if scored {
		a.Score = gate.Known(max(0, score))
	}
	if sure, known := a.Confidence.Get(); known && o.Confidence != nil {
		a.Confidence = gate.Known(min(sure, int(*o.Confidence)))
	}
	return a
}

// word is what was heard of a model on a Case: an opinion, or why there is none; nothing yet where neither.
func word(c *v1alpha1.Case) (opinion, in bool, alone string) {
	if c == nil {
		return false, false, ""
	}
	said := meta.FindStatusCondition(c.Status.Conditions, CaseAdvised)
	switch {
	case said == nil:
		return false, false, ""
	case said.Status == metav1.ConditionTrue:
		return true, true, ""
	}
	return false, true, said.Message
}
