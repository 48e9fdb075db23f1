package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
)

// The law: there is no queue. What was told to whom stands on the Cases, and what is due follows from them. It is claimed there by
// compare-and-swap before it is sent, so that of two replicas one sends, and noted there afterwards. Whoever is killed in between leaves
// a claim; after a while it is sent once more, under the same id: PagerDuty and a webhook that looks at ids take it for the same, and in
// Slack it says that it may be a repeat.

// Book is where Cases are, and what was told about them.
type Book interface {
	// All are to be read only. They may be a moment old.
	All(ctx context.Context) ([]v1alpha1.Case, error)
	// Note changes what a Case says that a receiver was told, by compare-and-swap; change answers whether it is still to be.
	Note(ctx context.Context, key client.ObjectKey, uid types.UID, receiver string, change func(*v1alpha1.Case, *v1alpha1.Told) bool) (done bool, err error)
}

// Outbox tells receivers what there is to tell.
type Outbox struct {
	Config Receivers
	Book   Book
	// Named are the receivers that the Guardrails of a namespace name. An error means that there may be others; those that are known
	// come with it.
	Named   func(ctx context.Context, namespace string) ([]string, error)
	Senders map[string]Sender // by name
	Door    *redact.Door
	Now     func() time.Time
	Logger  *slog.Logger
	Counted func(kind, result string)
	// Every is how often it is looked for what is due.
	Every time.Duration
}

const sendTime = 30 * time.Second // for one message, with all that it takes

// Run tells, until ctx ends.
func (o *Outbox) Run(ctx context.Context) error {
	rests := map[string]time.Time{}
	said := ""
	ticker := time.NewTicker(o.Every)
	defer ticker.Stop()
	for {
		trouble := ""
		if err := o.round(ctx, rests); err != nil && ctx.Err() == nil {
			trouble = gate.OneLine(err.Error(), 1024)
		}
		if trouble != "" && trouble != said {
			o.Logger.Warn("not everything that people should be told could be told; this is said again only when it is another", "error", trouble)
		}
		said = trouble
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// round tells what is due now. rests says until when a receiver is left alone that did not answer, so that a hundred Cases do not knock at
// its door.
func (o *Outbox) round(ctx context.Context, rests map[string]time.Time) error {
	cases, err := o.Book.All(ctx)
	if err != nil {
		return err
	}
	due, errs := o.sort(ctx, cases)
	for _, r := range o.Config.Receivers {
		now := o.Now()
		if now.Before(rests[r.Name]) {
			continue
		}
		delete(rests, r.Name)
		for _, j := range o.Config.Pace.plan(r, now, due[r.Name]) {
			rest, err := o.tell(ctx, r, j)
			if err != nil {
				errs = append(errs, fmt.Errorf("tell %s: %w", r.Name, err))
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if rest > 0 {
				rests[r.Name] = o.Now().Add(rest)
				break
			}
		}
	}
	return errors.Join(errs...)
}

// sort finds out whom each Case is about. It says on a Case where a Guardrail names somebody who is not there.
func (o *Outbox) sort(ctx context.Context, cases []v1alpha1.Case) (map[string][]item, []error) {
	var errs []error
	due, named := map[string][]item{}, map[string][]string{}
	for i := range cases {
		k := &cases[i]
		v := look(k)
		if v.State == "" || v.What == "" && len(k.Status.Told) == 0 {
			continue
		}
		names, known := named[k.Namespace]
		if !known {
			var err error
			if names, err = o.Named(ctx, k.Namespace); err != nil {
				errs = append(errs, fmt.Errorf("in namespace %s: %w", k.Namespace, err))
			}
			if err != nil || len(names) == 0 {
				names = slices.Concat(names, o.Config.Default)
			}
			named[k.Namespace] = names
		}
		for _, r := range o.Config.Receivers {
			t := toldOf(k, r.Name)
			named := slices.Contains(names, r.Name)
			if named || t.Message != "" { // what was opened is ended, whoever is named by now
				due[r.Name] = append(due[r.Name], item{key: client.ObjectKeyFromObject(k), uid: k.UID, view: v, told: t, named: named})
			}
		}
		errs = append(errs, o.missing(ctx, k, names)...)
	}
	return due, errs
}

func toldOf(k *v1alpha1.Case, receiver string) v1alpha1.Told {
	i := slices.IndexFunc(k.Status.Told, func(t v1alpha1.Told) bool { return t.Receiver == receiver })
	if i < 0 {
		return v1alpha1.Told{Receiver: receiver}
	}
	return k.Status.Told[i]
}

// missing says on a Case whom nobody could tell, once.
func (o *Outbox) missing(ctx context.Context, k *v1alpha1.Case, names []string) (errs []error) {
	for _, name := range names {
		known := slices.ContainsFunc(o.Config.Receivers, func(r Receiver) bool { return r.Name == name })
		if known || toldOf(k, name).Phase == v1alpha1.ToldUnknown || len(k.Status.Told) >= receiversMost {
			continue
		}
		done, err := o.Book.Note(ctx, client.ObjectKeyFromObject(k), k.UID, name, func(_ *v1alpha1.Case, t *v1alpha1.Told) bool {
			t.Phase, t.At, t.Text = v1alpha1.ToldUnknown, metav1.NewTime(o.Now()), "a Guardrail names it, and --receivers lists nobody of that name: nobody was told"
			return true
		})
		if err != nil {
			errs = append(errs, err)
		} else if done {
			o.Counted("none", NoSuch)
			o.Logger.Warn("a Guardrail names a receiver that --receivers does not list, so it is told nothing", "receiver", name, "case", k.Namespace+"/"+k.Name)
		}
	}
	return errs
}

// tell claims what a message is about, sends it, and notes what became of it. rest is how long to leave the receiver alone.
func (o *Outbox) tell(ctx context.Context, r Receiver, j job) (rest time.Duration, err error) {
	m, items, err := o.claim(ctx, r, j)
	if err != nil || len(items) == 0 {
		return 0, err
	}
	sending, cancel := context.WithTimeout(ctx, sendTime)
	receipt, failed := o.Senders[r.Name].Send(sending, m)
	cancel()
	if ctx.Err() != nil && failed != nil {
		return 0, ctx.Err() // the claim stands, and whoever comes next sends it once more
	}
	var errs []error
	now := o.Now()
	for _, x := range items {
		_, err := o.Book.Note(ctx, x.key, x.uid, r.Name, func(_ *v1alpha1.Case, t *v1alpha1.Told) bool {
			if t.ID != x.want.ID && !j.update {
				return false // it was taken over
			}
			if failed == nil || j.update && resultOf(failed) == Refused { // what cannot be updated is left as it is
				sent(t, x, receipt, j, now)
				return true
			}
			if !j.update {
				rest = max(rest, fell(t, failed, clean(o.Door, failed.Error(), 256), now))
			}
			return !j.update
		})
		errs = append(errs, err)
	}
	o.Counted(r.Kind, resultOf(failed))
	var f *Fault
	if errors.As(failed, &f) && f.Final {
		rest = 0
	} else if failed != nil && j.update {
		rest = backoff
		if f != nil {
			rest = max(rest, min(f.After, time.Hour))
		}
	}
	return rest, errors.Join(append(errs, failed)...)
}

// claim takes what is still as it was planned, and composes the message of it. An update needs no claim: done twice it is done once.
func (o *Outbox) claim(ctx context.Context, r Receiver, j job) (Message, []item, error) {
	m := Message{Cluster: clean(o.Door, o.Config.Cluster, lineMost), At: o.Now(), Again: j.again, Update: j.update}
	var items []item
	for _, x := range j.items {
		done, err := o.Book.Note(ctx, x.key, x.uid, r.Name, func(k *v1alpha1.Case, t *v1alpha1.Told) bool {
			v := look(k)
			if t.ID != x.told.ID || t.Phase != x.told.Phase || t.Attempts != x.told.Attempts || v.What != x.view.What {
				return false
			}
			if len(m.Cases) == len(items) {
				m.Cases = append(m.Cases, Told{})
			}
			m.Cases[len(items)] = tell(o.Door, k, v)
			m.What, m.ID, m.Earlier = v.What, x.want.ID, x.want.Message
			if j.update {
				return true
			}
			now := metav1.NewTime(o.Now())
			x.want.State = v.State
			first := x.want.First
			if first == nil {
				first = &now
			}
			*t = x.want
			t.Phase, t.At, t.First, t.Next, t.Attempts, t.Text = v1alpha1.ToldClaimed, now, first, nil, x.want.Attempts+1, ""
			return true
		})
		if err != nil {
			return m, nil, err
		}
		if done {
			items = append(items, x)
		}
	}
	m.Cases = m.Cases[:len(items)]
	return m, items, nil
}

// sent notes that a message got there.
func sent(t *v1alpha1.Told, x item, receipt Receipt, j job, now time.Time) {
	if j.update {
		t.State = x.view.State
		if x.view.What != "" {
			t.What, t.At = x.view.What, metav1.NewTime(now)
		}
		t.Message = receipt.Message
		return
	}
	t.Phase, t.At, t.Unclear, t.Text, t.Message = v1alpha1.ToldSent, metav1.NewTime(now), false, "", receipt.Message
}

// fell notes why a message did not get there, and when it is tried again.
func fell(t *v1alpha1.Told, failed error, text string, now time.Time) time.Duration {
	f := &Fault{}
	errors.As(failed, &f)
	rest := pauseAfter(int(t.Attempts), f.After)
	next := metav1.NewTime(now.Add(rest))
	t.Phase, t.At, t.Next, t.Text = v1alpha1.ToldFailed, metav1.NewTime(now), &next, text
	t.Unclear = t.Unclear || !f.Clear
	if f.Final || t.First != nil && now.Sub(t.First.Time) > giveUp {
		t.Phase, t.Next = v1alpha1.ToldRefused, nil
	}
	return rest
}

func resultOf(failed error) string {
	var f *Fault
	switch {
	case failed == nil:
		return Sent
	case errors.As(failed, &f) && f.Final:
		return Refused
	}
	return Failed
}
