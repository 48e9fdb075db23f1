package drift

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

// roundTime bounds one round, so that no source holds up the others for long.
const roundTime = 5 * time.Minute

// round is what came of comparing one source once.
type round struct {
	tree                       tree
	compared                   int
	differ, absent, unreadable names
	unreached, skipped, left   names
	moving                     names           // is being delivered, so that nothing is said of it
	failed                     []error         // what the API server refused; the rest of the round went on
	open                       map[string]bool // the names of the Cases of what is wrong now
	standing                   []Standing
	stood                      map[string]*stood // what was told of what was deleted, by workload label, once it was looked for
	stays                      bool              // the namespace is known not to be on its way out
	unread                     map[string]bool   // the workload labels of what could not be compared
	policy                     *gate.Policy      // of the namespace, once it was asked for
	sweep                      bool              // everything is looked at as if for the first time
	strays                     string            // why it is not known what a delivery has left behind
	halfRead                   bool              // of what was deleted together, not all is known to be gone or to be there
}

// round compares every object that the tree declares for the namespace of its source, and keeps their Cases. What
// fails for one of them is told in the round, and stops none of the others. The error says that there was no round.
func (d *Detector) round(ctx context.Context, of client.ObjectKey, t tree) (*round, error) {
	r := &round{tree: t, open: map[string]bool{}, unread: map[string]bool{}}
	for _, s := range t.Skipped {
		r.skipped.add(s)
	}
	bounded, cancel := context.WithTimeout(ctx, roundTime)
	defer cancel()
	var gone []*look
	r.sweep = d.sweeps(of)
	settled := d.settled(bounded, of, t, r.sweep)
	for _, o := range t.objects {
		absent := settled[o.Name] && t.past[o.Name].clean == vanished
		if settled[o.Name] && !absent {
			r.compared++
			continue
		}
		l := newLook(o.unfold(), t.Commit)
		l.absent = absent
		if bounded.Err() == nil {
			if l.absent {
				d.declared(l, t)
			} else {
				d.look(bounded, l, t)
			}
			if l.absent {
				d.deleted(bounded, of, l, r)
			}
		}
		if bounded.Err() != nil {
			r.missed(l)
			continue
		}
		r.note(l)
		t.past[o.Name].remember(l)
		switch {
		case l.gone:
			gone = append(gone, l)
		case l.happening():
			d.keepOne(bounded, of, l, r)
		}
	}
	d.keepGone(bounded, of, gone, r)
	d.keepOrphans(bounded, of, r)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("compare %s: %w", Title(of), err)
	}
	if err := d.settle(ctx, of, r); err != nil {
		r.failed = append(r.failed, err)
	}
	return r, nil
}

// keepOne keeps the Case of a look, and reports whether that could be done.
func (d *Detector) keepOne(ctx context.Context, of client.ObjectKey, l *look, r *round) bool {
	if r.policy == nil {
		p := d.policy(ctx, of.Namespace)
		r.policy = &p
	}
	err := d.keep(ctx, of, l, *r.policy, r)
	if err != nil {
		if p := r.tree.past[l.object.Name]; p != nil {
			p.loss.counts = false // to be asked about once more
		}
		r.failed = append(r.failed, fmt.Errorf("keep the Case of %s: %w", called(l.object.Name), err))
	}
	return err == nil
}

// policy is the policy of the namespace. One that cannot be read is one that holds everything.
func (d *Detector) policy(ctx context.Context, namespace string) gate.Policy {
	p, err := d.Guardrails.Policy(ctx, namespace)
	if err != nil {
		return gate.Policy{Rails: []gate.Rail{{Name: "(unreadable)", Unreadable: err.Error()}}}
	}
	return p
}

func (r *round) note(l *look) {
	switch name := called(l.object.Name); {
	case l.left != "":
		r.left.add(name)
	case l.moving:
		r.moving.add(name)
		r.unknown(l)
	case len(l.unread) > 0:
		r.unreadable.add(name)
		r.unknown(l)
	case l.absent:
		r.absent.add(name)
	default:
		r.compared++
		if len(l.drifts) > 0 {
			r.differ.add(name)
		}
	}
}

// missed notes an object that the time of the round did not suffice for.
func (r *round) missed(l *look) {
	r.unreached.add(called(l.object.Name))
	r.unknown(l)
}

// unknown has the Cases that tell of an object stay as they are.
func (r *round) unknown(l *look) {
	r.unread[cluster.WorkloadLabel(l.subject)] = true
	if p := r.tree.past[l.object.Name]; p != nil && p.loss.among != "" {
		r.halfRead = true
	}
}

// err is what went wrong in the round, and nil where nothing did.
func (r *round) err() error {
	failed := r.failed
	if n := r.unreached.all; n > 0 {
		failed = append([]error{fmt.Errorf("%d of %d objects were not compared within %s", n, len(r.tree.objects), roundTime)}, failed...)
	}
	return errors.Join(failed...)
}

// text tells the round in one line.
func (r *round) text() string {
	compared := fmt.Sprintf("objects compared with commit %.12s: %d", r.tree.Commit, r.compared)
	return strings.Join(append([]string{compared}, r.told()...), "; ")
}

// told names what differs, and what was not compared.
func (r *round) told() []string {
	var parts []string
	for _, p := range []struct {
		what string
		names
	}{{"differ", r.differ}, {"could not be read", r.unreadable}, {"not in the cluster", r.absent},
		{"cannot exist, because of its name", r.tree.impossible}, {"kinds that are not compared", r.tree.uncompared},
		{"ignored, because they belong elsewhere", r.tree.elsewhere}, {"left as they are, because Git says so", r.left}, {"not followed", r.skipped},
		{"being delivered just now", r.moving}} {
		if p.all == 0 {
			continue
		}
		part := p.what + ": " + strings.Join(p.first, ", ")
		if more := p.all - len(p.first); more > 0 {
			part += fmt.Sprintf(" and %d more", more)
		}
		parts = append(parts, part)
	}
	return parts
}
