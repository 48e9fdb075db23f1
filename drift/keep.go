package drift

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

const (
	// CaseDrifted on a Case is True while its fields differ, False once they no longer do, and Unknown where that could not
	// be read or nobody compares them any more. On a Case of what a person was seen to do it is never True: what differs then
	// stands on the Case of the drift.
	CaseDrifted = "Drifted"
	// LabelSource on a Case is a hash of the name of what is compared: a GitSource in the Case's namespace, or what is Delivered to it.
	LabelSource = "moorgate.dev/source"
)

func sourceLabel(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])[:16]
}

// keep judges what was seen and keeps its Case. It judges off the record first: where the Case says all of it already,
// nothing is recorded and nothing is written, so that a drift that stays costs one read a round.
func (d *Detector) keep(ctx context.Context, of client.ObjectKey, l *look, p gate.Policy, r *round) error {
	d.plan(ctx, l, r.tree, true)
	s := l.signal(of.Name, d.Now())
	r.open[s.CaseName()] = true
	key := client.ObjectKey{Namespace: of.Namespace, Name: s.CaseName()}
	var k v1alpha1.Case
	err := d.Client.Get(ctx, key, &k)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read case %s: %w", key, err)
	}
	var known *v1alpha1.Case
	if err == nil {
		s.At, known = k.Spec.Signal.FirstSeen.Time, &k
	}
	d.understand(ctx, l, r.tree, known)
	if err := d.keepHold(ctx, l, p, known, r); err != nil {
		return err
	}
	for range max(1, len(l.many.objects)) {
		r.standing = append(r.standing, Standing{Cause: cause(l), Since: s.At})
	}
	q := flow.Question{Signal: s, Case: cluster.CaseRef(s), Evidence: l.evidence, OffRecord: true,
		// Circumstances say whether the process is paused, if it can be; a Guardrail that is paused says so itself.
		Facts: gate.Facts{At: d.Now(), Subject: l.subject, Menu: menu(l), Paused: gate.Known[[]string](nil), Unread: l.unread}}
	if p.Direction() == gate.DirectionReport {
		q.Facts.Menu = reported(q.Facts.Menu)
	}
	d.circumstances(ctx, &q, l, of)
	advisor := d.advisor(q.Case, l)
	rehearsal, _ := flow.Judge(ctx, d.Log, q, p, advisor)
	if err == nil && said(&k, d.tell(l, rehearsal, nil)) {
		d.confer(key, l, q, p)
		return nil
	}
	q.OffRecord = false
	j, recordErr := flow.Judge(ctx, d.Log, q, p, advisor)
	if apierrors.IsNotFound(err) {
		labels := map[string]string{LabelSource: sourceLabel(of.Name)}
		if l.many.reason != "" {
			labels[LabelMany] = "true"
		}
		if _, _, err := d.Cases.Open(ctx, s, nil, labels); err != nil {
			return err
		}
	}
	if err := d.Cases.Keep(ctx, key, d.tell(l, j, recordErr)); err != nil {
		return err
	}
	if len(l.unread) == 0 && j.Policy.Silenced(j.Question.Facts) == "" && (known == nil || meta.IsStatusConditionFalse(known.Status.Conditions, CaseDrifted)) {
		d.announceOpened(r.tree, l, key, s.Text)
	}
	d.confer(key, l, q, p)
	return nil
}

// circumstances completes the facts with what the rules about acting ask for. The commit may be old, and yet it is what Git
// says now: what counts is when it was read, which is an interval ago at most.
func (d *Detector) circumstances(ctx context.Context, q *flow.Question, l *look, of client.ObjectKey) {
	d.Circumstances.Complete(ctx, q, gate.Known(q.Signal.At), cause(l), "pull-request")
	q.Facts.Oldest = gate.Known(q.Facts.At.Add(-d.interval()))
	q.Facts.Owner, q.Facts.Drift = gate.Known(gate.Owner{Source: Title(of)}), gate.Known(cause(l))
	for _, drifted := range l.drifts {
		if strings.Contains(drifted.Path.String(), "resources") {
			q.Facts.Owner = gate.Unknown[gate.Owner]("whether a VerticalPodAutoscaler sets its resources is not looked at yet")
		}
	}
}

// tell writes a judgement into a Case's status.
func (d *Detector) tell(l *look, j flow.Judgement, recordErr error) func(*v1alpha1.CaseStatus) {
	judged := d.Cases.Judged(j, recordErr)
	return func(s *v1alpha1.CaseStatus) {
		judged(s)
		s.Owner, s.Objects = l.owners(), l.many.named()
		switch {
		case len(l.unread) > 0:
			d.drifted(s, metav1.ConditionUnknown, "Unreadable", "it could not be compared; what is not known is no drift")
		case l.gone:
			d.drifted(s, metav1.ConditionTrue, reasonDeleted, "Git declares it, and the cluster does not have it any more")
		case l.many.reason != "":
			d.drifted(s, metav1.ConditionTrue, l.many.reason, gate.OneLine(l.many.text, 512))
		default:
			d.drifted(s, metav1.ConditionTrue, "FieldsDiffer", fmt.Sprintf("fields that differ from Git: %d", len(l.drifts)))
		}
	}
}

func (d *Detector) drifted(s *v1alpha1.CaseStatus, status metav1.ConditionStatus, reason, text string) {
	meta.SetStatusCondition(&s.Conditions, metav1.Condition{Type: CaseDrifted, Status: status, Reason: reason, Message: text,
		LastTransitionTime: metav1.NewTime(d.Now())})
}

// said reports whether a Case says already what change would write, and its verdict is on record.
func said(k *v1alpha1.Case, change func(*v1alpha1.CaseStatus)) bool {
	want := k.Status.DeepCopy()
	change(want)
	return meta.IsStatusConditionTrue(k.Status.Conditions, v1alpha1.CaseRecorded) && equality.Semantic.DeepEqual(*want, k.Status)
}

// settle says on the Cases of this source whose drift is no more that it is gone. A workload that could not be compared
// keeps its Cases as they are. What fails for one Case stops none of the others.
func (d *Detector) settle(ctx context.Context, of client.ObjectKey, r *round) error {
	var gone []*v1alpha1.Case
	err := d.eachCase(ctx, of, func(k *v1alpha1.Case) func(*v1alpha1.CaseStatus) {
		if r.open[k.Name] || r.unread[k.Labels[v1alpha1.LabelWorkload]] || r.doubts(k) || meta.IsStatusConditionFalse(k.Status.Conditions, CaseDrifted) {
			return nil
		}
		if happened(k) {
			gone = append(gone, k)
		}
		return func(s *v1alpha1.CaseStatus) {
			text := fmt.Sprintf("it was no longer seen when compared with commit %.12s", r.tree.Commit)
			if asksToHold(k) {
				text = "there is nothing to hold any more: people have decided, the drift is gone, or a Guardrail says so"
			}
			d.drifted(s, metav1.ConditionFalse, "Gone", text)
		}
	})
	if err != nil {
		return err // what was not written comes again in the next round, and is told then
	}
	for _, k := range gone {
		d.announceGone(r.tree, k)
	}
	return nil
}

// doubts reports whether it is not known what a Case of many tells of.
func (r *round) doubts(k *v1alpha1.Case) bool {
	return k.Spec.Signal.Reason == reasonDeletedTogether && r.halfRead || k.Spec.Signal.Reason == reasonOrphaned && r.strays != ""
}

// release says on the Cases of a source that are open that nobody knows any more whether their fields differ.
func (d *Detector) release(ctx context.Context, source client.ObjectKey, why string) error {
	return d.eachCase(ctx, source, func(k *v1alpha1.Case) func(*v1alpha1.CaseStatus) {
		if meta.IsStatusConditionFalse(k.Status.Conditions, CaseDrifted) {
			return nil
		}
		return func(s *v1alpha1.CaseStatus) { d.drifted(s, metav1.ConditionUnknown, "NotCompared", why) }
	})
}

// eachCase keeps the Cases of a source by what change says to do with each; nil leaves one as it is.
func (d *Detector) eachCase(ctx context.Context, source client.ObjectKey, change func(*v1alpha1.Case) func(*v1alpha1.CaseStatus)) error {
	cases, err := d.casesOf(ctx, source)
	if err != nil {
		return err
	}
	var failed []error
	for i := range cases {
		k := &cases[i]
		do := change(k)
		if do == nil {
			continue
		}
		if err := d.Cases.Keep(ctx, client.ObjectKeyFromObject(k), do); client.IgnoreNotFound(err) != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

func (d *Detector) casesOf(ctx context.Context, source client.ObjectKey) ([]v1alpha1.Case, error) {
	var list v1alpha1.CaseList
	err := d.Client.List(ctx, &list, client.InNamespace(source.Namespace),
		client.MatchingLabels{v1alpha1.LabelFace: string(gate.FaceDrift), LabelSource: sourceLabel(source.Name)})
	if err != nil {
		return nil, fmt.Errorf("list the drift cases of %s: %w", Title(source), err)
	}
	return list.Items, nil
}
