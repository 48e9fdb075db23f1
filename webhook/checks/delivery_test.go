package checks

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/internal/gate"
)

func TestDelivery(t *testing.T) {
	apps := Origin{Kind: OriginKustomization, Namespace: "flux-system", Name: "apps"}
	from := func(o Origin, by string, d Delivery) func(*Rollout) {
		d.Here = true
		return func(r *Rollout) { r.New.Origin, r.By, r.World.Delivery = o, by, gate.Known(d) }
	}
	repository := func(state gate.Fact[Readiness]) []Upstream {
		return []Upstream{{Kind: "GitRepository", Namespace: "flux-system", Name: "code", State: state}}
	}
	const (
		robot      = "system:serviceaccount:ci:deployer"
		controller = "system:serviceaccount:flux-system:kustomize-controller"
	)
	const undo = "Flux's Kustomization flux-system/apps owns it and will undo this change"
	deliveryCheck.tell(t, []tale{
		{name: "a workload that nobody applies from Git"},
		{name: "a person's change of what will be put back", change: from(apps, "alice", Delivery{Undoes: true}), points: 10, nature: gate.Recent, text: undo},
		{name: "the same by the tool", change: from(apps, controller, Delivery{Undoes: true})},
		{name: "the same by a machine, which may be the tool in disguise", change: from(apps, robot, Delivery{Undoes: true})},
		{name: "the same by nobody knows whom", change: from(apps, "", Delivery{Undoes: true})},
		{name: "what is suspended and changed by a person is deliberate", change: from(apps, "alice", Delivery{Undoes: true, Suspended: true})},
		{name: "deliberate whatever the source says", change: from(apps, "alice", Delivery{Suspended: true, Sources: repository(gate.Known(Readiness{Trouble: "GitOperationFailed"}))})},
		{name: "what is suspended and changed by a machine", change: from(apps, robot, Delivery{Suspended: true}), points: 10, nature: gate.Recent, text: "is suspended: it applies nothing"},
		{name: "what is suspended, in a review", change: from(apps, "", Delivery{Suspended: true}), points: 10, nature: gate.Recent, text: "is suspended"},
		{name: "what is not ready", change: from(apps, robot, Delivery{Trouble: "BuildFailed"}), points: 10, nature: gate.Recent, text: "Flux's Kustomization flux-system/apps, which applies it, is not ready: BuildFailed"},
		{name: "what is not ready, and a person", change: from(apps, "alice", Delivery{Undoes: true, Trouble: "BuildFailed"}), points: 10, nature: gate.Recent, text: "will undo this once it is ready (BuildFailed)"},
		{name: "what failed before is not held against the tool itself", change: from(apps, controller, Delivery{Trouble: "ReconciliationFailed"})},
		{name: "nor against the account of a tenant that it writes as", change: from(apps, "system:serviceaccount:flux-system:tenant", Delivery{Trouble: "ReconciliationFailed"})},
		{name: "a source that is not ready", change: from(apps, controller, Delivery{Sources: repository(gate.Known(Readiness{Trouble: "GitOperationFailed"}))}),
			points: 10, nature: gate.Recent, text: "its source, GitRepository flux-system/code, is not ready: GitOperationFailed"},
		{name: "a source that is suspended", change: from(apps, controller, Delivery{Sources: repository(gate.Known(Readiness{Suspended: true}))}), points: 10, nature: gate.Recent, text: "is suspended"},
		{name: "a source that cannot be read is unknown", change: from(apps, controller, Delivery{Sources: repository(gate.Unknown[Readiness]("no answer in time"))}), unknown: "GitRepository code: no answer in time"},
		{name: "a Kustomization that cannot be read is unknown", change: func(r *Rollout) { r.New.Origin = apps }, unknown: "Kustomization flux-system/apps"},
		{name: "a mark that may mean something else is not", change: func(r *Rollout) { r.New.Origin = Origin{Kind: OriginApplication, Name: "web", Guess: true} }},
		{name: "a mark that outlived what it names", change: func(r *Rollout) {
			r.New.Origin, r.By, r.World.Delivery = apps, "alice", gate.Known(Delivery{Undoes: true})
		}},
		{name: "an Application", change: from(Origin{Kind: OriginApplication, Name: "web"}, "alice", Delivery{Undoes: true}), points: 10, nature: gate.Recent, text: "Argo CD's Application web owns it"},
	})
}

// A finding about Git never refuses by itself, nor a way back.
func TestDeliveryAloneOnlyWarns(t *testing.T) {
	r := sound()
	r.New.Origin, r.By = Origin{Kind: OriginKustomization, Namespace: "a", Name: "b"}, "alice"
	r.World.Delivery = gate.Known(Delivery{Here: true, Undoes: true, Sources: []Upstream{{Kind: "Bucket", Name: "c", State: gate.Known(Readiness{Suspended: true})}}})
	a := Assess(r, nil)
	if score, _ := a.Score.Get(); score != 90 || len(a.Findings) != 2 {
		t.Errorf("score %d with %+v, want 90: a check takes no more than its own points", score, a.Findings)
	}
	if v := gate.Decide(enforce, a, gate.Facts{Menu: menu}); v.Decision == gate.Deny {
		t.Errorf("%s: %+v", v.Decision, v.Reasons)
	}
}

func TestOriginsAreReadFromTheMarks(t *testing.T) {
	ref := gate.Ref{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web"}
	flux := map[string]string{"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
	release := map[string]string{"kustomize.toolkit.fluxcd.io/name": "apps", "helm.toolkit.fluxcd.io/name": "web", "helm.toolkit.fluxcd.io/namespace": "shop"}
	kustomization := Origin{Kind: OriginKustomization, Namespace: "flux-system", Name: "apps"}
	spared := kustomization
	spared.Spared = true
	note := func(k, v string) map[string]string { return map[string]string{k: v} }
	for name, tt := range map[string]struct {
		labels, notes map[string]string
		want          Origin
	}{
		"none":                          {},
		"a Kustomization":               {flux, nil, kustomization},
		"one that is told to leave it":  {flux, note("kustomize.toolkit.fluxcd.io/reconcile", "disabled"), spared},
		"one that makes it once":        {flux, note("kustomize.toolkit.fluxcd.io/ssa", "IfNotPresent"), spared},
		"a HelmRelease comes first":     {release, nil, Origin{Kind: OriginHelmRelease, Namespace: "shop", Name: "web"}},
		"an Application":                {nil, note(argoTracking, "web:apps/Deployment:shop/web"), Origin{Kind: OriginApplication, Name: "web"}},
		"one in a namespace of its own": {nil, note(argoTracking, "team_web:apps/Deployment:shop/web"), Origin{Kind: OriginApplication, Namespace: "team", Name: "web"}},
		"marks that were copied along":  {nil, note(argoTracking, "web:apps/Deployment:stage/web"), Origin{}},
		"Argo CD's own label":           {note(argoInstance, "web"), nil, Origin{Kind: OriginApplication, Name: "web"}},
		"a label with other uses":       {note(anyInstance, "web"), nil, Origin{Kind: OriginApplication, Name: "web", Guess: true}},
	} {
		if got := originOf(&metav1.ObjectMeta{Labels: tt.labels, Annotations: tt.notes}, ref); got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}
