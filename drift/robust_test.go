package drift_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/drift"
)

func named(name string) string { return strings.ReplaceAll(web, "name: web\n", "name: "+name+"\n") }

func TestANameThatCannotExistStopsNothing(t *testing.T) {
	s := deployed(t, web)
	s.commit(map[string]string{"deploy/a.yaml": named("a/b"), "deploy/b.yaml": named(`"in\u202evisible"`)})
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	s.round()
	if k := s.onlyCase(); k.Spec.Subject.Name != "web" {
		t.Errorf("the case is about %+v", k.Spec.Subject)
	}
	if ready := s.ready(); ready.Status != metav1.ConditionTrue || !strings.Contains(ready.Message, `cannot exist, because of its name: "a/b" (deploy/a.yaml:2)`) || strings.Contains(ready.Message, "\u202e") {
		t.Errorf("the GitSource says %+v", ready)
	}
}

func TestACaseThatCannotBeWrittenStopsNothing(t *testing.T) {
	s := deployed(t, web)
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	s.round()
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.4")
	commit := s.commit(map[string]string{"deploy/api.yaml": strings.Replace(named("api"), "replicas: 2", "replicas: 3", 1)})
	s.kubectl(named("api"), "apply", "-f", "-")
	s.detector = s.detectorAs(s.lesser("mute", func(rule *rbacv1.PolicyRule) bool {
		if slices.Contains(rule.Resources, "cases") {
			rule.Verbs = slices.DeleteFunc(rule.Verbs, func(v string) bool { return v == "create" })
		}
		return true
	}))
	request := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: s.ns, Name: "shop"}}
	if _, err := s.detector.Reconcile(t.Context(), request); err == nil {
		t.Fatal("nobody tries again")
	}
	if c := condition(s.onlyCase().Status.Conditions, "Drifted"); c.Status != metav1.ConditionFalse {
		t.Errorf("beside what could not be written, the case that is settled says %+v", c)
	}
	var g v1alpha1.GitSource
	s.ok(s.admin.Get(t.Context(), request.NamespacedName, &g))
	if ready := s.ready(); g.Status.Commit != commit || ready.Status != metav1.ConditionFalse || !strings.Contains(ready.Message, "keep the Case of Deployment/api") || !strings.Contains(ready.Message, "orbidden") {
		t.Errorf("the GitSource says %s", asJSON(g.Status))
	}
}

func TestAReadThatFailedIsNotTriedForEveryChange(t *testing.T) {
	for name, answer := range map[string]func() (drift.Tree, error){
		"no repository": func() (drift.Tree, error) { return drift.Tree{}, errors.New("no repository") },
		"a bad file": func() (drift.Tree, error) {
			return drift.Tree{Commit: "c0ffee", Files: map[string][]byte{"deploy/a.yaml": []byte("a: [\n")}}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.source(nil)
			asked, now := 0, time.Unix(1e9, 0)
			s.detector.Interval, s.detector.Now = time.Minute, func() time.Time { return now }
			s.detector.Git = func(context.Context, drift.Repository, string) (drift.Tree, error) {
				asked++
				return answer()
			}
			for range 3 {
				s.round()
			}
			if ready := s.ready(); asked != 1 || ready.Status != metav1.ConditionFalse {
				t.Errorf("asked %d times within the interval, and the GitSource says %+v", asked, ready)
			}
			now = now.Add(time.Minute)
			s.round()
			if asked != 2 {
				t.Errorf("asked %d times after the interval", asked)
			}
		})
	}
}

func TestTooManyObjectsAreRefused(t *testing.T) {
	s := newStage(t)
	var b strings.Builder
	for i := range 5001 {
		fmt.Fprintf(&b, "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d%d}\n", i)
	}
	s.commit(map[string]string{"deploy/web.yaml": b.String()})
	s.source(nil)
	s.round()
	if ready := s.ready(); ready.Status != metav1.ConditionFalse || !strings.Contains(ready.Message, "more than 5000 objects") {
		t.Errorf("the GitSource says %+v", ready)
	}
}

func TestWhatIsNoLongerComparedIsNoLongerSaidToDiffer(t *testing.T) {
	change := func(s *stage, f func(*v1alpha1.GitSource)) {
		var g v1alpha1.GitSource
		s.ok(s.admin.Get(t.Context(), client.ObjectKey{Namespace: s.ns, Name: "shop"}, &g))
		f(&g)
		s.ok(s.admin.Update(t.Context(), &g))
	}
	tests := []struct {
		name   string
		change func(*stage)
		want   metav1.ConditionStatus
	}{
		{"the GitSource is gone", func(s *stage) {
			s.ok(s.admin.Delete(t.Context(), &v1alpha1.GitSource{ObjectMeta: metav1.ObjectMeta{Namespace: s.ns, Name: "shop"}}))
		}, metav1.ConditionUnknown},
		{"another path", func(s *stage) {
			change(s, func(g *v1alpha1.GitSource) { g.Spec.Path = "other" })
		}, metav1.ConditionFalse},
		{"a path that is none", func(s *stage) {
			change(s, func(g *v1alpha1.GitSource) { g.Spec.Path = "gone" })
		}, metav1.ConditionUnknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := deployed(t, web)
			s.commit(map[string]string{"other/x.yaml": "a: 1\n"})
			s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
			s.round()
			test.change(s)
			_, err := s.detector.Reconcile(t.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Namespace: s.ns, Name: "shop"}})
			s.ok(err)
			if c := condition(s.onlyCase().Status.Conditions, "Drifted"); c.Status != test.want {
				t.Errorf("the case says %+v", c)
			}
		})
	}
}
