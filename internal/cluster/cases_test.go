package cluster_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
	testcluster "moorgate.dev/test/cluster"
)

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// admin is a client of a cluster with Moorgate's kinds, and a namespace.
func admin(t *testing.T) (client.Client, string) {
	t.Helper()
	c := testcluster.Shared(t)
	if err := cluster.Install(t.Context(), c.Config(), charts.Files, cluster.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	k, err := client.New(c.Config(), client.Options{Scheme: s})
	if err != nil {
		t.Fatal(err)
	}
	return k, c.Namespace(t, nil)
}

func judgement(namespace string) flow.Judgement {
	subject := gate.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: namespace, Name: "web"}
	long := strings.Repeat("é\x1b[31m", 4000)
	f := gate.Facts{Subject: subject, Menu: []gate.Action{{ID: "admit", Verb: "admit", Reach: gate.ReachAnswer, Target: subject}}}
	for i := range 40 {
		item := gate.Action{ID: fmt.Sprint(long, i), Verb: long, Text: long, Target: subject}
		for range 40 {
			item.Edits = append(item.Edits, gate.Edit{Path: long, Old: long, New: long})
		}
		f.Menu = append(f.Menu, item)
		f.Unread = append(f.Unread, long)
	}
	a := gate.Assessment{Score: gate.Known(40), Confidence: gate.Known(90), Choice: []string{"admit"}}
	for range 100 {
		a.Findings = append(a.Findings, gate.Finding{ID: strings.Repeat("i", 100), Text: long, Points: 1})
	}
	signal := gate.Signal{Face: gate.FaceWebhook, Reason: "Rollout", Subject: subject, Key: long, Text: long, At: noon()}
	return flow.Judgement{Question: flow.Question{Signal: signal, Facts: f}, Assessment: a, Position: gate.Position{Log: "log", Sequence: 7},
		Verdict: gate.Decide(cluster.Default(), a, f)}
}

func TestCasesOnTheAPIServer(t *testing.T) {
	k, ns := admin(t)
	cases := cluster.Cases{Client: k, Now: noon}
	j := judgement(ns)
	answer := &v1alpha1.Answer{Said: "Denied", Opinion: cluster.Opinion(j)}
	opened, fresh, err := cases.Open(t.Context(), j.Question.Signal, answer, map[string]string{v1alpha1.LabelTemplate: "abc"})
	if err != nil || !fresh {
		t.Fatalf("open: new %t, %v", fresh, err)
	}
	key := client.ObjectKeyFromObject(opened)
	t.Run("the same happening is the same Case", func(t *testing.T) {
		if _, fresh, err := cases.Open(t.Context(), j.Question.Signal, nil, nil); err != nil || fresh {
			t.Errorf("new %t, %v", fresh, err)
		}
	})
	t.Run("a judgement of any length fits the schema", func(t *testing.T) {
		if err := cases.Keep(t.Context(), key, cases.Judged(j, nil)); err != nil {
			t.Fatal(err)
		}
		var got v1alpha1.Case
		if err := k.Get(t.Context(), key, &got); err != nil {
			t.Fatal(err)
		}
		if got.Status.Decision != "Deny" || *got.Status.Score != 40 || got.Status.Audit.Sequence != 7 || !meta.IsStatusConditionTrue(got.Status.Conditions, v1alpha1.CaseRecorded) {
			t.Errorf("status %+v", got.Status)
		}
		got.ManagedFields = nil
		if b, err := json.Marshal(got); err != nil || len(b) > 64<<10 || len(b) < 32<<10 {
			t.Errorf("the largest Case has %d bytes (%v), want at most %d", len(b), err, 64<<10)
		}
	})
	t.Run("keeping what is kept writes nothing", func(t *testing.T) {
		var before, after v1alpha1.Case
		if err := k.Get(t.Context(), key, &before); err != nil {
			t.Fatal(err)
		}
		if err := cases.Keep(t.Context(), key, cases.Judged(j, nil)); err != nil {
			t.Fatal(err)
		}
		if err := k.Get(t.Context(), key, &after); err != nil || after.ResourceVersion != before.ResourceVersion {
			t.Errorf("resource version %s became %s (%v)", before.ResourceVersion, after.ResourceVersion, err)
		}
	})
	t.Run("nobody rewrites what was seen", func(t *testing.T) {
		var c v1alpha1.Case
		if err := k.Get(t.Context(), key, &c); err != nil {
			t.Fatal(err)
		}
		c.Spec.Subject.Name = "other"
		if err := k.Update(t.Context(), &c); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "cannot be changed") {
			t.Errorf("got %v", err)
		}
	})
}

func TestAGuardrailSaysWhetherItIsInForce(t *testing.T) {
	k, _ := admin(t)
	g := &v1alpha1.Guardrail{}
	g.Name = "in-force"
	if err := k.Create(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	s := cluster.GuardrailStatus{Client: k, Now: noon}
	req := ctrl.Request{NamespacedName: client.ObjectKeyFromObject(g)}
	if _, err := s.Reconcile(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if err := k.Get(t.Context(), req.NamespacedName, g); err != nil || !meta.IsStatusConditionTrue(g.Status.Conditions, "Ready") {
		t.Fatalf("conditions %+v (%v)", g.Status.Conditions, err)
	}
	version := g.ResourceVersion
	if _, err := s.Reconcile(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if err := k.Get(t.Context(), req.NamespacedName, g); err != nil || g.ResourceVersion != version {
		t.Errorf("a second look wrote again: %s became %s (%v)", version, g.ResourceVersion, err)
	}
	req.Name = "not-there"
	if _, err := s.Reconcile(t.Context(), req); err != nil {
		t.Errorf("a Guardrail that is gone: %v", err)
	}
}
