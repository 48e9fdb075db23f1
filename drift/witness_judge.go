package drift

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
)

// CauseReverted is the cause of a change that somebody put back within seconds: Git, or whoever delivers it, said otherwise.
const CauseReverted = "reverted"

// foughtOver is how many changes of one object have to be put back in an hour before somebody works against what delivers it.
const foughtOver = 3

// reasonSuperseded is that of the condition Drifted of a witnessed Case whose change stands on the Case of a drift.
const reasonSuperseded = "Superseded"

// evidenceBefore is what people were seen to do to the same object before.
const evidenceBefore = "witness-before"

// deed is what a person was seen to do to an object, with what is known around it.
type deed struct {
	k         *v1alpha1.Case
	look      *look
	intention intention
	undone    int // changes of this object that were put back in the hour up to this one, this one among them
}

// judge gives its verdict on what a person was seen to do, on record, and answers what to write on the Case.
func (w Witnesses) judge(ctx context.Context, k *v1alpha1.Case) (func(*v1alpha1.CaseStatus), error) {
	d := w.Detector
	x := w.understood(ctx, k)
	s := k.Spec.Signal
	q := flow.Question{Case: k.Namespace + "/" + k.Name, Evidence: x.look.evidence,
		Signal: gate.Signal{Face: gate.FaceDrift, Reason: s.Reason, Subject: x.look.subject, Key: s.Key, Text: line(s.Text), At: s.FirstSeen.Time},
		Facts: gate.Facts{At: d.Now(), Subject: x.look.subject, Menu: x.menu(), Paused: gate.Known[[]string](nil),
			Owner: gate.Unknown[gate.Owner]("what declares the object is looked for where it is compared with Git")}}
	d.Circumstances.Complete(ctx, &q, gate.Known(k.Spec.Witness.At.Time), x.cause(), "escalate")
	j, recordErr := flow.Judge(ctx, d.Log, q, d.policy(ctx, k.Namespace), flow.AdvisorFunc(func(context.Context, flow.Question) gate.Assessment { return x.assess() }))
	judged := d.Cases.Judged(j, recordErr)
	return func(st *v1alpha1.CaseStatus) {
		judged(st)
		// No model reads these two: what is asked about drifts is asked on their own Cases.
		st.Summary, st.Owner = gate.OneLine(s.Text, 160), gate.OneLine(named(k.Spec.Witness), 256)
	}, recordErr
}

// named says who was seen: "alice as kubectl-edit at 2026-11-23T15:04:05Z, seen by the API server".
func named(w *v1alpha1.Witness) string {
	return Owner{User: w.User, SeenAs: w.Manager, SeenAt: w.At.Time}.Named()
}

// understood has the rules look at what is known around a change. Its values are not on the Case, so only those rules speak that need
// none.
func (w Witnesses) understood(ctx context.Context, k *v1alpha1.Case) *deed {
	seen, d := k.Spec.Witness, w.Detector
	x := &deed{k: k, look: &look{subject: subjectOf(k)}}
	l := x.look
	l.read(evidenceWitness, "what the API server told of "+l.subject.Kind+"/"+l.subject.Name, gate.FromAPI, seen.At.Time, fmt.Sprintf("%s of fields: %d", seen.Operation, len(seen.Paths)+int(seen.More)))
	cases, err := witnessedCases(ctx, d.Client, l.subject)
	if err != nil {
		l.evidence = append(l.evidence, gate.Evidence{ID: evidenceBefore, Source: "what people were seen to do to it before", At: d.Now(), Trust: gate.FromAPI,
			Unread: "the Cases about that cannot be read"})
	}
	for _, other := range cases {
		if age := seen.At.Sub(other.Spec.Witness.At.Time); other.Spec.Signal.Reason == v1alpha1.ReasonReverted && age >= 0 && age <= window {
			x.undone++
		}
	}
	s := scene{drifts: changes(seen), at: seen.At.Time, now: d.Now()}
	if s.now.Sub(s.at) <= window {
		l.labels = d.labelsOf(ctx, l.subject)
		s.troubles, s.suspended = d.troubles(ctx, l), d.suspended(ctx, l)
	}
	x.intention = judgeIntent(s)
	return x
}

// changes are the fields that a person was seen to change, as far as the rules can look at them: by name.
func changes(w *v1alpha1.Witness) []Drift {
	drifts := make([]Drift, len(w.Paths))
	for i, p := range w.Paths {
		drifts[i] = Drift{Path: steps(p), Owner: Owner{Manager: w.Manager, Subresource: w.Subresource, User: w.User, Party: Person, Time: w.At.Time}}
	}
	return drifts
}

// steps are the names of the fields in the text of a path, which is as source.Path writes it.
func steps(text string) source.Path {
	var p source.Path
	for text != "" {
		switch {
		case strings.HasPrefix(text, `["`):
			field, rest, _ := strings.Cut(text[2:], `"]`)
			p, text = append(p, source.Step{Field: field}), rest
		case text[0] == '[':
			_, rest, _ := strings.Cut(text, "]")
			text = rest
		default:
			text = strings.TrimPrefix(text, ".")
			end := strings.IndexAny(text, ".[")
			if end < 0 {
				end = len(text)
			}
			if end == 0 {
				return p // nothing that source.Path writes
			}
			p, text = append(p, source.Step{Field: text[:end]}), text[end:]
		}
	}
	return p
}

func subjectOf(k *v1alpha1.Case) gate.Ref { return refIn(k.Namespace, k.Spec.Subject) }

func refIn(namespace string, s v1alpha1.Subject) gate.Ref {
	return gate.Ref{Group: s.Group, Version: s.Version, Kind: s.Kind, Namespace: namespace, Name: s.Name, UID: s.UID}
}

// labelsOf are the labels of an object, nil where they cannot be read or are another object's by now.
func (d *Detector) labelsOf(ctx context.Context, r gate.Ref) map[string]string {
	o := &metav1.PartialObjectMetadata{}
	o.SetGroupVersionKind(schema.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: r.Kind})
	if d.Client.Get(ctx, client.ObjectKey{Namespace: r.Namespace, Name: r.Name}, o) != nil || string(o.UID) != r.UID {
		return nil
	}
	return o.Labels
}

func (x *deed) reverted() bool { return x.k.Spec.Signal.Reason == v1alpha1.ReasonReverted }

func (x *deed) cause() string {
	switch {
	case x.reverted():
		return CauseReverted
	case x.intention.intent != "":
		return x.intention.intent
	}
	return CausePerson
}

// menu is little: what was put back needs nothing, and what stands is the matter of the drift's own Case.
func (x *deed) menu() []gate.Action {
	return []gate.Action{
		{ID: ItemEscalate, Verb: "escalate", Reach: gate.ReachNothing, Target: x.look.subject, Text: "tell people; what is to stay, Git has to say"},
		{ID: ItemNothing, Verb: "nothing", Reach: gate.ReachNothing, Target: x.look.subject, Text: "leave it as it is"}}
}

// assess is what the rules make of it. It chooses nothing, so nobody acts on it, and it names no user.
func (x *deed) assess() gate.Assessment {
	a := gate.Assessment{Advisor: "witness-rules", Agreement: gate.Known(100), Cause: x.cause(), Confidence: gate.Known(100), Findings: x.findings(),
		Score: gate.Unknown[int]("nothing was chosen"), Alone: "what was seen needs no opinion",
		Silent: "it stands: whether it should is for the Case of the drift that it made, or for people"}
	if a.Cause == x.intention.intent {
		a.Confidence = gate.Known(x.intention.sure)
	}
	if x.reverted() {
		a.Silent = "it was put back: if it was meant to stay, Git has to say it"
	}
	return a
}

func (x *deed) findings() []gate.Finding {
	evidence := []string{evidenceWitness}
	found := gate.Finding{ID: "witnessed", Evidence: evidence, Text: "a person changed it, and it stood"}
	if x.reverted() {
		found = gate.Finding{ID: "put-back", Evidence: evidence, Text: "a person changed it, and within seconds it was put back"}
	}
	all := []gate.Finding{found}
	if x.reverted() && x.undone >= foughtOver {
		all = append(all, gate.Finding{ID: "fought-over", Evidence: evidence,
			Text: fmt.Sprintf("%d changes of it were put back within the hour: somebody works against what delivers it", x.undone)})
	}
	return append(all, x.intention.findings()...)
}

// becomes says what became of a change on its Case, from the Cases of the same object's drifts. It is never True there: one happening is to
// stand on one Case. That is the drift's, which knows the values, the place in Git and what may be done, and which lasts as long as
// the fields differ; it names the person too. The witnessed Case stays as the record of who and when, and refers to the other. They
// are matched by object: a drift Case is about all fields of its object that differ.
func (w Witnesses) becomes(k *v1alpha1.Case, drifts []v1alpha1.Case) func(*v1alpha1.CaseStatus) {
	d := w.Detector
	return func(st *v1alpha1.CaseStatus) {
		was := meta.FindStatusCondition(st.Conditions, CaseDrifted)
		standing := slices.IndexFunc(drifts, func(c v1alpha1.Case) bool {
			return meta.IsStatusConditionTrue(c.Status.Conditions, CaseDrifted) && !asksToHold(&c) && (c.Spec.Subject.UID == k.Spec.Subject.UID || tellsOf(&c, subjectOf(k)))
		})
		switch {
		case was != nil && was.Status == metav1.ConditionFalse: // it ended; what differs since is another happening
		case k.Spec.Signal.Reason == v1alpha1.ReasonReverted:
			d.drifted(st, metav1.ConditionFalse, v1alpha1.ReasonReverted, "it was put back within seconds")
		case standing >= 0:
			d.drifted(st, metav1.ConditionUnknown, reasonSuperseded, "what differs from Git stands on Case "+drifts[standing].Name)
		case was != nil && was.Reason == reasonSuperseded && slices.ContainsFunc(drifts, func(c v1alpha1.Case) bool {
			return strings.HasSuffix(was.Message, " "+c.Name) && (meta.IsStatusConditionFalse(c.Status.Conditions, CaseDrifted) || c.Labels[LabelMany] == "true")
		}):
			d.drifted(st, metav1.ConditionFalse, "Gone", "what differed is gone: "+was.Message)
		default:
			d.drifted(st, metav1.ConditionUnknown, "NotCompared", "no Case says that the object differs from Git: it does not, or nobody compares it")
		}
	}
}
