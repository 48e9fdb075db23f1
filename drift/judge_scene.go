package drift

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
)

// understand has the rules judge what a change looks like, with what is known around it. k is its Case, if there is one: once
// Events are forgotten, what they once said stands there.
func (d *Detector) understand(ctx context.Context, l *look, t tree, k *v1alpha1.Case) {
	if len(l.unread) > 0 || len(l.drifts) == 0 {
		return
	}
	s := scene{drifts: l.drifts, now: d.Now()}
	for _, one := range l.drifts {
		if one.Owner.Time.After(s.at) {
			s.at = one.Owner.Time
		}
	}
	if p := t.past[l.object.Name]; p != nil {
		s.since = p.since
	}
	seen := s.now
	if k != nil {
		seen = k.Spec.Signal.FirstSeen.Time
	}
	if !s.at.IsZero() && s.at.Before(seen) {
		seen = s.at
	}
	if s.now.Sub(seen) > window {
		s.kept = heldOn(k)
	} else if someones(l.drifts) {
		s.troubles, s.suspended = d.troubles(ctx, l), d.suspended(ctx, l)
	}
	s.older = d.older(ctx, l, t)
	l.intention = judgeIntent(s)
}

// someones reports whether somebody may have made one of the changes.
func someones(drifts []Drift) bool {
	return slices.ContainsFunc(drifts, func(d Drift) bool { return d.Owner.Party == Person || applied(d.Owner) })
}

// heldOn are the ids of the rules that a Case says held. What a model says there is no rule.
func heldOn(k *v1alpha1.Case) []string {
	if k == nil {
		return nil
	}
	var ids []string
	for _, f := range k.Status.Findings {
		if f.Nature != string(gate.Advised) {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

// failing are the reasons of Events that say that a workload does not work, as Kubernetes itself gives them. Whoever may write Events
// may write these too, so they are evidence and no proof; their notes are not read.
var failing = []string{"BackOff", "CrashLoopBackOff", "Unhealthy", "Failed", "OOMKilling", "Evicted", "FailedMount", "FailedAttachVolume",
	"FailedCreate", "FailedCreatePodSandBox", "FailedScheduling", "ProgressDeadlineExceeded", "InspectFailed", "ErrImageNeverPull"}

// ofWorkload is how what is made for a workload is called after it.
var ofWorkload = regexp.MustCompile(`^-([a-z0-9]{1,10}|[a-z0-9]{1,10}-[a-z0-9]{5})$`)

// mostEvents bounds what is read of the Warning events of a namespace.
const mostEvents = 1000

// ranOut is the cause of a Case of a failing workload that ran out of memory, in the words of the face that finds it.
const ranOut = "out-of-memory"

// troubles are what went wrong with the workload lately: Warning events about it or what is called after it, and Cases.
func (d *Detector) troubles(ctx context.Context, l *look) gate.Fact[[]trouble] {
	e := gate.Evidence{ID: evidenceTroubles, Source: "Warning events and Cases of " + l.subject.Kind + "/" + l.subject.Name, At: d.Now(), Trust: gate.FromEvent}
	var events corev1.EventList
	var cases v1alpha1.CaseList
	err := errors.Join(d.Client.List(ctx, &events, client.InNamespace(l.subject.Namespace), client.Limit(mostEvents),
		client.MatchingFields{"type": corev1.EventTypeWarning}),
		d.Client.List(ctx, &cases, client.InNamespace(l.subject.Namespace),
			client.MatchingLabels{v1alpha1.LabelFace: string(gate.FaceRemediate), v1alpha1.LabelWorkload: cluster.WorkloadLabel(l.subject)}))
	if err != nil {
		e.Unread = "what went wrong with it cannot be read"
		l.evidence = append(l.evidence, e)
		return gate.Unknown[[]trouble](e.Unread)
	}
	all := []trouble{}
	count := map[string]int{}
	for i := range events.Items {
		if x := &events.Items[i]; slices.Contains(failing, x.Reason) && aboutObject(x.InvolvedObject.Kind, x.InvolvedObject.Name, l.subject) {
			all = append(all, trouble{first: began(x), last: ended(x), memory: x.Reason == "OOMKilling"})
			count[x.Reason]++
		}
	}
	for _, k := range cases.Items {
		at := k.Spec.Signal.FirstSeen.Time
		all = append(all, trouble{first: at, last: at, memory: k.Status.Cause == ranOut})
		count["Case"]++
	}
	for _, reason := range append(slices.Clone(failing), "Case") {
		if n := count[reason]; n > 0 {
			e.Text += fmt.Sprintf("%s: %d\n", reason, n)
		}
	}
	l.evidence = append(l.evidence, e)
	return gate.Known(all)
}

// aboutObject reports whether something is a workload, or a Pod or ReplicaSet that is called after it: it may be gone by now, so that
// nobody can be asked who owned it.
func aboutObject(kind, name string, workload gate.Ref) bool {
	if kind == workload.Kind {
		return name == workload.Name
	}
	rest, ok := strings.CutPrefix(name, workload.Name)
	return ok && (kind == "Pod" || kind == "ReplicaSet") && ofWorkload.MatchString(rest)
}

// began and ended are when the first and the last of the happenings of an Event were.
func began(e *corev1.Event) time.Time {
	for _, at := range []time.Time{e.FirstTimestamp.Time, e.EventTime.Time} {
		if !at.IsZero() {
			return at
		}
	}
	return e.CreationTimestamp.Time
}

func ended(e *corev1.Event) time.Time {
	if e.Series != nil {
		return e.Series.LastObservedTime.Time
	}
	if at := e.LastTimestamp.Time; !at.IsZero() {
		return at
	}
	return began(e)
}

// fluxMarks are the labels by which Flux says what delivers an object, and what that is.
var fluxMarks = []struct {
	label string
	kind  schema.GroupVersionKind
}{
	{"kustomize.toolkit.fluxcd.io/", schema.GroupVersionKind{Group: "kustomize.toolkit.fluxcd.io", Version: "v1", Kind: "Kustomization"}},
	{"helm.toolkit.fluxcd.io/", schema.GroupVersionKind{Group: "helm.toolkit.fluxcd.io", Version: "v2", Kind: "HelmRelease"}},
}

// suspended reports whether Flux, where it delivers the object, was told to stop.
func (d *Detector) suspended(ctx context.Context, l *look) gate.Fact[bool] {
	for _, mark := range fluxMarks {
		name, namespace := l.labels[mark.label+"name"], l.labels[mark.label+"namespace"]
		if name == "" {
			continue
		}
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(mark.kind)
		if err := d.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, u); err != nil {
			return gate.Unknown[bool](mark.kind.Kind + " cannot be read")
		}
		suspended, _, _ := unstructured.NestedBool(u.Object, "spec", "suspend")
		l.read(evidenceDelivery, mark.kind.Kind+" "+namespace+"/"+name, gate.FromAPI, d.Now(), fmt.Sprintf("suspend: %t", suspended))
		return gate.Known(suspended)
	}
	return gate.Unknown[bool]("nothing says what delivers it")
}
