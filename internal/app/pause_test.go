package app

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	testcluster "moorgate.dev/test/cluster"
)

// pauseStage is an installed cluster with one Guardrail that enforces, and people.
type pauseStage struct {
	client     client.Client
	namespace  string
	ana, guest string // kubeconfigs: one who may write Guardrails, one who may not
}

func newPauseStage(t *testing.T) pauseStage {
	t.Helper()
	c := testcluster.Shared(t)
	if err := cluster.Install(t.Context(), c.Config(), charts.Files, cluster.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	sch, err := scheme()
	if err != nil {
		t.Fatal(err)
	}
	k, err := client.New(c.Config(), client.Options{Scheme: sch})
	if err != nil {
		t.Fatal(err)
	}
	s := pauseStage{client: k, namespace: c.Namespace(t, nil)}
	role := &rbacv1.ClusterRole{Rules: []rbacv1.PolicyRule{{APIGroups: []string{"moorgate.dev"}, Resources: []string{"guardrails"}, Verbs: []string{"get", "list", "create", "patch", "delete"}}}}
	role.Name = "test-pauses"
	binding := &rbacv1.ClusterRoleBinding{RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "ana"}}}
	binding.Name = role.Name
	enforces := &v1alpha1.Guardrail{Spec: v1alpha1.GuardrailSpec{Mode: "Automatic", Admission: v1alpha1.Admission{Mode: "Enforce"},
		NamespaceSelector: v1alpha1.Selector{MatchLabels: map[string]v1alpha1.LabelValue{"kubernetes.io/metadata.name": v1alpha1.LabelValue(s.namespace)}}}}
	enforces.Name = "enforces"
	for _, o := range []client.Object{role, binding, enforces} {
		if err := k.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		everything := &v1alpha1.Guardrail{}
		everything.Name = cluster.PauseName
		for _, o := range []client.Object{role, binding, enforces, everything} {
			if err := k.Delete(context.WithoutCancel(t.Context()), o); client.IgnoreNotFound(err) != nil {
				t.Error(err)
			}
		}
	})
	s.ana, s.guest = kubeconfigOf(t, c.Kubeconfig(), "ana"), kubeconfigOf(t, c.Kubeconfig(), "guest")
	s.untilMayPause(t)
	return s
}

// kubeconfigOf is a kubeconfig with which one is somebody else.
func kubeconfigOf(t *testing.T, admin, user string) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(admin)
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range config.AuthInfos {
		who.Impersonate = user
	}
	path := filepath.Join(t.TempDir(), user)
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// untilMayPause waits until the binding has reached the authorizer.
func (s pauseStage) untilMayPause(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		code, _, errs := run("resume", "--kubeconfig", s.ana)
		if code == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("ana never may: %s", errs)
		}
	}
}

func (s pauseStage) reasons(t *testing.T, name string) []string {
	t.Helper()
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Guardrail"))
	err := s.client.Get(t.Context(), client.ObjectKey{Name: name}, u)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return cluster.Paused(u)
}

// decide is what comes of a question in a namespace.
func (s pauseStage) decide(t *testing.T, namespace string, reach gate.Reach, score int) (gate.Policy, gate.Verdict) {
	t.Helper()
	p, err := cluster.Guardrails{Reader: s.client, Now: time.Now}.Policy(t.Context(), namespace)
	if err != nil {
		t.Fatal(err)
	}
	return p, gate.Decide(p, gate.Assessment{Score: gate.Known(score), Confidence: gate.Known(100), Agreement: gate.Known(100), Choice: []string{"it"}},
		gate.Facts{At: time.Now(), Menu: []gate.Action{{ID: "it", Verb: "admit", Reach: reach}}, Paused: gate.Known[[]string](nil), Rollback: gate.Known(false), Failing: gate.Known(false)})
}

func TestPauseStopsEverythingAndResumeLetsItGoOn(t *testing.T) {
	s := newPauseStage(t)
	code, out, errs := run("pause", "--kubeconfig", s.ana, "--reason", "it's incident 4711")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	for _, want := range []string{"everything, in every namespace (Guardrail moorgate-pause)", "ana: it's incident 4711", "live actions, pull requests and annotations",
		"rollouts as before: enforces", `moorgate resume --reason 'it'\''s incident 4711'`} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	for _, namespace := range []string{s.namespace, testcluster.Shared(t).Namespace(t, nil)} {
		if _, v := s.decide(t, namespace, gate.ReachMark, 100); !says(v, "pause", "ana: it's incident 4711") {
			t.Errorf("%s, which may be later than the pause, is not paused: %+v", namespace, v)
		}
	}
	t.Run("answers go on as before", func(t *testing.T) {
		if p, v := s.decide(t, s.namespace, gate.ReachAnswer, 10); !p.Refuses(v) {
			t.Errorf("the Guardrail that enforces does not refuse any more: %+v", v)
		}
		p, v := s.decide(t, s.namespace, gate.ReachAnswer, 90)
		if v.Decision != gate.Allow || p.Refuses(v) {
			t.Errorf("the pause lowered the answer to a rollout in order: %+v", v)
		}
	})
	t.Run("a second time it says that it was so already", func(t *testing.T) {
		_, out, _ := run("pause", "--kubeconfig", s.ana, "--reason", "it's incident 4711")
		if !strings.Contains(out, "as it was already") || len(s.reasons(t, cluster.PauseName)) != 1 {
			t.Errorf("said:\n%s", out)
		}
	})
	t.Run("with a pause that was bent it is put back into shape", func(t *testing.T) {
		bent := &v1alpha1.Guardrail{}
		bent.Name = cluster.PauseName
		if err := s.client.Patch(t.Context(), bent, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"namespaceSelector":{"matchLabels":{"a":"b"}},"mode":"Automatic"}}`))); err != nil {
			t.Fatal(err)
		}
		if code, _, errs := run("pause", "--kubeconfig", s.ana, "--reason", "again"); code != 0 {
			t.Fatal(errs)
		}
		if err := s.client.Get(t.Context(), client.ObjectKeyFromObject(bent), bent); err != nil || len(bent.Spec.NamespaceSelector.MatchLabels) > 0 || bent.Spec.Mode != "Observe" || len(bent.Spec.Pause) != 2 {
			t.Errorf("%+v %v", bent.Spec, err)
		}
	})
	t.Run("one reason goes and the other stays", func(t *testing.T) {
		code, out, errs := run("resume", "--kubeconfig", s.ana, "--reason", "it's incident 4711")
		if code != 0 || !strings.Contains(out, "resumed    everything, which was paused for: ana: it's incident 4711") || !strings.Contains(out, "paused     moorgate-pause: ana: again") {
			t.Errorf("exit code %d:\n%s%s", code, out, errs)
		}
	})
	t.Run("a reason that nobody gave changes nothing", func(t *testing.T) {
		code, out, _ := run("resume", "--kubeconfig", s.ana, "--reason", "incident 1")
		if code != 0 || !strings.Contains(out, "unchanged  everything is not paused for this reason") || len(s.reasons(t, cluster.PauseName)) != 1 {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	})
	t.Run("with the last reason the Guardrail goes", func(t *testing.T) {
		if code, _, errs := run("resume", "--kubeconfig", s.ana); code != 0 {
			t.Fatal(errs)
		}
		gone := &v1alpha1.Guardrail{}
		if err := s.client.Get(t.Context(), client.ObjectKey{Name: cluster.PauseName}, gone); !apierrors.IsNotFound(err) {
			t.Errorf("got %v", err)
		}
		if _, v := s.decide(t, s.namespace, gate.ReachMark, 100); says(v, "pause", "") {
			t.Errorf("it is still paused: %+v", v)
		}
	})
}

func says(v gate.Verdict, rule, text string) bool {
	return v.Decision != gate.Allow && slices.ContainsFunc(v.Reasons, func(r gate.Reason) bool { return r.Rule == rule && strings.Contains(r.Text, text) })
}

func TestPauseOfSomeGuardrailsTurnsRefusalsIntoWarnings(t *testing.T) {
	s := newPauseStage(t)
	code, out, errs := run("pause", "--kubeconfig", s.ana, "--reason", "release day", "-o", "json", "enforces")
	var report pauseReport
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s%s", code, err, out, errs)
	}
	if len(report.Paused) != 1 || report.Paused[0] != (pausedRail{Guardrail: "enforces"}) || report.Reason != "ana: release day" || report.Resume != "moorgate resume --reason 'release day' enforces" {
		t.Errorf("%+v", report)
	}
	p, v := s.decide(t, s.namespace, gate.ReachAnswer, 10)
	if p.Refuses(v) || p.Admission() < gate.AdmissionWarn || v.Decision != gate.Deny {
		t.Errorf("refuses: %t, admission %v, verdict %+v", p.Refuses(v), p.Admission(), v)
	}
	code, out, errs = run("resume", "--kubeconfig", s.ana, "-o", "json", "enforces")
	var resumed resumeReport
	if err := json.Unmarshal([]byte(out), &resumed); err != nil || code != 0 || len(resumed.Resumed) != 1 || !slices.Equal(resumed.Resumed[0].Removed, []string{"ana: release day"}) || len(resumed.StillPaused) != 0 {
		t.Errorf("exit code %d, %v: %s%s", code, err, out, errs)
	}
	if p, v := s.decide(t, s.namespace, gate.ReachAnswer, 10); !p.Refuses(v) {
		t.Error("it does not refuse again")
	}
}

// Everybody who stops Moorgate at once is heard, and none takes back what another said.
func TestManyPauseAtOnce(t *testing.T) {
	s := newPauseStage(t)
	for _, name := range []string{"moorgate-pause", "enforces"} {
		var people sync.WaitGroup
		for i := range 12 {
			people.Go(func() {
				if code, _, errs := run("pause", "--kubeconfig", s.ana, "--reason", fmt.Sprint("incident ", i), name); code != 0 {
					t.Error(errs)
				}
			})
		}
		people.Wait()
		if got := s.reasons(t, name); len(got) != 12 {
			t.Errorf("%s is paused for %v", name, got)
		}
		for i := range 12 {
			people.Go(func() {
				if code, _, errs := run("resume", "--kubeconfig", s.ana, "--reason", fmt.Sprint("incident ", i), name); code != 0 {
					t.Error(errs)
				}
			})
		}
		people.Wait()
		if got := s.reasons(t, name); len(got) != 0 {
			t.Errorf("%s is still paused for %v", name, got)
		}
	}
}

func TestPauseSaysWhatStandsInItsWay(t *testing.T) {
	s := newPauseStage(t)
	for _, c := range []struct {
		name string
		args []string
		says []string
	}{
		{"no right", []string{"pause", "--kubeconfig", s.guest, "--reason", "x"}, []string{"pause Guardrail moorgate-pause", "you are guest and may not", "scale Moorgate down"}},
		{"no right to one", []string{"pause", "--kubeconfig", s.guest, "--reason", "x", "enforces"}, []string{"pause Guardrail enforces", "you are guest and may not"}},
		{"no right to go on", []string{"resume", "--kubeconfig", s.guest}, []string{"you are guest and may not"}},
		{"no such Guardrail", []string{"pause", "--kubeconfig", s.ana, "--reason", "x", "enforces", "absent"}, []string{"pause Guardrail absent", "kubectl get guardrails"}},
		{"no such Guardrail to go on with", []string{"resume", "--kubeconfig", s.ana, "absent"}, []string{"Guardrail absent", "kubectl get guardrails"}},
		{"no reason", []string{"pause", "--kubeconfig", s.ana, "--reason", "  "}, []string{"give --reason"}},
		{"too long a reason", []string{"pause", "--kubeconfig", s.ana, "--reason", strings.Repeat("x", 300)}, []string{"305 characters", "may have 256"}},
		{"another output", []string{"pause", "--kubeconfig", s.ana, "--reason", "x", "-o", "xml"}, []string{"xml"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := run(c.args...)
			if code != exitFailed {
				t.Errorf("exit code %d", code)
			}
			for _, want := range c.says {
				if !strings.Contains(errs, want) {
					t.Errorf("it does not say %q: %s%s", want, out, errs)
				}
			}
		})
	}
	if got := s.reasons(t, "enforces"); !slices.Equal(got, []string{"ana: x"}) {
		t.Errorf("the one that is there was paused all the same: %v", got)
	}
	for i := range 15 {
		if code, _, errs := run("pause", "--kubeconfig", s.ana, "--reason", fmt.Sprint(i), "enforces"); code != 0 {
			t.Fatal(errs)
		}
	}
	if code, _, errs := run("pause", "--kubeconfig", s.ana, "--reason", "one more", "enforces"); code != exitFailed || !strings.Contains(errs, "16 reasons") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// A reason reaches terminals; it is one line of what prints.
func TestAPauseLeavesNoControlCharactersInATerminal(t *testing.T) {
	s := newPauseStage(t)
	_, out, errs := run("pause", "--kubeconfig", s.ana, "--reason", "a\x1b[31mb\nc", "enforces")
	if strings.ContainsAny(out+errs, "\x1b\r") || strings.ContainsAny(s.reasons(t, "enforces")[0], "\x1b\n") {
		t.Errorf("%q, stored %q", out+errs, s.reasons(t, "enforces"))
	}
}
