package drift_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"moorgate.dev/api/v1alpha1"
)

const web = `# the shop's front
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2 # two are enough
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: app
        image: "registry.example/shop/web:1.4" # pinned
        env:
        - name: TOKEN
          value: planted-in-git
        resources:
          requests:
            cpu: 1000m
`

// deployed is a stage on which Git's Deployment runs, and a first round found nothing.
func deployed(t *testing.T, manifest string) *stage {
	t.Helper()
	s := newStage(t)
	s.commit(map[string]string{"deploy/web.yaml": manifest})
	s.source(nil)
	s.kubectl(manifest, "apply", "-f", "-")
	s.round()
	if cases := s.cases(); len(cases) != 0 {
		t.Fatalf("no drift, but %d cases: %s", len(cases), asJSON(cases))
	}
	if ready := s.ready(); ready.Status != metav1.ConditionTrue || !strings.Contains(ready.Message, ": 1") {
		t.Fatalf("the GitSource says %+v", ready)
	}
	return s
}

func (s *stage) live() *appsv1.Deployment {
	s.t.Helper()
	var d appsv1.Deployment
	s.ok(s.admin.Get(s.t.Context(), client.ObjectKey{Namespace: s.ns, Name: "web"}, &d))
	return &d
}

// untouched has rounds until one leaves the Deployment as it was, to the resourceVersion. The Deployment's own controller
// may write in between; a Detector that writes does so every time.
func (s *stage) untouched() *appsv1.Deployment {
	s.t.Helper()
	var before *appsv1.Deployment
	s.eventually("a round writes nothing to the workload", func() bool {
		before = s.live()
		s.round()
		return s.live().ResourceVersion == before.ResourceVersion
	})
	return before
}

func (s *stage) eventually(what string, done func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	for !done() {
		select {
		case <-ctx.Done():
			s.t.Fatalf("not so after a minute: %s", what)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func TestAChangedFieldBecomesACase(t *testing.T) {
	s := deployed(t, web)
	commit := s.head()
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	before := s.untouched()

	k := s.onlyCase()
	const path = "spec.template.spec.containers[name=app].image"
	if k.Spec.Signal.Face != "drift" || k.Spec.Signal.Reason != "FieldDrift" || k.Spec.Subject.UID != string(before.UID) {
		t.Errorf("the case is about %+v", k.Spec)
	}
	if want := "containers[name=app].image is web:1.5, Git says web:1.4 (deploy/web.yaml:16)"; !strings.HasPrefix(k.Status.Summary, want) {
		t.Errorf("summary %q, want %q", k.Status.Summary, want)
	}
	if want := path + `, live "registry.example/shop/web:1.5", Git "registry.example/shop/web:1.4"`; !strings.Contains(k.Status.Findings[0].Text, want) {
		t.Errorf("finding %q, want %q", k.Status.Findings[0].Text, want)
	}
	if !strings.HasPrefix(k.Status.Owner, "kubectl-set (Update) at 20") || k.Status.Cause != "changed-by-person" {
		t.Errorf("owner %q, cause %q", k.Status.Owner, k.Status.Cause)
	}
	if len(k.Status.Menu) != 3 || k.Status.Menu[0].ID != "adopt" || k.Status.Menu[0].Reach != "git" {
		t.Fatalf("menu %s", asJSON(k.Status.Menu))
	}
	if want := `deploy/web.yaml:16 - image: "registry.example/shop/web:1.4" + image: "registry.example/shop/web:1.5"`; k.Status.Menu[0].Text != want {
		t.Errorf("the edit is %q, want %q", k.Status.Menu[0].Text, want)
	}
	if want := []v1alpha1.Edit{{Path: path, Old: `"registry.example/shop/web:1.4"`, New: `"registry.example/shop/web:1.5"`}}; asJSON(k.Status.Menu[0].Edits) != asJSON(want) {
		t.Errorf("edits %s", asJSON(k.Status.Menu[0].Edits))
	}
	if k.Status.Decision != "Hold" || asJSON(k.Status.Chosen) != `["adopt"]` || len(k.Status.Reasons) != 1 || k.Status.Reasons[0].Rule != "mode" {
		t.Errorf("in Observe it should be held by the mode alone: %s", asJSON(k.Status))
	}
	if c := condition(k.Status.Conditions, "Drifted"); c.Status != metav1.ConditionTrue || k.Status.Audit == nil {
		t.Errorf("conditions %+v, audit %+v", k.Status.Conditions, k.Status.Audit)
	}
	if strings.Contains(asJSON(s.live()), "moorgate") {
		t.Errorf("the workload carries our name: %s", asJSON(s.live()))
	}
	if s.head() != commit {
		t.Error("the repository was written to")
	}

	s.round()
	if again := s.onlyCase(); again.ResourceVersion != k.ResourceVersion || len(s.log.records) != 1 {
		t.Errorf("the same drift again: case %s then %s, %d records", k.ResourceVersion, again.ResourceVersion, len(s.log.records))
	}
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.4")
	s.round()
	if c := condition(s.onlyCase().Status.Conditions, "Drifted"); c.Status != metav1.ConditionFalse || c.Reason != "Gone" {
		t.Errorf("the drift is gone, and the case says %+v", c)
	}
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	s.round()
	if k := s.onlyCase(); condition(k.Status.Conditions, "Drifted").Status != metav1.ConditionTrue {
		t.Errorf("the same drift is the same case again: %+v", k.Status.Conditions)
	}
}

func TestScaleByHandIsDriftWithoutATime(t *testing.T) {
	s := deployed(t, web)
	s.kubectl("", "scale", "deployment/web", "--replicas=5")
	s.round()
	k := s.onlyCase()
	if k.Status.Owner != "kubectl (Update of scale), time not recorded" || k.Status.Cause != "changed-by-person" {
		t.Errorf("owner %q, cause %q", k.Status.Owner, k.Status.Cause)
	}
	if want := "deploy/web.yaml:7 - replicas: 2 + replicas: 5"; k.Status.Menu[0].Text != want {
		t.Errorf("the edit is %q, want %q", k.Status.Menu[0].Text, want)
	}
	if k.Status.Score == nil || *k.Status.Score != 80 || *k.Status.Confidence != 80 {
		t.Errorf("score %v, confidence %v", k.Status.Score, k.Status.Confidence)
	}
}

func TestSeveralFieldsOfOneObjectAreOneCase(t *testing.T) {
	s := deployed(t, web)
	s.kubectl("", "scale", "deployment/web", "--replicas=5")
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	s.round()
	k := s.onlyCase()
	if len(k.Status.Findings) != 2 || len(k.Status.Menu[0].Edits) != 2 || len(k.Status.Chosen) != 0 || k.Status.Decision != "Hold" {
		t.Errorf("got %s", asJSON(k.Status))
	}
}

func TestWhatIsNoDrift(t *testing.T) {
	autoscaler := `{"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}, "spec": {"minReplicas": 1,
		"maxReplicas": 9, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}}`
	restarted := strings.Replace(web, "      labels: {app: web}\n    spec", "      labels: {app: web}\n      annotations: {kubectl.kubernetes.io/restartedAt: \"2020-01-01T00:00:00Z\"}\n    spec", 1)
	asked := strings.Replace(web, "  name: web\n", "  name: web\n  annotations: {moorgate.dev/ignore-drift: spec.replicas}\n", 1)
	tests := []struct {
		name, manifest string
		change         func(*stage)
	}{
		{"a field that Git says is to be passed over", asked, func(s *stage) { s.kubectl("", "scale", "deployment/web", "--replicas=5") }},
		{"another way to write a quantity", web, func(s *stage) {
			s.kubectl("", "patch", "deployment/web", "--type=json", "-p", `[{"op":"replace","path":"/spec/template/spec/containers/0/resources/requests/cpu","value":"1"}]`)
		}},
		{"a restart", restarted, func(s *stage) { s.kubectl("", "rollout", "restart", "deployment/web") }},
		{"replicas that an autoscaler sets", web, func(s *stage) {
			s.kubectl(autoscaler, "apply", "-f", "-")
			s.kubectl("", "scale", "deployment/web", "--replicas=5")
		}},
		{"replicas that the controller manager scaled", web, func(s *stage) {
			s.kubectl("", "patch", "deployment/web", "--subresource=scale", "--field-manager=kube-controller-manager", "--type=merge", "-p", `{"spec":{"replicas":5}}`)
		}},
		{"a default set back by hand", web, func(s *stage) {
			s.kubectl("", "patch", "deployment/web", "-p", `{"spec":{"revisionHistoryLimit":3}}`)
			s.kubectl("", "patch", "deployment/web", "-p", `{"spec":{"revisionHistoryLimit":10}}`)
		}},
		{"a field that a controller adds", web, func(s *stage) {
			s.kubectl("", "label", "deployment/web", "seen=yes", "--field-manager=some-controller")
		}},
		{"a finalizer", web, func(s *stage) {
			s.kubectl("", "patch", "deployment/web", "-p", `{"metadata":{"finalizers":["example.com/x"]}}`)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := deployed(t, test.manifest)
			test.change(s)
			s.round()
			if cases := s.cases(); len(cases) != 0 {
				t.Fatalf("this is no drift: %s", asJSON(cases))
			}
		})
	}
}

func TestReplicasBeyondTheBoundsOfAnAutoscalerAreDrift(t *testing.T) {
	s := deployed(t, web)
	s.kubectl("", "autoscale", "deployment/web", "--min=1", "--max=3")
	s.kubectl("", "scale", "deployment/web", "--replicas=5")
	s.round()
	if k := s.onlyCase(); !strings.HasPrefix(k.Status.Summary, "replicas is 5, Git says 2") {
		t.Errorf("summary %q", k.Status.Summary)
	}
}

func TestGitAheadOfTheClusterIsNobodysChange(t *testing.T) {
	s := deployed(t, web)
	s.commit(map[string]string{"deploy/web.yaml": strings.Replace(web, "replicas: 2", "replicas: 3", 1)})
	s.round()
	k := s.onlyCase()
	if k.Status.Cause != "changed-by-automation" || !strings.HasPrefix(k.Status.Owner, "kubectl-client-side-apply (Update) at ") || len(k.Status.Chosen) != 0 {
		t.Errorf("got %s", asJSON(k.Status))
	}
	s.kubectl(strings.Replace(web, "replicas: 2", "replicas: 3", 1), "apply", "-f", "-")
	s.round()
	if c := condition(s.onlyCase().Status.Conditions, "Drifted"); c.Status != metav1.ConditionFalse {
		t.Errorf("once delivered, the case says %+v", c)
	}
}

func TestADeletedFieldHasNoKnownOwner(t *testing.T) {
	s := deployed(t, web)
	s.kubectl("", "patch", "deployment/web", "--type=json", "-p", `[{"op":"remove","path":"/spec/template/spec/containers/0/resources/requests/cpu"}]`)
	s.round()
	k := s.onlyCase()
	if k.Status.Owner != "unknown (deletions leave no trace)" || k.Status.Cause != "unknown-owner" || len(k.Status.Menu) != 2 || len(k.Status.Chosen) != 0 {
		t.Errorf("got %s", asJSON(k.Status))
	}
}

func TestUnderProposeTheEditIsAllowed(t *testing.T) {
	s := deployed(t, web)
	g := &v1alpha1.Guardrail{ObjectMeta: metav1.ObjectMeta{Name: s.ns}, Spec: v1alpha1.GuardrailSpec{Mode: "Propose",
		NamespaceSelector: v1alpha1.Selector{MatchLabels: map[string]v1alpha1.LabelValue{"kubernetes.io/metadata.name": v1alpha1.LabelValue(s.ns)}}}}
	s.ok(s.admin.Create(t.Context(), g))
	t.Cleanup(func() { _ = s.admin.Delete(context.Background(), g) })
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	s.round()
	if k := s.onlyCase(); k.Status.Decision != "Allow" || len(k.Status.Reasons) != 0 {
		t.Errorf("got %s", asJSON(k.Status))
	}
}

func TestTheDetectorRunsInAController(t *testing.T) {
	s := newStage(t)
	s.commit(map[string]string{"deploy/web.yaml": web})
	s.kubectl(web, "apply", "-f", "-")
	s.detector.Interval = time.Hour // what follows comes from the watches
	mgr, err := ctrl.NewManager(s.judge, ctrl.Options{Scheme: s.admin.Scheme(), Metrics: server.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: new(true)}, Logger: logr.Discard()})
	s.ok(err)
	s.ok(s.detector.SetUp(mgr))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	s.source(nil)
	s.eventually("the GitSource is ready", func() bool { return s.ready().Status == metav1.ConditionTrue })
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	s.eventually("there is a case with a verdict", func() bool {
		cases := s.cases()
		return len(cases) == 1 && cases[0].Status.Decision == "Hold"
	})
}
