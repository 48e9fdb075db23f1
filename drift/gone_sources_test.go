package drift_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"moorgate.dev/drift"
)

// gone is a stage on which Flux applied web, and somebody deleted it before this process ever looked.
func gone(t *testing.T) (s *delivery, commit string, by *unstructured.Unstructured) {
	t.Helper()
	s = newDelivery(t)
	commit = s.commit(map[string]string{"apps/web.yaml": web, "apps/api.yaml": strings.Replace(web, "name: web\n", "name: api\n", 1)})
	s.gitRepository(map[string]any{}, commit)
	by = s.kustomization("apps", map[string]any{"path": "apps"}, commit, "web")
	s.applied(web)
	s.kubectl("", "delete", "deployment/web")
	return s, commit, by
}

func TestWhatFluxDeliveredAndSomebodyDeletedIsADrift(t *testing.T) {
	s, commit, _ := gone(t)
	s.rounds()
	k := s.onlyCase() // api was never applied
	if k.Spec.Signal.Reason != "ObjectDeleted" || k.Spec.Subject.Name != "web" || drifted(k).Status != metav1.ConditionTrue || k.Status.Cause != drift.CauseUnknown {
		t.Errorf("got %s", asJSON(k))
	}
	if want := "deliver apps/web.yaml:2 of commit " + commit[:12] + " again the usual way: flux reconcile kustomization apps -n " + s.ns; len(k.Status.Menu) != 2 ||
		!strings.Contains(k.Status.Menu[0].Text, want) {
		t.Errorf("the menu is %s, want %q", asJSON(k.Status.Menu), want)
	}
	if told := s.told(); strings.Count(told, "the cluster no longer has Deployment/web") != 1 {
		t.Errorf("told: %s", told)
	}
	s.detector = s.detectorAs(s.judge)
	s.rounds()
	if again := s.onlyCase(); again.ResourceVersion != k.ResourceVersion {
		t.Errorf("another process tells it in another way: %s", asJSON(again))
	}
	s.applied(web)
	s.rounds()
	if c := drifted(s.onlyCase()); c.Status != metav1.ConditionFalse {
		t.Errorf("it is there again, and the Case says %+v", c)
	}
}

// Each is a delivery that is about to bring the object again, or that takes it away.
func TestWhatADeliveryTakesAwayWasNotDeletedByAnybody(t *testing.T) {
	for name, change := range map[string]string{
		"another commit is being applied":  `{"status":{"lastAttemptedRevision":"main@sha1:0123456789012345678901234567890123456789"}}`,
		"it was applied":                   `{"status":{"lastAppliedRevision":"main@sha1:0123456789012345678901234567890123456789"}}`,
		"what it applied is less":          `{"status":{"inventory":{"entries":[]}}}`,
		"what it says was not applied yet": `{"spec":{"force":true},"status":{"observedGeneration":1}}`,
	} {
		t.Run(name, func(t *testing.T) {
			s, _, by := gone(t)
			keys, err := s.detector.Discover(t.Context())
			s.ok(err)
			s.kubectl("", "patch", "kustomizations.kustomize.toolkit.fluxcd.io/"+by.GetName(), "--type=merge", "-p", change)
			for _, key := range keys {
				if key.Namespace == s.ns {
					s.compared(key)
				}
			}
			if all := s.cases(); len(all) != 0 {
				t.Errorf("it is being delivered: %s", asJSON(all))
			}
		})
	}
	t.Run("who delivers goes, and takes it along", func(t *testing.T) {
		s, _, by := gone(t)
		path := "kustomizations.kustomize.toolkit.fluxcd.io/" + by.GetName()
		s.kubectl("", "patch", path, "--type=merge", "-p", `{"metadata":{"finalizers":["finalizers.fluxcd.io/x"]}}`)
		defer s.kubectl("", "patch", path, "--type=merge", "-p", `{"metadata":{"finalizers":null}}`)
		s.kubectl("", "delete", path, "--wait=false")
		s.rounds()
		if all := s.cases(); len(all) != 0 {
			t.Errorf("it goes with who delivers it: %s", asJSON(all))
		}
	})
}

// A hook of Argo CD is taken away once it has done its work.
func TestWhatArgoDeliveredAndSomebodyDeletedIsADrift(t *testing.T) {
	s := newDelivery(t)
	hook := strings.Replace(named("hook"), "metadata:\n", "metadata:\n  annotations: {argocd.argoproj.io/hook: PreSync}\n", 1)
	commit := s.commit(map[string]string{"apps/web.yaml": web, "apps/hook.yaml": hook})
	s.application("shop", map[string]any{"source": s.from("apps", nil)},
		map[string]any{"sync": map[string]any{"status": "Synced", "revision": commit}}, "web", "hook")
	s.rounds()
	k := s.onlyCase()
	if k.Spec.Signal.Reason != "ObjectDeleted" || k.Spec.Subject.Name != "web" || !strings.Contains(k.Status.Menu[0].Text, ": argocd app sync shop -N "+s.ns) {
		t.Errorf("got %s", asJSON(k))
	}
}

// TestWhatWasSeenIsKnownAfterARepositoryCouldNotBeRead has a commit be applied that cannot be read for a moment, and meanwhile an object be
// deleted that was seen before. Who was seen to delete it is found by the UID that it had.
func TestWhatWasSeenIsKnownAfterARepositoryCouldNotBeRead(t *testing.T) {
	s := newDelivery(t)
	commit := s.commit(map[string]string{"apps/web.yaml": web})
	s.gitRepository(map[string]any{}, commit)
	by := s.kustomization("apps", map[string]any{"path": "apps"}, commit, "web")
	s.applied(web)
	s.rounds()
	uid := string(s.live().UID)
	next := s.commit(map[string]string{"apps/readme.yaml": "# nothing\n"})
	s.kubectl("", "patch", "kustomizations.kustomize.toolkit.fluxcd.io/"+by.GetName(), "--type=merge", "-p", `{"status":{"lastAppliedRevision":"main@sha1:`+next+`"}}`)
	s.authorization.Store("nobody has it")
	s.rounds()
	if told := s.told(); !strings.Contains(told, "is not compared with Git") {
		t.Fatalf("it could be read: %q", told)
	}
	s.kubectl("", "delete", "deployment/web")
	s.authorization.Store("")
	s.detector.Git = s.detectorAs(s.judge).Git // whose Shelf does not know that it could not be read
	s.rounds()
	k := s.onlyCase()
	if k.Spec.Signal.Reason != "ObjectDeleted" || k.Spec.Subject.UID != uid {
		t.Errorf("it had the UID %s: %s", uid, asJSON(k))
	}
}
