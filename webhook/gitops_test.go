package webhook

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/pkg/ssa"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/webhook/checks"
)

// demanding denies for what is missing, and for little else.
func demanding() v1alpha1.GuardrailSpec {
	s := guardrail("Enforce")
	s.Admission.OnMissing = "Deny"
	s.Thresholds.WarnBelow, s.Thresholds.DenyBelow = new(int32(90)), new(int32(85))
	return s
}

func secret(ns, name string) *corev1.Secret {
	return &corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name},
		StringData: map[string]string{"token": "not-for-moorgate"}}
}

func TestFluxAppliesASetWhoseSecretComesWithTheDeployment(t *testing.T) {
	g := watchedGate(t)
	for _, onMissing := range []string{"Warn", "Deny"} {
		t.Run("onMissing "+onMissing, func(t *testing.T) {
			spec := demanding()
			spec.Admission.OnMissing = onMissing
			ns := g.place(t, spec)
			flux := ssa.NewResourceManager(g.admin, nil, ssa.Owner{Field: "kustomize-controller", Group: "kustomize.toolkit.fluxcd.io"})
			set := []*unstructured.Unstructured{unstructuredOf(t, withSecret(deployment(ns, "web"), "web-token")), unstructuredOf(t, secret(ns, "web-token"))}
			eventually(t, "nothing is left to change", func() error {
				changes, err := flux.ApplyAllStaged(t.Context(), set, ssa.ApplyOptions{Force: true, WaitInterval: 100 * time.Millisecond, WaitTimeout: patience})
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range changes.Entries {
					if e.Action != ssa.UnchangedAction {
						err = errors.Join(err, fmt.Errorf("%s is %s", e.Subject, e.Action))
					}
				}
				return err
			})
		})
	}
}

func TestFluxNeverTakesARefusalForAReasonToDelete(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, guardrail("Enforce"))
	if err := g.admin.Create(t.Context(), deployment(ns, "immutable-web")); err != nil {
		t.Fatal(err)
	}
	var before, after appsv1.Deployment
	key := client.ObjectKey{Namespace: ns, Name: "immutable-web"}
	if err := g.admin.Get(t.Context(), key, &before); err != nil {
		t.Fatal(err)
	}
	flux := ssa.NewResourceManager(g.admin, nil, ssa.Owner{Field: "kustomize-controller", Group: "kustomize.toolkit.fluxcd.io"})
	bad := poor(ns, "immutable-web")
	bad.Spec.Template.Spec.Containers[0].ReadinessProbe.HTTPGet.Port.StrVal = "field-immutable"
	_, err := flux.ApplyAll(t.Context(), []*unstructured.Unstructured{unstructuredOf(t, bad)}, ssa.ApplyOptions{Force: true, WaitInterval: 100 * time.Millisecond, WaitTimeout: patience})
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v", err)
	}
	if err := g.admin.Get(t.Context(), key, &after); err != nil || after.UID != before.UID {
		t.Errorf("%v: the object was made anew", err)
	}
}

func TestAFolderInTheBadOrderIsApplied(t *testing.T) {
	g := watchedGate(t)
	for _, onMissing := range []string{"Warn", "Deny"} {
		t.Run("onMissing "+onMissing, func(t *testing.T) {
			spec := demanding()
			spec.Admission.OnMissing = onMissing
			ns := g.place(t, spec)
			files := map[string]string{"a-deployment.yaml": manifest(t, withSecret(deployment(ns, "web"), "web-token")), "b-secret.yaml": manifest(t, secret(ns, "web-token"))}
			out, err := g.kubectl(t, files, "apply", "-f", ".")
			if onMissing == "Warn" && err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if onMissing == "Warn" {
				c := g.caseOf(t, ns, "web", "")
				eventually(t, "the Case says in the end that the Secret is there", func() error { return g.settled(t, c, "Found") })
				return
			}
			// kubectl waits for one file before it sends the next, so the Deployment is refused, the Secret is not, and the
			// second try goes in.
			if err == nil || !strings.Contains(out, "does not exist") {
				t.Fatalf("%v: %s", err, out)
			}
			if out, err := g.kubectl(t, files, "apply", "-f", "."); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		})
	}
}

func (g *gatehouse) settled(t *testing.T, c v1alpha1.Case, reason string) error {
	t.Helper()
	var now v1alpha1.Case
	if err := g.admin.Get(t.Context(), client.ObjectKeyFromObject(&c), &now); err != nil {
		return err
	}
	condition := meta.FindStatusCondition(now.Status.Conditions, CaseSettled)
	if condition == nil || condition.Reason != reason {
		return fmt.Errorf("settled: %+v", condition)
	}
	if reason == "Found" && len(now.Status.Findings) > 0 {
		return fmt.Errorf("still found: %+v", now.Status.Findings)
	}
	return nil
}

func TestASecretCreatedASecondLaterIsWaitedFor(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, demanding())
	created := make(chan error, 1)
	go func() {
		// The Secret comes once the webhook has asked the client to wait.
		for g.times(ns, "web") == 0 && t.Context().Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Second)
		created <- g.admin.Create(context.WithoutCancel(t.Context()), secret(ns, "late-token"))
	}()
	out, err := g.kubectl(t, map[string]string{"d.yaml": manifest(t, withSecret(deployment(ns, "web"), "late-token"))}, "apply", "-f", "d.yaml")
	if err := errors.Join(err, <-created); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if g.times(ns, "web") < 2 {
		t.Error("nobody waited")
	}
}

func TestTheCaseSaysInTheEndThatASecretIsMissing(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, guardrail("Warn"))
	if err := g.admin.Create(t.Context(), withSecret(deployment(ns, "web"), "never")); err != nil {
		t.Fatal(err)
	}
	c := g.caseOf(t, ns, "web", "")
	eventually(t, "the Case is settled", func() error { return g.settled(t, c, "StillMissing") })
	eventually(t, "the rollout carries the last word", func() error {
		var d appsv1.Deployment
		if err := g.admin.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "web"}, &d); err != nil {
			return err
		}
		var now v1alpha1.Case
		if err := g.admin.Get(t.Context(), client.ObjectKeyFromObject(&c), &now); err != nil {
			return err
		}
		last := "75"
		if len(now.Status.Unread) > 0 { // on a machine that stood still, what was known of the Secret was too old at the last look
			last = scoreOf(latest(&now))
		}
		if d.Annotations[v1alpha1.AnnotationScore] != last {
			return fmt.Errorf("annotations are %v, the Case says %s", d.Annotations, last)
		}
		return nil
	})
}

func TestASecretThatNeverComesIsDeniedInTheEndOnlyWhereAGuardrailSaysSo(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, demanding())
	err := g.admin.Create(t.Context(), withSecret(deployment(ns, "web"), "never"))
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "never") {
		t.Fatal(err)
	}
	c := g.caseOf(t, ns, "web", Denied)
	if cases, _ := g.cases(t, ns); len(cases) != 1 {
		t.Errorf("%d Cases for one happening, one of them %s", len(cases), c.Name)
	}
}

func TestUndoIsLetInWhileTheNamespaceFails(t *testing.T) {
	g := watchedGate(t)
	spec := demanding()
	spec.Thresholds.WarnBelow, spec.Thresholds.DenyBelow = new(int32(100)), new(int32(100)) // the strictest there is
	ns := g.place(t, spec)
	if err := g.admin.Create(t.Context(), deployment(ns, "web")); err != nil {
		t.Fatal(err)
	}
	first := g.annotated(t, ns, "web")
	for _, change := range []string{
		`{"spec":{"template":{"metadata":{"labels":{"sim.moorgate.dev/fault":"crashloop"},"annotations":{"sim.moorgate.dev/backoff-base":"1s"}}}}}`,
	} {
		if out, err := g.kubectl(t, nil, "-n", ns, "patch", "deploy/web", "-p", change); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	second := g.annotated(t, ns, "web")
	if first == second {
		t.Fatal("the annotations still speak of the first template")
	}
	eventually(t, "the namespace fails", func() error {
		var pods corev1.PodList
		if err := g.admin.List(t.Context(), &pods, client.InNamespace(ns)); err != nil {
			return err
		}
		for _, p := range pods.Items {
			for _, s := range p.Status.ContainerStatuses {
				if s.State.Waiting != nil && s.State.Waiting.Reason == "CrashLoopBackOff" {
					return nil
				}
			}
		}
		return errors.New("nothing crashes")
	})
	if out, err := g.kubectl(t, nil, "-n", ns, "rollout", "undo", "deploy/web"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if third := g.annotated(t, ns, "web"); third == second {
		t.Error("the annotations still speak of what was undone")
	}
}

// annotated waits until a Deployment's annotations speak of its template, and returns the Case that they name.
func (g *gatehouse) annotated(t *testing.T, ns, name string) string {
	t.Helper()
	var d appsv1.Deployment
	eventually(t, name+" is annotated", func() error {
		if err := g.admin.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, &d); err != nil {
			return err
		}
		if d.Annotations[v1alpha1.AnnotationTemplate] != checks.Hash(d.Spec.Template) {
			return fmt.Errorf("annotations are %v", d.Annotations)
		}
		return nil
	})
	return d.Annotations[v1alpha1.AnnotationCase]
}
