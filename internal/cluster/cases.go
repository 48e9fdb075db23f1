package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// Cases opens Cases and keeps their status. Opening needs the right to create Cases, keeping their status the right to
// update cases/status; the webhook has the first alone.
type Cases struct {
	Client client.Client
	Now    func() time.Time
}

// Open creates the Case of a happening. That it exists already is success: the same happening is the same Case. The
// returned bool is whether it is new.
func (c Cases) Open(ctx context.Context, s gate.Signal, answer *v1alpha1.Answer, labels map[string]string) (*v1alpha1.Case, bool, error) {
	return c.open(ctx, NewCase(s, answer, labels))
}

// OpenWitnessed creates the Case of what a person was seen to do, as Open does.
func (c Cases) OpenWitnessed(ctx context.Context, s gate.Signal, w *v1alpha1.Witness) (*v1alpha1.Case, bool, error) {
	k := NewCase(s, nil, map[string]string{v1alpha1.LabelWitnessed: "true"})
	k.Spec.Witness = w
	return c.open(ctx, k)
}

func (c Cases) open(ctx context.Context, k *v1alpha1.Case) (*v1alpha1.Case, bool, error) {
	err := c.Client.Create(ctx, k)
	if apierrors.IsAlreadyExists(err) {
		return k, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("open case %s/%s: %w", k.Namespace, k.Name, err)
	}
	return k, true, nil
}

// NewCase is the Case of a happening as it would be created.
func NewCase(s gate.Signal, answer *v1alpha1.Answer, labels map[string]string) *v1alpha1.Case {
	k := &v1alpha1.Case{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Subject.Namespace, Name: s.CaseName(), Labels: map[string]string{
			v1alpha1.LabelFace: string(s.Face), v1alpha1.LabelWorkload: WorkloadLabel(s.Subject)}},
		Spec: v1alpha1.CaseSpec{
			Signal: v1alpha1.CaseSignal{Face: string(s.Face), Reason: s.Reason, Key: gate.OneLine(s.Key, 512), Text: gate.OneLine(s.Text, 1024),
				FirstSeen: metav1.NewTime(s.At)},
			Subject: v1alpha1.Subject{Group: s.Subject.Group, Version: s.Subject.Version, Kind: s.Subject.Kind,
				Name: s.Subject.Name, UID: s.Subject.UID},
			Answer: answer,
		},
	}
	for key, value := range labels {
		k.Labels[key] = value
	}
	return k
}

// CaseRef is the correlation of a happening: namespace and name of its Case.
func CaseRef(s gate.Signal) string { return s.Subject.Namespace + "/" + s.CaseName() }

// WorkloadLabel is the value of LabelWorkload for a subject: a hash, because label values end at 63 characters.
func WorkloadLabel(r gate.Ref) string {
	sum := sha256.Sum256([]byte(r.Group + "/" + r.Kind + "/" + r.Name))
	return hex.EncodeToString(sum[:])[:16]
}

// Keep writes what was made of a happening into the status of its Case. It reads the Case first and writes only what
// changed, so that a repeated verdict costs one read.
func (c Cases) Keep(ctx context.Context, key client.ObjectKey, change func(*v1alpha1.CaseStatus)) error {
	var k v1alpha1.Case
	if err := c.Client.Get(ctx, key, &k); err != nil {
		return fmt.Errorf("read case %s: %w", key, err)
	}
	before := k.DeepCopy()
	change(&k.Status)
	k.Status.ObservedGeneration = k.Generation
	if equality.Semantic.DeepEqual(before.Status, k.Status) {
		return nil
	}
	if err := c.Client.Status().Patch(ctx, &k, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("write the status of case %s: %w", key, err)
	}
	return nil
}

// Judged fills a Case's status from a judgement.
func (c Cases) Judged(j flow.Judgement, recordErr error) func(*v1alpha1.CaseStatus) {
	return func(s *v1alpha1.CaseStatus) {
		s.Opinion = Opinion(j)
		s.Subject = gate.OneLine(j.Question.Signal.Subject.Kind+"/"+j.Question.Signal.Subject.Name, 320)
		s.Summary = Summary(s.Opinion)
		s.Chosen = nil
		for _, id := range first(j.Assessment.Choice, maxMenu) {
			s.Chosen = append(s.Chosen, gate.OneLine(id, 64))
		}
		s.Menu = menu(j.Question.Facts.Menu)
		c.condition(s, v1alpha1.CaseJudged, metav1.ConditionTrue, j.Verdict.Decision.String(), s.Summary)
		if j.Position.Sequence > 0 {
			s.Audit = &v1alpha1.AuditPosition{Log: j.Position.Log, Sequence: int64(j.Position.Sequence)}
		}
		switch {
		case recordErr != nil:
			c.condition(s, v1alpha1.CaseRecorded, metav1.ConditionFalse, "LogFailed", gate.OneLine(recordErr.Error(), 1024))
		case j.Position.Sequence > 0:
			c.condition(s, v1alpha1.CaseRecorded, metav1.ConditionTrue, "Recorded", fmt.Sprintf("record %d of log %s", j.Position.Sequence, j.Position.Log))
		}
	}
}

func (c Cases) condition(s *v1alpha1.CaseStatus, kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&s.Conditions, metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message,
		LastTransitionTime: metav1.NewTime(c.Now())})
}
