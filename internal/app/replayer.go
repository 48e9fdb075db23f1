package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/policies/times"
)

const (
	mismatchesMax = 1000  // decisions that come out otherwise, kept to be printed
	cachesMax     = 10000 // policies and compositions that are remembered
)

// replayer decides recorded decisions again and counts what comes of it.
type replayer struct {
	anew       bool // under the guardrails, not under those recorded
	guardrails []unstructured.Unstructured
	namespaces map[string]labels.Set
	since      time.Time

	course   flow.Course
	composed map[string]composition // by labels
	recorded map[string]gate.Policy // by digest

	read       int // records
	decisions  int // among them, since the time asked for
	tally      flow.Tally
	same       int
	reworded   int
	mismatches []mismatch
	mismatched int
	undecided  map[string]int // why, and how often
	shortened  int
	damaged    int
	damage     error // the first
	partial    error // why it ended early
}

// mismatch is a decision that comes out otherwise than recorded.
type mismatch struct {
	position gate.Position
	flow.Replayed
}

// run decides everything in the logs again. The error of a context that ends is kept: what was counted until then stands.
func (r *replayer) run(ctx context.Context, from entries, progress func(int)) error {
	r.composed, r.recorded, r.undecided = map[string]composition{}, map[string]gate.Policy{}, map[string]int{}
	for e, err := range from {
		if ctx.Err() != nil {
			r.partial = ctx.Err()
			return ctx.Err()
		}
		if final(err) {
			return err
		}
		r.read++
		progress(r.read)
		if err != nil {
			r.damaged++
			if r.damage == nil {
				r.damage = err
			}
			continue
		}
		r.take(e)
	}
	return nil
}

func (r *replayer) take(e audit.Entry) {
	record := e.Record
	if record.Kind != gate.RecordVerdict && record.Kind != gate.RecordIntent {
		return
	}
	r.learn(&record)
	if record.At.Before(r.since) {
		return
	}
	r.decisions++
	if record.Text != "" { // the Text of a decision says by how much it was shortened, and nothing else
		r.shortened++
	}
	if !r.anew {
		r.check(e.Position, record)
		return
	}
	p, err := r.policy(record)
	if err == nil {
		var out flow.Replayed
		if out, err = r.course.Replay(record, p); err == nil {
			r.tally.Add(out)
			return
		}
	}
	r.undecided[err.Error()]++
}

// check decides again under the policy that was recorded.
func (r *replayer) check(at gate.Position, record gate.Record) {
	var p gate.Policy
	if record.Policy != nil {
		p = *record.Policy
	}
	out, err := flow.Replay(record, p)
	switch {
	case err != nil:
		r.undecided[err.Error()]++
	case out.Same():
		r.same++
		if out.Reworded() {
			r.reworded++
		}
	default:
		r.mismatched++
		if len(r.mismatches) < mismatchesMax {
			r.mismatches = append(r.mismatches, mismatch{at, out})
		}
	}
}

// learn fills in the policy of a record that only names its digest, and remembers those that are spelled out.
func (r *replayer) learn(record *gate.Record) {
	if record.PolicyDigest == "" {
		return
	}
	if record.Policy != nil {
		if len(r.recorded) < cachesMax {
			r.recorded[record.PolicyDigest] = *record.Policy
		}
	} else if p, known := r.recorded[record.PolicyDigest]; known {
		record.Policy = &p
	}
}

// policy is what the Guardrails make for the namespace of a record.
func (r *replayer) policy(record gate.Record) (gate.Policy, error) {
	if record.Facts == nil {
		return gate.Policy{}, errors.New("the record lacks the facts, the opinion or the verdict")
	}
	namespace := record.Facts.Subject.Namespace
	set, known := record.Facts.Namespace.Get()
	if !known {
		var given labels.Set
		if given, known = r.namespaces[namespace]; known {
			set = given
		}
	}
	if !known {
		p, ok := cluster.ComposeUnlabelled(r.guardrails, namespace, record.Facts.At)
		if !ok {
			return p, fmt.Errorf("the labels of namespace %s are not known, and the Guardrails select by them: name a file with it (--namespaces)", shown(namespace))
		}
		return p, nil
	}
	return r.compose(set, record.Facts.At), nil
}

// composition is what the Guardrails made for some labels at a time. It holds for as long as freeze windows are worked out ahead.
type composition struct {
	at     time.Time
	policy gate.Policy
}

func (r *replayer) compose(set labels.Set, at time.Time) gate.Policy {
	key := set.String()
	c, met := r.composed[key]
	if met && !at.Before(c.at) && at.Sub(c.at) < times.Ahead {
		return c.policy
	}
	if len(r.composed) >= cachesMax {
		clear(r.composed)
	}
	c = composition{at, cluster.Compose(r.guardrails, set, at)}
	r.composed[key] = c
	return c.policy
}

// code is the exit code.
func (r *replayer) code(failOnMore bool) error {
	unsaid := r.partial != nil || r.damaged > 0
	switch {
	case r.mismatched > 0, failOnMore && r.tally.Loosened > 0:
		return exit(exitDenied)
	case unsaid, failOnMore && len(r.undecided) > 0:
		return exit(exitFailed)
	}
	return nil
}

// undecideds lists why records could not be decided again, the most frequent reason first.
func (r *replayer) undecideds() []string {
	return slices.SortedFunc(maps.Keys(r.undecided), func(a, b string) int {
		if r.undecided[a] != r.undecided[b] {
			return r.undecided[b] - r.undecided[a]
		}
		return strings.Compare(a, b)
	})
}

func labelsByName(objects []*unstructured.Unstructured) map[string]labels.Set {
	all := map[string]labels.Set{}
	for _, u := range objects {
		if u.GetKind() == "Namespace" && u.GetAPIVersion() == "v1" {
			all[u.GetName()] = u.GetLabels()
		}
	}
	return all
}
