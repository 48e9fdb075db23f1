package webhook

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
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
		d := poor(ns, "kinds")
		set := &appsv1.StatefulSet{ObjectMeta: d.ObjectMeta, Spec: appsv1.StatefulSetSpec{Selector: d.Spec.Selector, Template: d.Spec.Template}}
		daemons := &appsv1.DaemonSet{ObjectMeta: d.ObjectMeta, Spec: appsv1.DaemonSetSpec{Selector: d.Spec.Selector, Template: d.Spec.Template}}
		for _, obj := range []client.Object{set, daemons} {
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
	if c := g.caseOf(t, ns, "urgent", SlippedThrough); c.Status.Decision != "Deny" {
		t.Errorf("%+v", c.Status)
	}
}

func TestAfterAdmissionTheRolloutCarriesItsVerdict(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, guardrail("Warn"))
	out, err := g.kubectl(t, map[string]string{"d.yaml": manifest(t, poor(ns, "web"))}, "apply", "-f", "d.yaml")
	if err != nil || !strings.Contains(out, "Warning: moorgate: would be denied: score ") {
		t.Fatalf("%v: %s", err, out)
	}
	c := g.caseOf(t, ns, "web", Warned)
	key := client.ObjectKey{Namespace: ns, Name: "web"}
	var d appsv1.Deployment
	annotated := func() error {
		if err := g.admin.Get(t.Context(), key, &d); err != nil {
			return err
		}
		a := d.Annotations
		if a[v1alpha1.AnnotationVerdict] != "Deny" || a[v1alpha1.AnnotationScore] != fmt.Sprint(*c.Spec.Answer.Opinion.Score) ||
			a[v1alpha1.AnnotationCase] != c.Name || a[v1alpha1.AnnotationTemplate] != checks.Hash(d.Spec.Template) {
			return fmt.Errorf("annotations are %v", a)
		}
		return nil
	}
	eventually(t, "the rollout is annotated", annotated)
	for _, m := range d.ManagedFields {
		if m.Manager == markOwner && (m.Operation != metav1.ManagedFieldsOperationApply || strings.Contains(string(m.FieldsV1.Raw), "f:spec")) {
			t.Errorf("%s %s owns %s", m.Manager, m.Operation, m.FieldsV1.Raw)
		}
	}
	g.log.mu.Lock()
	intents, outcomes := 0, 0
	for _, r := range g.log.records {
		if r.Correlation == ns+"/"+c.Name && r.Kind == gate.RecordIntent {
			intents++
		}
		if r.Correlation == ns+"/"+c.Name && r.Kind == gate.RecordOutcome && *r.Outcome == gate.OutcomeDone {
			outcomes++
		}
	}
	g.log.mu.Unlock()
	if intents == 0 || outcomes == 0 {
		t.Errorf("%d intents and %d outcomes are on record", intents, outcomes)
	}
	eventually(t, "an Event says so", func() error {
		var list eventsv1.EventList
		if err := g.admin.List(t.Context(), &list, client.InNamespace(ns)); err != nil {
			return err
		}
		for _, e := range list.Items {
			if e.Regarding.UID == d.UID && e.Type == corev1.EventTypeWarning && e.Reason == "RolloutWarned" {
				return nil
			}
		}
		return fmt.Errorf("%d events, none of them ours", len(list.Items))
	})
	t.Run("and what somebody else wrote there is put right", func(t *testing.T) {
		if out, err := g.kubectl(t, nil, "-n", ns, "annotate", "--overwrite", "deploy/web", v1alpha1.AnnotationScore+"=100"); err != nil {
			t.Fatal(out)
		}
		eventually(t, "the annotation is put right", annotated)
	})
}

func TestObserveTouchesNothing(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, guardrail("Observe"))
	out, err := g.kubectl(t, map[string]string{"d.yaml": manifest(t, poor(ns, "web"))}, "apply", "-f", "d.yaml")
	if err != nil || strings.Contains(out, "moorgate") {
		t.Fatalf("%v: %s", err, out)
	}
	c := g.caseOf(t, ns, "web", Admitted)
	g.log.mu.Lock()
	defer g.log.mu.Unlock()
	for _, r := range g.log.records {
		if r.Correlation == ns+"/"+c.Name && r.Kind == gate.RecordIntent {
			t.Errorf("an intent: %+v", r.Action)
		}
	}
	var d appsv1.Deployment
	if err := g.admin.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "web"}, &d); err != nil || d.Annotations[v1alpha1.AnnotationScore] != "" {
		t.Errorf("%v: %v", err, d.Annotations)
	}
}

func TestHostileBodiesGetAClearAnswer(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, guardrail("Enforce"))
	web := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // the test's own server
	review := func(kind string, object string) string {
		return `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"1","operation":"CREATE","namespace":"gone","name":"x",` +
			`"kind":{"group":"apps","version":"v1","kind":"` + kind + `"},"resource":{"group":"apps","version":"v1","resource":"x"},"object":` + object + `}}`
	}
	sound, err := json.Marshal(deployment("gone", "x"))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		body    string
		allowed bool
		says    string
	}{
		"8 MB":                       {body: review("Deployment", `{"x":"`+strings.Repeat("a", 8<<20)+`"}`), says: "too large"},
		"just under 7 MB":            {body: review("Deployment", `{"metadata":{"annotations":{"x":"`+strings.Repeat("a", 6900<<10)+`"}}}`), allowed: true},
		"broken JSON":                {body: `{"apiVersion":`, says: ""},
		"no request":                 {body: `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}`, allowed: true},
		"an unknown kind":            {body: review("Rocket", `{}`), allowed: true, says: "not a kind"},
		"an object of another shape": {body: review("Deployment", `{"spec":{"template":7}}`), allowed: true, says: "not scored"},
		"deep nesting":               {body: review("Deployment", strings.Repeat(`{"a":`, 20000)+"1"+strings.Repeat("}", 20000))},
		"a namespace that is gone":   {body: review("Deployment", string(sound)), allowed: true},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := web.Post("https://"+g.address+Path, "application/json", strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			b, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			var answer admissionv1.AdmissionReview
			if err := json.Unmarshal(b, &answer); err != nil || answer.Response == nil {
				t.Fatalf("%v: %s", err, b)
			}
			if answer.Response.Allowed != tt.allowed || !bytes.Contains(b, []byte(tt.says)) {
				t.Errorf("%s", b)
			}
		})
	}
	t.Run("a manifest of 2 MB through the API server", func(t *testing.T) {
		d := poor(ns, "big")
		d.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "BIG", Value: strings.Repeat("a", 2<<20)}}
		if err := g.admin.Create(t.Context(), d); !apierrors.IsForbidden(err) || len(err.Error()) > 4096 {
			t.Error("not refused, or at length")
		}
	})
	t.Run("a namespace that is being deleted", func(t *testing.T) {
		doomed := g.place(t, guardrail("Warn"))
		d := deployment(doomed, "web")
		d.Finalizers = []string{"moorgate.dev/test-hold"}
		if err := g.admin.Create(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if err := g.admin.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: doomed}}); err != nil {
			t.Fatal(err)
		}
		patch := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"replicas":1,"template":{"metadata":{"labels":{"changed":"yes"}}}}}`))
		if err := g.admin.Patch(t.Context(), d, patch); err != nil {
			t.Errorf("an update in it: %v", err)
		}
		release := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
		if err := g.admin.Patch(t.Context(), d, release); client.IgnoreNotFound(err) != nil {
			t.Error(err)
		}
	})
}

func TestWhenTheWebhookIsAwayRolloutsGoInAndAreJudgedAfterwards(t *testing.T) {
	g := watchedGate(t)
	ns := g.place(t, guardrail("Enforce"))
	if err := g.admin.Create(t.Context(), deployment(ns, "changed")); err != nil {
		t.Fatal(err)
	}
	g.caseOf(t, ns, "changed", Admitted)
	if err := g.down(); err != nil {
		t.Fatal(err)
	}
	err := errors.Join(g.admin.Create(t.Context(), poor(ns, "made")), g.admin.Patch(t.Context(), deployment(ns, "changed"),
		client.RawPatch(types.JSONPatchType, []byte(`[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"app"}]`))))
	if err := errors.Join(err, g.up()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"made", "changed"} {
		c := g.caseOf(t, ns, name, SlippedThrough)
		eventually(t, name+" is annotated", func() error {
			var d appsv1.Deployment
			if err := g.admin.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, &d); err != nil {
				return err
			}
			if d.Annotations[v1alpha1.AnnotationCase] != c.Name || d.Annotations[v1alpha1.AnnotationTemplate] != checks.Hash(d.Spec.Template) {
				return fmt.Errorf("annotations are %v", d.Annotations)
			}
			return nil
		})
	}
}
