package webhook

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	testcluster "moorgate.dev/test/cluster"
	"moorgate.dev/webhook/checks"
)

// ended is a Case of the gate that says what became of a rollout.
func ended(ns, name, template, outcome string, ago time.Duration, images ...string) *v1alpha1.Case {
	c := &v1alpha1.Case{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name + "-" + outcome, Labels: map[string]string{v1alpha1.LabelTemplate: template}}}
	c.Spec.Signal.Face, c.Spec.Subject = "webhook", v1alpha1.Subject{Kind: "Deployment", Name: name}
	c.Status.Images = images
	meta.SetStatusCondition(&c.Status.Conditions, metav1.Condition{Type: v1alpha1.CaseRollout, Status: metav1.ConditionTrue, Reason: outcome, LastTransitionTime: metav1.NewTime(noon.Add(-ago))})
	return c
}

func looping(ns, cause string, images ...string) *v1alpha1.Case {
	c := &v1alpha1.Case{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "loop", CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour))}}
	c.Spec.Signal.Face, c.Spec.Subject = "remediate", v1alpha1.Subject{Kind: "Deployment", Name: "web"}
	c.Status.Images, c.Status.Cause = images, cause
	return c
}

func remembering(cases ...*v1alpha1.Case) *Memory {
	m := &Memory{synced: func() bool { return true }}
	for _, c := range cases {
		m.set(c)
	}
	return m
}

func TestWhatIsRememberedOfFailures(t *testing.T) {
	new, err := checks.FromObject(deployment("shop", "web"))
	if err != nil {
		t.Fatal(err)
	}
	hash, image := checks.Hash(new.Template), "registry.example/app:1.2.3"
	for name, x := range map[string]struct {
		cases []*v1alpha1.Case
		want  string // fields of the only failure; empty: there is none
	}{
		"nothing":                     {nil, ""},
		"the same template, here":     {[]*v1alpha1.Case{ended("shop", "web", hash, "Crashed", time.Hour)}, "Crashed in Deployment/web, own true, through false, image "},
		"the same template elsewhere": {[]*v1alpha1.Case{ended("staging", "web", hash, "RolledBack", time.Hour)}, "RolledBack in , own false, through false, image "},
		"the same image elsewhere":    {[]*v1alpha1.Case{ended("staging", "web", "x", "OutOfMemory", time.Hour, image)}, "OutOfMemory in , own false, through false, image " + image},
		"another image elsewhere":     {[]*v1alpha1.Case{ended("staging", "web", "x", "OutOfMemory", time.Hour, "registry.example/app:1.2.4")}, ""},
		"a crash loop elsewhere":      {[]*v1alpha1.Case{looping("staging", "out-of-memory", image)}, "OutOfMemory in , own false, through false, image " + image},
		"too long ago":                {[]*v1alpha1.Case{ended("staging", "web", hash, "Crashed", 8*24*time.Hour)}, ""},
		"superseded is no failure":    {[]*v1alpha1.Case{ended("staging", "web", hash, "Superseded", time.Hour)}, ""},
		"it got through since":        {[]*v1alpha1.Case{ended("staging", "web", "x", "Crashed", time.Hour, image), ended("test", "api", "y", "Available", time.Minute, image)}, "Crashed in , own false, through true, image " + image},
		"it got through before":       {[]*v1alpha1.Case{ended("staging", "web", "x", "Crashed", time.Hour, image), ended("test", "api", "y", "Available", 2*time.Hour, image)}, "Crashed in , own false, through false, image " + image},
	} {
		t.Run(name, func(t *testing.T) {
			all, _ := remembering(x.cases...).all().Get()
			got := ""
			for _, f := range failuresOf(all, nil, new, noon) {
				got += fmt.Sprintf("%s in %s, own %v, through %v, image %s", f.How, f.Where, f.Own, f.Through, f.Image)
			}
			if got != x.want {
				t.Errorf("%q, want %q", got, x.want)
			}
		})
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := remembering(ended("shop", "web", "x", "Crashed", 100*time.Hour))
	for i := range 2 * memoryShare {
		m.set(ended("crowd", fmt.Sprint("w", i), "x", "Crashed", time.Duration(i)*time.Second))
	}
	if n := m.each["crowd"]; n != memoryShare {
		t.Errorf("%d of one namespace are remembered", n)
	}
	if _, there := m.kept[client.ObjectKey{Namespace: "shop", Name: "web-Crashed"}]; !there {
		t.Error("one namespace made another's forgotten")
	}
	for n := range 12 {
		for i := range memoryShare {
			m.set(ended(fmt.Sprint("ns", n), fmt.Sprint("w", i), "x", "Crashed", time.Minute))
		}
	}
	if len(m.kept) > memoryMax {
		t.Errorf("%d are remembered", len(m.kept))
	}
	m.drop(ended("ns11", "w1", "x", "Crashed", 0))
	if _, there := m.kept[client.ObjectKey{Namespace: "ns11", Name: "w1-Crashed"}]; there {
		t.Error("a Case that is gone is remembered")
	}
	if _, known := (&Memory{}).all().Get(); known {
		t.Error("nobody watches, and something is known")
	}
}

func TestWhatCrashedInOneNamespaceIsTakenIntoAccountInAnother(t *testing.T) {
	g := watchedGate(t)
	staging, shop := g.place(t, guardrail("Warn")), g.place(t, guardrail("Warn"))
	bad := faulty(staging, "web", testcluster.OOMKilled)
	if err := g.admin.Create(t.Context(), bad); err != nil {
		t.Fatal(err)
	}
	g.becomes(t, staging, "web", gate.RolloutOutOfMemory, metav1.ConditionTrue)
	d := deployment(shop, "web")
	d.Spec.Template.Spec.Containers[0].Image = bad.Spec.Template.Spec.Containers[0].Image
	eventually(t, "the gate remembers", func() error {
		if err := g.admin.Create(t.Context(), d.DeepCopy(), client.DryRunAll); err != nil {
			return err
		}
		old, err := g.handler.Review(t.Context(), nil, d, nil, nil)
		if err != nil {
			return err
		}
		for _, f := range old.Assessment.Findings {
			if f.ID == "failed-before" && f.Points == 20 && f.Nature == gate.Recent {
				return nil
			}
		}
		return fmt.Errorf("it finds %v", old.Assessment.Findings)
	})
}
