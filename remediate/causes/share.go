package causes

import (
	"fmt"

	"moorgate.dev/internal/gate"
)

// EvidenceShared is which workloads fare badly because of one thing.
const EvidenceShared = "shared"

// Share is what several workloads may have in common that is why they fare badly: a registry that refuses, a ConfigMap that is missing.
// The zero Share is nothing.
type Share struct {
	Kind      string
	Namespace string // empty for what is of no namespace
	Name      string
	Cause     string // the id
}

// String is what it is as people write it.
func (s Share) String() string { return s.Kind + "/" + s.Name }

// Shared is what a World may have in common with others: nothing, most often.
func Shared(w World) Share {
	cause, explained := Of(w)
	if cause.shares == nil {
		return Share{}
	}
	s := cause.shares(w, explained)
	if s.Name == "" {
		return Share{}
	}
	s.Cause = cause.ID
	return s
}

// ofRegistry is the registry from which an image does not come.
func ofRegistry(_ World, e Explained) Share { return Share{Kind: "Registry", Name: e.host()} }

// ofAccess is the access to a registry that the workloads of one namespace have: others have credentials of their own, and what is refused to
// one must not hide what is refused to another.
func ofAccess(w World, e Explained) Share {
	return Share{Kind: "Registry", Namespace: w.Root.Namespace, Name: e.host()}
}

// ofMissing is the object of a kind that is missing, where that is one alone.
func ofMissing(kind string) func(World, Explained) Share {
	return func(w World, e Explained) Share {
		refs := lacking(w, e.Pods[0], kind, false)
		if len(refs) != 1 {
			return Share{}
		}
		return Share{Kind: kind, Namespace: w.Root.Namespace, Name: refs[0].Name}
	}
}

// ofQuota is the quota that has no room, where it was seen to have none.
func ofQuota(w World, _ Explained) Share {
	if seen, known := w.Refusal.Seen.Get(); !known || !seen {
		return Share{}
	}
	return Share{Kind: "ResourceQuota", Namespace: w.Root.Namespace, Name: w.Refusal.Name}
}

// ofClass is the StorageClass that is asked for and missing.
func ofClass(w World, _ Explained) Share {
	name, _ := w.Claim.Class.Get()
	return Share{Kind: "StorageClass", Name: name}
}

// Everywhere is whether things of a kind are of no namespace, so that workloads of several may share one.
func (s Share) Everywhere() bool {
	return s.Kind == "StorageClass" || s.Kind == "Registry" && s.Cause != idUnauthorized
}

// AssessShared is the opinion on what is told of many at once: the cause that each of them has, and that a person has to look, once.
// What may be done about one of them alone is not offered.
func AssessShared(s Share, workloads, namespaces int) gate.Assessment {
	cause := causeOf(s.Cause)
	text := sentence("%s (%s): %s in %s for that", cause.Title, s, plural(workloads, "workload"), plural(namespaces, "namespace"))
	if s.Kind == "Namespace" {
		text = sentence("%s more fares badly in namespace %s than Cases are opened there", plural(workloads, "workload"), s.Name)
	}
	a := gate.Assessment{Advisor: "causes", Agreement: gate.Known(100), Cause: cause.ID, Choice: []string{Escalate}, Confidence: gate.Known(cause.Sure)}
	a.Findings = []gate.Finding{
		{ID: cause.ID, Points: cause.Points, Evidence: []string{EvidenceShared}, Text: text},
		{ID: Escalate, Points: pointsChoice, Evidence: []string{EvidenceShared}, Text: fmt.Sprintf("what is done to one of them cures none: a person has to look at %s", s)}}
	a.Score = gate.Known(max(0, 100-cause.Points-pointsChoice))
	return a
}

func causeOf(id string) Cause {
	for _, c := range All() {
		if c.ID == id {
			return c
		}
	}
	return other
}
