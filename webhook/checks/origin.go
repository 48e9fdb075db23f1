package checks

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/internal/gate"
)

// The kinds by which GitOps tools apply workloads.
const (
	OriginKustomization = "Kustomization"
	OriginHelmRelease   = "HelmRelease"
	OriginApplication   = "Application"
)

// Origin is the object by which a GitOps tool applies a workload, as the workload's own marks say: anybody can write those, so
// nothing is said of an Origin before somebody has looked at it. The zero Origin is none.
type Origin struct {
	Kind      string
	Namespace string // empty for an Application: of that name in any namespace
	Name      string
	Guess     bool // the mark has other uses too, so the Application must name the workload as well
	Spared    bool // the workload's marks have the tool leave it as it is
}

const (
	kustomizeMark = "kustomize.toolkit.fluxcd.io/"
	helmMark      = "helm.toolkit.fluxcd.io/"
	argoTracking  = "argocd.argoproj.io/tracking-id"
	argoInstance  = "argocd.argoproj.io/instance"
	anyInstance   = "app.kubernetes.io/instance"
)

// originOf reads the marks. A workload of a HelmRelease has the marks of both where Flux applies the HelmRelease too: the
// release is what writes it.
func originOf(meta metav1.Object, ref gate.Ref) Origin {
	labels, notes := meta.GetLabels(), meta.GetAnnotations()
	switch {
	case labels[helmMark+"name"] != "":
		return Origin{Kind: OriginHelmRelease, Namespace: labels[helmMark+"namespace"], Name: labels[helmMark+"name"]}
	case labels[kustomizeMark+"name"] != "":
		once := notes[kustomizeMark+"ssa"]
		return Origin{Kind: OriginKustomization, Namespace: labels[kustomizeMark+"namespace"], Name: labels[kustomizeMark+"name"],
			Spared: notes[kustomizeMark+"reconcile"] == "disabled" || strings.EqualFold(once, "IfNotPresent") || strings.EqualFold(once, "Ignore")}
	case notes[argoTracking] != "":
		app, of, _ := strings.Cut(notes[argoTracking], ":")
		if of != ref.Group+"/"+ref.Kind+":"+ref.Namespace+"/"+ref.Name {
			return Origin{} // copied from another workload, together with its marks
		}
		return application(app, false)
	case labels[argoInstance] != "":
		return application(labels[argoInstance], false)
	case labels[anyInstance] != "":
		return application(labels[anyInstance], true)
	}
	return Origin{}
}

// application reads how Argo CD calls an Application: with its namespace before it where that is not Argo CD's own.
func application(called string, guess bool) Origin {
	o := Origin{Kind: OriginApplication, Name: called, Guess: guess}
	if ns, n, ok := strings.Cut(called, "_"); ok {
		o.Namespace, o.Name = ns, n
	}
	return o
}

// String names the Origin.
func (o Origin) String() string {
	if o.Namespace == "" {
		return o.Kind + " " + o.Name
	}
	return o.Kind + " " + o.Namespace + "/" + o.Name
}

// inShort names an object for a sentence: its name is what tells, so its namespace is left out where it is home, and cut first.
func inShort(ns, called, home string) string {
	if ns == "" || ns == home {
		return name(called)
	}
	return cut(clean(ns), nameMax/2) + "/" + name(called)
}

// tool is whose the Origin is.
func (o Origin) tool() string {
	if o.Kind == OriginApplication {
		return "Argo CD"
	}
	return "Flux"
}

// writes is whether the user is the tool itself. Flux may also write as a ServiceAccount of the namespace of its Kustomization
// or HelmRelease.
func (o Origin) writes(user string) bool {
	account, ok := strings.CutPrefix(user, "system:serviceaccount:")
	if !ok {
		return false
	}
	ns, called, _ := strings.Cut(account, ":")
	switch o.Kind {
	case OriginApplication:
		return strings.HasPrefix(called, "argocd-")
	case OriginKustomization:
		return called == "kustomize-controller" || ns == o.Namespace
	}
	return called == "helm-controller" || ns == o.Namespace
}

// person is whether the user is known to be none of the cluster's own accounts.
func person(user string) bool { return user != "" && !strings.HasPrefix(user, "system:") }
