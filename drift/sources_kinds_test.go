package drift_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"moorgate.dev/api/v1alpha1"
)

// TestManyKustomizationsOfOneCommitCostOneFetch has a hundred of them, as a repository for many teams has.
func TestManyKustomizationsOfOneCommitCostOneFetch(t *testing.T) {
	s := newDelivery(t)
	const many = 100
	files, live := map[string]string{}, []string{}
	for i := range many {
		manifest := named(fmt.Sprintf("web-%d", i))
		files[fmt.Sprintf("apps/%d/web.yaml", i)] = manifest
		if i%10 == 0 {
			live = append(live, manifest)
		}
	}
	first := s.commit(files)
	head := s.commit(map[string]string{"apps/0/web.yaml": strings.Replace(named("web-0"), "replicas: 2", "replicas: 9", 1)})
	s.gitRepository(map[string]any{}, head)
	for i := range many {
		s.kustomization(fmt.Sprintf("apps-%d", i), map[string]any{"path": fmt.Sprintf("apps/%d", i)}, first, fmt.Sprintf("web-%d", i))
	}
	s.applied(strings.Join(live, "---\n"))
	s.kubectl("", "scale", "deployment/web-0", "deployment/web-90", "--replicas=5")
	if names := s.rounds(); len(names) != many {
		t.Fatalf("%d were compared", len(names))
	}
	if all, gone := len(s.cases()), len(s.deletions()); all-gone != 2 || gone != many-len(live) {
		t.Errorf("%d cases, %d of them of what was applied and is not there any more", all, gone)
	}
	if n := s.fetches.Load(); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
	if counts := s.detector.DeliveryCounts(); counts["compared"] != many {
		t.Errorf("counted: %v", counts)
	}
}

// TestAClusterWithoutTheKindsHasNoDeliveries, and one that gets them later has some.
func TestAClusterWithoutTheKindsHasNoDeliveries(t *testing.T) {
	s := newDelivery(t)
	s.kubectl("", "delete", "--wait", "-f", kindsOfDelivery+"/flux.yaml", "-f", kindsOfDelivery+"/argo.yaml")
	s.detector = s.detectorAs(s.judge)
	for range 2 {
		if keys, err := s.detector.Discover(t.Context()); err != nil || len(keys) != 0 {
			t.Fatalf("found %v, %v", keys, err)
		}
	}
	s.offer()
	commit := s.commit(map[string]string{"web.yaml": web})
	s.gitRepository(map[string]any{}, commit)
	s.kustomization("apps", nil, commit, "web")
	s.eventually("what is delivered is found", func() bool { return len(s.rounds()) == 1 })
}

// TestWhatIsDeliveredIsFollowed has a Deployment change, a commit delivered, and the Kustomization go, in front of a controller that runs.
func TestWhatIsDeliveredIsFollowed(t *testing.T) {
	s := newDelivery(t)
	first := s.commit(map[string]string{"web.yaml": web})
	s.gitRepository(map[string]any{}, first)
	k := s.kustomization("apps", nil, first, "web")
	s.applied(web)
	s.detector.Interval = 500 * time.Millisecond
	mgr, err := ctrl.NewManager(s.judge, ctrl.Options{Scheme: s.admin.Scheme(), Metrics: server.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: new(true)}, Logger: logr.Discard()})
	s.ok(err)
	s.ok(s.detector.SetUpDeliveries(mgr, func(err error) { t.Error(err) }))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	only := func() *v1alpha1.Case {
		if cases := s.cases(); len(cases) == 1 {
			return &cases[0]
		}
		return nil
	}
	is := func(status metav1.ConditionStatus) func() bool {
		return func() bool { k := only(); return k != nil && drifted(*k).Status == status }
	}
	s.kubectl("", "scale", "deployment/web", "--replicas=3")
	s.eventually("there is a case", is(metav1.ConditionTrue))
	second := s.commit(map[string]string{"web.yaml": strings.Replace(web, "replicas: 2", "replicas: 3", 1)})
	k.Object["status"].(map[string]any)["lastAppliedRevision"] = "main@sha1:" + second
	s.ok(s.admin.Update(t.Context(), k))
	s.eventually("what was delivered is what runs", is(metav1.ConditionFalse))
	s.kubectl("", "scale", "deployment/web", "--replicas=2")
	open := func(status metav1.ConditionStatus) func() bool {
		return func() bool {
			for _, k := range s.cases() {
				if drifted(k).Status == status {
					return true
				}
			}
			return false
		}
	}
	s.eventually("there is another case", open(metav1.ConditionTrue))
	s.ok(s.admin.Delete(t.Context(), k))
	s.eventually("nobody compares it any more", open(metav1.ConditionUnknown))
}

// TestAFolderThatAGitSourceComparesIsLeftToIt would otherwise be told of twice.
func TestAFolderThatAGitSourceComparesIsLeftToIt(t *testing.T) {
	s := newDelivery(t)
	commit := s.commit(map[string]string{"deploy/web.yaml": web})
	s.gitRepository(map[string]any{}, commit)
	s.kustomization("apps", map[string]any{"path": "./deploy/"}, commit, "web")
	s.applied(web)
	if names := s.rounds(); len(names) != 1 {
		t.Fatalf("compared: %q", names)
	}
	s.source(func(g *v1alpha1.GitSource) { g.Spec.URL = s.url + ".git" })
	s.rounds()
	if names := s.rounds(); len(names) != 0 {
		t.Errorf("compared: %q", names)
	}
}

// TestWhatIsBeingDeliveredIsNoDrift has a Kustomization apply the next commit and wait for what comes of it, and fail at another.
func TestWhatIsBeingDeliveredIsNoDrift(t *testing.T) {
	s := newDelivery(t)
	first := s.commit(map[string]string{"web.yaml": web})
	next := strings.Replace(web, "replicas: 2 # two are enough", "replicas: 3", 1)
	second := s.commit(map[string]string{"web.yaml": next})
	s.gitRepository(map[string]any{}, second)
	k := s.kustomization("apps", nil, first, "web")
	says := func(attempted, ready string) {
		t.Helper()
		status := k.Object["status"].(map[string]any)
		status["lastAttemptedRevision"] = "main@sha1:" + attempted
		status["conditions"] = []any{map[string]any{"type": "Ready", "status": ready, "reason": "Progressing"}}
		s.ok(s.admin.Update(t.Context(), k))
	}
	s.applied(web)
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	s.rounds()
	if c := drifted(s.onlyCase()); c.Status != metav1.ConditionTrue {
		t.Fatalf("the Case says %+v", c)
	}
	says(second, "Unknown")
	s.applied(next)
	s.rounds()
	if c := drifted(s.onlyCase()); c.Status != metav1.ConditionTrue {
		t.Errorf("nothing is known yet, and the Case says %+v", c)
	}
	if reports := s.look(); len(reports) != 1 || !strings.Contains(asJSON(reports), "being delivered just now: web") || len(reports[0].Sights) != 0 {
		t.Errorf("who asks sees %s", asJSON(reports))
	}
	says(second, "False")
	s.rounds()
	if cases := s.cases(); len(cases) != 2 || !strings.Contains(asJSON(cases), "replicas is 3, Git says 2") {
		t.Errorf("the delivery failed half-way, and the Cases say %s", asJSON(cases))
	}
	k.Object["status"].(map[string]any)["lastAppliedRevision"] = "main@sha1:" + second
	says(second, "True")
	s.rounds()
	for _, one := range s.cases() {
		if c := drifted(one); c.Status != metav1.ConditionFalse {
			t.Errorf("it is delivered, and a Case says %+v", c)
		}
	}
}

// TestAPrivateRepositoryIsReadWhereTheJudgeMayReadItsSecret gives the right to that one Secret, as an operator does.
func TestAPrivateRepositoryIsReadWhereTheJudgeMayReadItsSecret(t *testing.T) {
	s := newDelivery(t)
	commit := s.commit(map[string]string{"web.yaml": web})
	s.authorization.Store("Basic Z2l0OnBsYW50ZWQ=")
	s.gitRepository(map[string]any{"secretRef": map[string]any{"name": "login"}}, commit)
	s.kustomization("apps", nil, commit, "web")
	s.applied(web)
	s.kubectl("", "scale", "deployment/web", "--replicas=5")
	s.rounds()
	if told := s.told(); !strings.Contains(told, "resourceNames [login]") || len(s.cases()) != 0 {
		t.Errorf("told %q; cases %s", told, asJSON(s.cases()))
	}
	s.kubectl("", "create", "role", "login", "--verb=get", "--resource=secrets", "--resource-name=login")
	s.kubectl("", "create", "rolebinding", "login", "--role=login", "--serviceaccount=moorgate-system:moorgate-judge")
	s.eventually("it is missed", func() bool {
		s.rounds()
		return strings.Contains(s.told(), "/login, which cannot be read: NotFound")
	})
	s.kubectl("", "create", "secret", "generic", "login", "--from-literal=username=git", "--from-literal=password=planted")
	s.rounds()
	s.onlyCase()
	if all := asJSON(s.cases()) + asJSON(s.log.records) + s.told(); strings.Contains(all, "planted") || strings.Contains(all, "cGxhbnRlZ") {
		t.Errorf("the password is shown: %s", all)
	}
}

// TestAPrivateRepositoryOfAGitSourceIsReadWithTheSecretThatItNames is the same without Flux: what is missing stands on the GitSource.
func TestAPrivateRepositoryOfAGitSourceIsReadWithTheSecretThatItNames(t *testing.T) {
	s := newDelivery(t)
	s.commit(map[string]string{"deploy/web.yaml": web})
	s.authorization.Store("Basic Z2l0OnBsYW50ZWQ=")
	s.source(func(g *v1alpha1.GitSource) { g.Spec.URL, g.Spec.SecretRef = s.url, &v1alpha1.SecretRef{Name: "login"} })
	s.kubectl(web, "apply", "-f", "-")
	s.kubectl("", "create", "secret", "generic", "login", "--from-literal=username=git", "--from-literal=password=planted")
	s.round()
	if ready := s.ready(); ready.Status != metav1.ConditionFalse || !strings.Contains(ready.Message, "resourceNames [login]") {
		t.Errorf("the GitSource says %+v", ready)
	}
	s.kubectl("", "create", "role", "login", "--verb=get", "--resource=secrets", "--resource-name=login")
	s.kubectl("", "create", "rolebinding", "login", "--role=login", "--serviceaccount=moorgate-system:moorgate-judge")
	s.eventually("it is read", func() bool {
		s.round()
		return s.ready().Status == metav1.ConditionTrue
	})
	s.kubectl("", "scale", "deployment/web", "--replicas=5")
	s.round()
	if all := asJSON(s.onlyCase()) + asJSON(s.log.records) + asJSON(s.ready()); strings.Contains(all, "planted\"") || strings.Contains(all, "cGxhbnRlZ") {
		t.Errorf("the password is shown: %s", all)
	}
}

// TestAKustomizationThatWasJustChangedKeepsWhatIsKnown until what it says now is applied.
func TestAKustomizationThatWasJustChangedKeepsWhatIsKnown(t *testing.T) {
	s := newDelivery(t)
	commit := s.commit(map[string]string{"web.yaml": web})
	s.gitRepository(map[string]any{}, commit)
	k := s.kustomization("apps", nil, commit, "web")
	s.applied(web)
	s.kubectl("", "scale", "deployment/web", "--replicas=5")
	s.rounds()
	before := s.onlyCase()
	s.told()
	k.Object["status"].(map[string]any)["observedGeneration"] = int64(1)
	k.Object["spec"].(map[string]any)["path"] = "elsewhere"
	s.ok(s.admin.Update(t.Context(), k))
	if k.GetGeneration() < 2 {
		t.Fatal("the API server counts no generations")
	}
	s.rounds()
	if after := s.onlyCase(); asJSON(after.Status) != asJSON(before.Status) || s.told() != "" {
		t.Errorf("the Case says %s", asJSON(after.Status))
	}
}
