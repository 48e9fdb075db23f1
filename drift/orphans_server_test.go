package drift_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/drift"
)

// orphans are the Cases of what was left behind.
func (s *delivery) orphans() []v1alpha1.Case {
	s.t.Helper()
	return slices.DeleteFunc(s.cases(), func(k v1alpha1.Case) bool { return k.Spec.Signal.Reason != "ObjectsOrphaned" })
}

// marked is a Deployment that bears the mark of a Kustomization.
func (s *delivery) marked(name, by string) string {
	return strings.Replace(named(name), "metadata:\n", "metadata:\n  labels: {kustomize.toolkit.fluxcd.io/name: "+by+", kustomize.toolkit.fluxcd.io/namespace: "+s.ns+"}\n", 1)
}

// rested is the status of a Kustomization that applied a commit at that time, and is at rest.
func rested(at time.Time) map[string]any {
	return map[string]any{"type": "Ready", "status": "True", "lastTransitionTime": at.UTC().Format(time.RFC3339)}
}

const kustomizationPath = "kustomizations.kustomize.toolkit.fluxcd.io/"

// behind is a stage on which Flux applied web and old, and then a commit without old, which it did not prune.
func behind(t *testing.T, spec map[string]any, old func(s *delivery)) (s *delivery, by *unstructured.Unstructured) {
	t.Helper()
	s = newDelivery(t)
	commit := s.commit(map[string]string{"apps/web.yaml": web})
	s.gitRepository(map[string]any{}, commit)
	s.applied(s.marked("web", "apps"))
	if old == nil {
		s.applied(s.marked("old", "apps"))
	} else {
		old(s)
	}
	all := map[string]any{"path": "apps", "prune": false}
	for field, value := range spec {
		all[field] = value
	}
	by = s.kustomization("apps", all, commit, "web")
	s.change(by, map[string]any{"conditions": []any{rested(time.Now())}})
	return s, by
}

// change sets fields of the status of an object.
func (s *delivery) change(u *unstructured.Unstructured, status map[string]any) {
	s.t.Helper()
	s.kubectl("", "patch", kustomizationPath+u.GetName(), "--type=merge", "-p", asJSON(map[string]any{"status": status}))
}

func TestWhatFluxLeftBehindIsADrift(t *testing.T) {
	s, by := behind(t, nil, nil)
	s.rounds()
	k := s.onlyCase()
	if k.Spec.Signal.Reason != "ObjectsOrphaned" || k.Spec.Subject.Kind != "Kustomization" || k.Status.Cause != drift.CauseOrphan || drifted(k).Status != metav1.ConditionTrue {
		t.Fatalf("got %s", asJSON(k))
	}
	if len(k.Status.Objects) != 1 || k.Status.Objects[0].Name != "old" || k.Status.Objects[0].UID == "" || len(k.Status.Chosen) != 0 {
		t.Errorf("got %s", asJSON(k.Status))
	}
	want := "1 object lives on that Kustomization " + s.ns + "/apps applied once and Git does not declare any more (it does not prune): Deployment/old"
	if k.Spec.Signal.Text != want {
		t.Errorf("it says %q, want %q", k.Spec.Signal.Text, want)
	}
	if len(k.Status.Menu) != 2 || !strings.Contains(k.Status.Menu[0].Text, "kubectl delete it, because Flux prunes only what it has in its inventory") {
		t.Errorf("the menu is %s", asJSON(k.Status.Menu))
	}
	if told := s.told(); strings.Count(told, want) != 1 {
		t.Errorf("told: %s", told)
	}
	if standing := s.detector.Standing(); len(standing) != 1 || standing[0].Cause != drift.CauseOrphan {
		t.Errorf("standing: %+v", standing)
	}
	s.rounds()
	s.detector = s.detectorAs(s.judge)
	s.detector.Events = s.events
	s.rounds()
	if again := s.onlyCase(); again.ResourceVersion != k.ResourceVersion {
		t.Errorf("it is written again: %s", asJSON(again))
	}

	s.applied(s.marked("older", "apps"))
	s.change(by, map[string]any{"conditions": []any{rested(time.Now())}})
	s.rounds()
	if again := s.onlyCase(); len(again.Status.Objects) != 2 {
		t.Errorf("another one is part of the same Case: %s", asJSON(again.Status))
	}
	s.change(by, map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": "Unknown"}}})
	s.kubectl("", "delete", "deployment/older")
	s.rounds()
	if again := s.onlyCase(); drifted(again).Status != metav1.ConditionTrue || len(again.Status.Objects) != 2 {
		t.Errorf("while something is being delivered the Case stays as it is: %s", asJSON(again.Status))
	}
	s.kubectl("", "delete", "deployment/old")
	s.change(by, map[string]any{"conditions": []any{rested(time.Now())}})
	s.rounds()
	if c := drifted(s.onlyCase()); c.Status != metav1.ConditionFalse {
		t.Errorf("nothing is left, and the Case says %+v", c)
	}
	if told := s.told(); !strings.Contains(told, "it is gone, or Git declares it again") {
		t.Errorf("told: %s", told)
	}
}

func TestALookTellsWhatWasLeftBehind(t *testing.T) {
	s, _ := behind(t, map[string]any{"prune": true}, nil)
	s.rounds()
	k := s.onlyCase()
	all, err := s.detector.Deliveries(t.Context(), s.ns)
	s.ok(err)
	r, err := s.detector.Look(t.Context(), drift.Asked{Namespace: s.ns, Source: all[0].Name, Delivered: &all[0], Others: all})
	s.ok(err)
	if len(r.Sights) != 1 || r.Sights[0].Subject.Name != "old" || r.Sights[0].Case == nil || r.Sights[0].Case.Name != k.Name ||
		!strings.Contains(r.Sights[0].Orphan, "(it prunes, and yet they are there") {
		t.Errorf("got %s", asJSON(r))
	}
	r, err = s.detector.Look(t.Context(), drift.Asked{Namespace: s.ns, Source: all[0].Name, Delivered: &all[0]})
	s.ok(err)
	if len(r.Sights) != 0 || !strings.Contains(strings.Join(r.Left, "\n"), "whether something was left behind that Git does not declare any more is not known") {
		t.Errorf("who does not know what else is delivered says %s", asJSON(r))
	}
}

// Each is an object that Git does not declare and that bears the mark of what delivers, and is no orphan, or not known to be one.
func TestWhatOnlyLooksLeftBehindIsNone(t *testing.T) {
	annotated := func(what string) func(*delivery) {
		return func(s *delivery) {
			s.applied(strings.Replace(s.marked("old", "apps"), "metadata:\n", "metadata:\n  annotations: {"+what+"}\n", 1))
		}
	}
	for name, story := range map[string]struct {
		old   func(*delivery)
		after func(*delivery, *unstructured.Unstructured)
	}{
		"it is pruned still, and in the inventory": {after: func(s *delivery, by *unstructured.Unstructured) {
			s.change(by, map[string]any{"inventory": map[string]any{"entries": []any{map[string]any{"id": s.ns + "_web_apps_Deployment", "v": "v1"}, map[string]any{"id": s.ns + "_old_apps_Deployment", "v": "v1"}}}})
		}},
		"it is on its way out": {after: func(s *delivery, _ *unstructured.Unstructured) {
			s.kubectl("", "patch", "deployment/old", "--type=merge", "-p", `{"metadata":{"finalizers":["example.com/stays"]}}`)
			s.kubectl("", "delete", "deployment/old", "--wait=false")
			old := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: s.ns, Name: "old"}}
			s.t.Cleanup(func() {
				_ = s.admin.Patch(context.Background(), old, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))
			})
		}},
		"another commit is being applied": {after: func(s *delivery, by *unstructured.Unstructured) {
			s.change(by, map[string]any{"lastAttemptedRevision": "main@sha1:0123456789012345678901234567890123456789"})
		}},
		"it is at work": {after: func(s *delivery, by *unstructured.Unstructured) {
			s.change(by, map[string]any{"conditions": []any{rested(time.Now()), map[string]any{"type": "Reconciling", "status": "True"}}})
		}},
		"it is younger than the last apply": {after: func(s *delivery, by *unstructured.Unstructured) {
			s.change(by, map[string]any{"conditions": []any{rested(time.Now().Add(-time.Hour))}})
		}},
		"nobody says when it was applied": {after: func(s *delivery, by *unstructured.Unstructured) {
			s.change(by, map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": "True", "lastTransitionTime": "soon"}}})
		}},
		"another Kustomization has it": {after: func(s *delivery, _ *unstructured.Unstructured) {
			s.kustomization("more", map[string]any{"path": "more"}, s.commit(map[string]string{"more/old.yaml": named("old")}), "old")
		}},
		"a GitSource declares it": {after: func(s *delivery, _ *unstructured.Unstructured) {
			s.commit(map[string]string{"deploy/old.yaml": named("old")})
			s.source(nil)
			s.round()
		}},
		"pruning is disabled for it":       {old: annotated("kustomize.toolkit.fluxcd.io/prune: disabled")},
		"it is not reconciled":             {old: annotated("kustomize.toolkit.fluxcd.io/reconcile: Disabled")},
		"it is a hook of Helm":             {old: annotated("helm.sh/hook: post-install")},
		"Helm keeps it":                    {old: annotated("helm.sh/resource-policy: keep")},
		"it is a copy that a person made":  {old: func(s *delivery) { s.kubectl(s.marked("old", "apps"), "apply", "-f", "-") }},
		"it bears the mark of another one": {old: func(s *delivery) { s.applied(s.marked("old", "others")) }},
		"a controller made it": {after: func(s *delivery, _ *unstructured.Unstructured) {
			s.kubectl("", "patch", "deployment/old", "--type=merge", "-p", asJSON(map[string]any{"metadata": map[string]any{"ownerReferences": []any{
				map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": s.live().UID}}}}))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s, by := behind(t, nil, story.old)
			if story.after != nil {
				story.after(s, by)
			}
			s.rounds()
			s.rounds()
			if all := s.orphans(); len(all) != 0 {
				t.Errorf("got %s", asJSON(all))
			}
		})
	}
}

// TestWhatArgoLeftBehindIsADrift has Argo CD list three objects that it would prune: one that it applied, a copy of that, whose mark names
// the first, and a hook.
func TestWhatArgoLeftBehindIsADrift(t *testing.T) {
	s := newDelivery(t)
	commit := s.commit(map[string]string{"apps/web.yaml": web})
	tracked := func(name, as string) {
		id := "{argocd.argoproj.io/tracking-id: 'shop:apps/Deployment:" + s.ns + "/" + as + "'}"
		s.kubectl(strings.Replace(named(name), "metadata:\n", "metadata:\n  annotations: "+id+"\n", 1), "apply", "--server-side", "--field-manager=argocd-controller", "-f", "-")
	}
	for _, name := range []string{"web", "old", "hook"} {
		tracked(name, name)
	}
	tracked("copy", "old")
	listed := []any{map[string]any{"group": "apps", "kind": "Deployment", "namespace": s.ns, "name": "web"}}
	for _, name := range []string{"old", "copy", "hook"} {
		listed = append(listed, map[string]any{"group": "apps", "kind": "Deployment", "namespace": s.ns, "name": name, "requiresPruning": true, "hook": name == "hook"})
	}
	s.application("shop", map[string]any{"source": s.from("apps", nil)}, map[string]any{"resources": listed,
		"sync":    map[string]any{"status": "OutOfSync", "revision": commit},
		"history": []any{map[string]any{"id": 1, "revision": commit, "source": s.from("apps", nil), "deployedAt": time.Now().UTC().Format(time.RFC3339)}}})
	s.rounds()
	k := s.onlyCase()
	if k.Spec.Signal.Reason != "ObjectsOrphaned" || len(k.Status.Objects) != 1 || k.Status.Objects[0].Name != "old" ||
		!strings.Contains(k.Status.Menu[0].Text, "argocd app sync shop -N "+s.ns+" --prune") {
		t.Errorf("got %s", asJSON(k))
	}
}

// TestWhatIsWatchedIsSearchedWithoutAsking has marks in what is watched, so that a search asks about what may be an orphan alone.
func TestWhatIsWatchedIsSearchedWithoutAsking(t *testing.T) {
	s, _ := behind(t, nil, nil)
	counter, asked := s.counting(s.judge)
	s.detector = s.detectorAs(counter)
	s.detector.Interval = time.Hour
	s.watching()
	s.eventually("what was left behind is told", func() bool {
		s.rounds()
		return len(s.orphans()) == 1
	})
	s.eventually("a round in which it is still there asks little, once nobody writes to what is delivered", func() bool {
		asked.since()
		s.rounds()
		n := asked.since()
		return n["GET"] <= 8 && len(n) == 1
	})
	s.kubectl("", "delete", "deployment/old")
	s.eventually("that it is gone is told", func() bool {
		s.rounds()
		return drifted(s.orphans()[0]).Status == metav1.ConditionFalse
	})
}
