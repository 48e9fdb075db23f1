package app

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
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
	undecided  map[string]some // by why
	shortened  some
	damaged    int
	damage     error // the first
	partial    error // why it ended early
}

// some is a number of records, and the first few of them.
type some struct {
	N     int             `json:"count"`
	First []gate.Position `json:"first"`
}

const someNamed = 5

func (s some) and(at gate.Position) some {
	s.N++
	if len(s.First) < someNamed {
		s.First = append(s.First, at)
	}
	return s
}

// String names the first few.
func (s some) String() string {
	var b strings.Builder
	for i, at := range s.First {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s/%d", shown(at.Log), at.Sequence)
	}
	if s.N > len(s.First) {
		fmt.Fprintf(&b, " and %d more", s.N-len(s.First))
	}
	return b.String()
}

// mismatch is a decision that comes out otherwise than recorded.
type mismatch struct {
	position gate.Position
	flow.Replayed
}

// run decides everything in the logs again. The error of a context that ends is kept: what was counted until then stands.
func (r *replayer) run(ctx context.Context, from entries, progress func(int)) error {
	r.composed, r.recorded, r.undecided = map[string]composition{}, map[string]gate.Policy{}, map[string]some{}
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
		r.shortened = r.shortened.and(e.Position)
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
	r.leave(e.Position, err)
}

func (r *replayer) leave(at gate.Position, why error) {
	r.undecided[why.Error()] = r.undecided[why.Error()].and(at)
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
		r.leave(at, err)
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
		return cmp.Or(r.undecided[b].N-r.undecided[a].N, strings.Compare(a, b))
	})
}
