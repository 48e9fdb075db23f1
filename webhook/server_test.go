package webhook

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestAgainstARealAPIServerEveryWriteGetsAClearAnswer(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, guardrail("Enforce"))
	t.Run("create is refused with a 403 that says what to mend", func(t *testing.T) {
		out, err := g.kubectl(t, map[string]string{"d.yaml": manifest(t, poor(ns, "poor"))}, "create", "-f", "d.yaml")
		if err == nil || !strings.Contains(out, "is refused") || !strings.Contains(out, "nowhere") || !strings.Contains(out, "(Forbidden)") && !strings.Contains(out, "denied the request") {
			t.Fatalf("%v: %s", err, out)
		}
		c := g.caseOf(t, ns, "poor", Denied)
		if !strings.Contains(out, c.Name) {
			t.Errorf("Case %s is not named in %s", c.Name, out)
		}
		if c.Status.Decision != "Deny" || c.Status.Subject != "Deployment/poor" || c.Status.Summary == "" || c.Spec.Answer.User != "kubernetes-admin" && c.Spec.Answer.User == "" {
			t.Errorf("%+v", c.Status)
		}
	})
	for name, args := range map[string][]string{"apply": {"apply", "-f", "d.yaml"}, "server-side apply": {"apply", "--server-side", "-f", "d.yaml"}} {
		t.Run(name+" is refused too, as the same Case", func(t *testing.T) {
			before, _ := g.cases(t, ns)
			if out, err := g.kubectl(t, map[string]string{"d.yaml": manifest(t, poor(ns, "poor"))}, args...); err == nil || !strings.Contains(out, "is refused") {
				t.Fatalf("%v: %s", err, out)
			}
			if after, _ := g.cases(t, ns); len(after) != len(before) {
				t.Errorf("%d Cases became %d", len(before), len(after))
			}
		})
	}
	t.Run("a dry run is let in with warnings and leaves no Case", func(t *testing.T) {
		out, err := g.kubectl(t, map[string]string{"d.yaml": manifest(t, poor(ns, "rehearsed"))}, "apply", "--server-side", "--dry-run=server", "-f", "d.yaml")
		if err != nil || !strings.Contains(out, "would be denied") {
			t.Fatalf("%v: %s", err, out)
		}
	})
	t.Run("a sound one is let in", func(t *testing.T) {
		if err := g.admin.Create(t.Context(), deployment(ns, "sound")); err != nil {
			t.Fatal(err)
		}
		g.caseOf(t, ns, "sound", Admitted)
	})
	t.Run("what starts no pods is not asked about", func(t *testing.T) {
		before := g.times(ns, "sound")
		for _, args := range [][]string{{"-n", ns, "annotate", "deploy/sound", "a=b"}, {"-n", ns, "label", "deploy/sound", "a=b"},
			{"-n", ns, "scale", "deploy/sound", "--replicas=3"}} {
			if out, err := g.kubectl(t, nil, args...); err != nil {
				t.Fatalf("%v: %v: %s", args, err, out)
			}
		}
		var d appsv1.Deployment
		eventually(t, "status is written", func() error {
			if err := g.admin.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "sound"}, &d); err != nil {
				return err
			}
			d.Status.ObservedGeneration--
			return g.admin.Status().Update(t.Context(), &d)
		})
		if after := g.times(ns, "sound"); after != before {
			t.Errorf("asked %d times more", after-before)
		}
	})
	t.Run("nor is the same manifest again, in earnest or as a dry run", func(t *testing.T) {
		files := map[string]string{"d.yaml": manifest(t, deployment(ns, "again"))}
		if out, err := g.kubectl(t, files, "apply", "--server-side", "-f", "d.yaml"); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		before := g.times(ns, "again")
		for _, args := range [][]string{{"apply", "--server-side", "-f", "d.yaml"}, {"apply", "--server-side", "--dry-run=server", "-f", "d.yaml"}} {
			if out, err := g.kubectl(t, files, args...); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		if after := g.times(ns, "again"); after != before || before == 0 {
			t.Errorf("asked %d times, then %d", before, after)
		}
	})
	t.Run("a change of the template is", func(t *testing.T) {
		before := g.times(ns, "sound")
		if out, err := g.kubectl(t, nil, "-n", ns, "set", "image", "deploy/sound", "app=registry.example/app:1.2.4"); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if after := g.times(ns, "sound"); after == before {
			t.Error("not asked")
		}
	})
	t.Run("a rehearsal left nothing", func(t *testing.T) {
		cases, _ := g.cases(t, ns)
		for _, c := range cases {
			if c.Spec.Subject.Name == "rehearsed" {
				t.Errorf("Case %s", c.Name)
			}
		}
	})
	t.Run("a StatefulSet and a DaemonSet are judged alike", func(t *testing.T) {
		for _, obj := range alike(poor(ns, "kinds")) {
			if err := g.admin.Create(t.Context(), obj); !apierrors.IsForbidden(err) {
				t.Errorf("%T: %v", obj, err)
			}
		}
	})
}

func TestGlassCanBeBrokenOnlyByThoseWithTheRight(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, guardrail("Enforce"))
	if err := g.admin.Create(t.Context(), poor(ns, "urgent"), client.FieldOwner("kubectl")); !apierrors.IsForbidden(err) {
		t.Fatalf("an admin that does not ask: %v", err)
	}
	identity, err := g.c.ServiceAccount(t.Context(), ns, "deployer")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := g.kubectl(t, nil, "-n", ns, "create", "rolebinding", "deployer", "--clusterrole=edit", "--serviceaccount="+ns+":deployer"); err != nil {
		t.Fatal(out)
	}
	deployer, err := client.New(identity, client.Options{Scheme: testScheme(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := deployer.Create(t.Context(), poor(ns, "urgent"), client.FieldOwner(BreakGlass)); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "refused") {
		t.Fatalf("somebody without the right: %v", err)
	}
	if err := g.admin.Create(t.Context(), poor(ns, "urgent"), client.FieldOwner(BreakGlass)); err != nil {
		t.Fatalf("an admin that asks: %v", err)
	}
	if c := g.caseOf(t, ns, "urgent", SlippedThrough); c.Status.Decision != "Deny" || !strings.Contains(c.Spec.Signal.Text, "break-glass") || !strings.Contains(c.Spec.Signal.Text, BreakGlass) {
		t.Errorf("%+v %+v", c.Spec.Signal, c.Status)
	}
}
