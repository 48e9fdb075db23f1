package webhook

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	testcluster "moorgate.dev/test/cluster"
)

// faulty is a deployment whose pods fail quickly, with an image of its own.
func faulty(ns, name string, fault testcluster.Fault) *appsv1.Deployment {
	d := deployment(ns, name)
	d.Spec.Template.Labels = map[string]string{"app": name, testcluster.FaultLabel: string(fault)}
	d.Spec.Template.Annotations = map[string]string{testcluster.BackoffBaseAnnotation: "0.2"}
	d.Spec.Template.Spec.Containers[0].Image = "registry.example/" + ns + "/" + name + ":1.4.2"
	return d
}

// becomes waits until the Case of a workload says so, and returns it.
func (g *gatehouse) becomes(t *testing.T, ns, name, outcome string, status metav1.ConditionStatus) v1alpha1.Case {
	t.Helper()
	var found v1alpha1.Case
	eventually(t, name+" becomes "+outcome, func() error {
		all, err := g.cases(t, ns)
		if err != nil {
			return err
		}
		said := ""
		for _, c := range all {
			if r := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.CaseRollout); r != nil && c.Spec.Subject.Name == name {
				if found = c; r.Reason == outcome && r.Status == status {
					return nil
				}
				said += fmt.Sprintf("%s is %s (%s): %s; ", c.Name, r.Reason, r.Status, r.Message)
			}
		}
		return fmt.Errorf("the Cases say %q", said)
	})
	return found
}

func (g *gatehouse) outcomes(c v1alpha1.Case) []gate.Rollout {
	g.log.mu.Lock()
	defer g.log.mu.Unlock()
	var all []gate.Rollout
	for _, r := range g.log.records {
		if r.Correlation == c.Namespace+"/"+c.Name && r.Rollout != nil {
			all = append(all, *r.Rollout)
		}
	}
	return all
}

func TestRolloutsAreFollowedUntilItIsKnownWhatBecameOfThem(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, guardrail("Warn"))
	well := deployment(ns, "well")
	back := deployment(ns, "back")
	for _, d := range []*appsv1.Deployment{well, back, faulty(ns, "crash", testcluster.CrashLoop), faulty(ns, "memory", testcluster.OOMKilled)} {
		if err := g.admin.Create(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	g.becomes(t, ns, "back", gate.RolloutAvailable, metav1.ConditionFalse)
	before := back.Spec.Template.DeepCopy()
	for _, image := range []string{"registry.example/app:2", before.Spec.Containers[0].Image} {
		time.Sleep(outcomeGrace + time.Second) // times of revisions are whole seconds, and a look within the grace says nothing
		if err := g.admin.Get(t.Context(), client.ObjectKeyFromObject(back), back); err != nil {
			t.Fatal(err)
		}
		back.Spec.Template.Spec.Containers[0].Image = image
		if err := g.admin.Update(t.Context(), back); err != nil {
			t.Fatal(err)
		}
	}
	crashed := g.becomes(t, ns, "crash", gate.RolloutCrashed, metav1.ConditionTrue)
	if len(crashed.Status.Images) != 1 || crashed.Status.Images[0] != "registry.example/"+ns+"/crash:1.4.2" {
		t.Errorf("the Case holds the images %v", crashed.Status.Images)
	}
	g.becomes(t, ns, "memory", gate.RolloutOutOfMemory, metav1.ConditionTrue)
	g.becomes(t, ns, "back", gate.RolloutRolledBack, metav1.ConditionTrue)
	c := g.becomes(t, ns, "well", gate.RolloutAvailable, metav1.ConditionTrue)
	if text := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.CaseRollout).Message; !strings.Contains(text, "2 of 2 pods of template "+c.Labels[v1alpha1.LabelTemplate]+" available after ") {
		t.Errorf("it says %q", text)
	}
	recorded := g.outcomes(c)
	if len(recorded) != 1 || recorded[0].Outcome != gate.RolloutAvailable || recorded[0].Said != Admitted || recorded[0].Template == "" {
		t.Errorf("on record are %+v", recorded)
	}
}

func TestAnotherProcessGoesOnWhereOneStopped(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, guardrail("Warn"))
	if err := g.admin.Create(t.Context(), deployment(ns, "web")); err != nil {
		t.Fatal(err)
	}
	c := g.becomes(t, ns, "web", gate.RolloutAvailable, metav1.ConditionFalse)
	log := &ledger{}
	next := &Follower{Keeper: Keeper{Sight: Sight{Now: func() time.Time { return time.Now().Add(time.Hour) }}, Log: log, Client: g.admin, Logger: quiet()}}
	look := func() {
		t.Helper()
		if _, err := next.Reconcile(context.Background(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(&c)}); err != nil {
			t.Fatal(err)
		}
	}
	look()
	c = g.becomes(t, ns, "web", gate.RolloutAvailable, metav1.ConditionTrue)
	look()
	if len(log.records) != 1 {
		t.Errorf("%d records, want one", len(log.records))
	}
}
