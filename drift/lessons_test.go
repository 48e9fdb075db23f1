package drift_test

import (
	"context"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
)

func TestL05AManifestCannotNameAnotherNamespace(t *testing.T) {
	s := newStage(t)
	elsewhere := strings.Replace(web, "name: web\n", "name: web\n  namespace: kube-system\n", 1)
	s.commit(map[string]string{"deploy/web.yaml": elsewhere})
	s.source(nil)
	s.round()
	ready := s.ready()
	if ready.Status != metav1.ConditionTrue || !strings.Contains(ready.Message, "belong elsewhere: Deployment/web in namespace kube-system (deploy/web.yaml:2)") {
		t.Errorf("the GitSource says %+v", ready)
	}
	if len(s.cases()) != 0 || len(s.log.records) != 0 {
		t.Errorf("something came of it: %s", asJSON(s.cases()))
	}
}

func TestL16ValuesThatMayBeSecretAreNeverShown(t *testing.T) {
	s := deployed(t, web)
	s.kubectl("", "set", "env", "deployment/web", "TOKEN=planted-live")
	s.round()
	k := s.onlyCase()
	if want := "containers[name=app].env[name=TOKEN].value is not what Git says (deploy/web.yaml:19)"; !strings.Contains(k.Status.Summary, want) {
		t.Errorf("summary %q, want %q", k.Status.Summary, want)
	}
	if k.Status.Menu[0].ID == "adopt" {
		t.Error("an edit with a masked value is offered")
	}
	for _, bad := range []string{strings.Replace(web, "replicas: 2", "replicas: -1471147147", 1), strings.Replace(web, "planted-in-git", "1471147147", 1),
		strings.Replace(web, "value: planted-in-git", "value: {a: 1471147147}", 1), strings.Replace(web, "name: TOKEN", "name: '=1471147147'", 1),
		strings.Replace(web, "        env:", "        ports: [{containerPort: 'planted-1471147147', protocol: TCP}]\n        env:", 1)} {
		s.commit(map[string]string{"deploy/web.yaml": bad})
		s.round()
		if len(s.cases()) != 2 || len(s.log.records) < 2 {
			t.Fatalf("what the API server refuses is said on a case of its own: %s", asJSON(s.cases()))
		}
	}
	if all := asJSON(s.cases()) + asJSON(s.log.records) + asJSON(s.ready()); strings.Contains(all, "planted-in-git") || strings.Contains(all, "planted-live") || strings.Contains(all, "1471147147") {
		t.Errorf("a value leaves: %s", all)
	}
}

func TestL16AFileThatCannotBeReadIsNeverQuoted(t *testing.T) {
	for name, bad := range map[string]string{
		"a capital K":            "apiVersion: v1\nKind: Secret\nkind2: x\nmetadata: {name: x}\nstringData: {password: hunter2-planted}\n",
		"metadata that is text":  "apiVersion: v1\nkind: Secret\nmetadata: hunter2-planted\n",
		"a name that is a list":  "apiVersion: v1\nkind: Secret\nmetadata: {name: [hunter2-planted]}\n",
		"a number that is none":  "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\na: !!int hunter2-planted\n",
		"an anchor that is none": "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\na: *hunter2-planted\n",
		"a list for a key":       "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n{[hunter2-planted]: x}: 1\n",
		"a list for a key alone": "{[hunter2-planted]: x}\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.commit(map[string]string{"deploy/bad.yaml": bad})
			s.source(nil)
			s.round()
			ready := s.ready()
			if all := asJSON(ready) + asJSON(s.cases()) + asJSON(s.log.records); strings.Contains(all, "hunter2") {
				t.Errorf("a value leaves: %s", all)
			}
			if ready.Status != metav1.ConditionTrue && !strings.Contains(ready.Message, "deploy/bad.yaml: document 1, from line 1: ") {
				t.Errorf("it does not say where: %s", ready.Message)
			}
		})
	}
}

func TestL20AnUnreadableLiveObjectIsSaidAndIsNoDrift(t *testing.T) {
	s := deployed(t, web)
	s.kubectl("", "set", "image", "deployment/web", "app=registry.example/shop/web:1.5")
	s.detector = s.detectorAs(s.blind())
	s.round()
	k := s.onlyCase()
	if k.Spec.Signal.Reason != "Unreadable" || k.Status.Cause != "unreadable" || k.Status.Decision == "Allow" || len(k.Status.Findings) != 0 || len(k.Status.Chosen) != 0 {
		t.Errorf("got %s", asJSON(k))
	}
	if len(k.Status.Unread) != 1 || !strings.Contains(k.Status.Unread[0], "live Deployment/web") || !strings.Contains(k.Status.Unread[0], "forbidden") {
		t.Errorf("it does not say what could not be read: %q", k.Status.Unread)
	}
	if c := condition(k.Status.Conditions, "Drifted"); c.Status != metav1.ConditionUnknown {
		t.Errorf("whether it drifted is %s", c.Status)
	}
	s.detector = s.detectorAs(s.judge)
	s.round()
	for _, k := range s.cases() {
		want := metav1.ConditionTrue
		if k.Spec.Signal.Reason == "Unreadable" {
			want = metav1.ConditionFalse
		}
		if c := condition(k.Status.Conditions, "Drifted"); c.Status != want {
			t.Errorf("now that it can be read, case %s says %+v", k.Name, c)
		}
	}
}

func TestL20ADryRunThatFailsIsSaidAndIsNoDrift(t *testing.T) {
	s := deployed(t, web)
	s.commit(map[string]string{"deploy/web.yaml": strings.Replace(web, "  replicas: 2", "  replicaz: 3", 1)})
	s.round()
	k := s.onlyCase()
	if k.Spec.Signal.Reason != "Unreadable" || len(k.Status.Unread) != 1 || !strings.Contains(k.Status.Unread[0], "dry run of Deployment/web") || !strings.Contains(k.Status.Unread[0], "replicaz") {
		t.Errorf("got %s", asJSON(k))
	}
}

func TestL20APlaceholderInGitIsSaidAndIsNoDrift(t *testing.T) {
	s := deployed(t, web)
	s.commit(map[string]string{"deploy/web.yaml": strings.Replace(web, "web:1.4", "web:${TAG}", 1)})
	s.round()
	k := s.onlyCase()
	if k.Spec.Signal.Reason != "Unreadable" || len(k.Status.Unread) != 1 || !strings.Contains(k.Status.Unread[0], "containers[name=app].image: there is a placeholder in Git") {
		t.Errorf("got %s", asJSON(k))
	}
}

func TestARepositoryThatCannotBeReadIsSaidOnItsGitSource(t *testing.T) {
	tests := []struct {
		name   string
		files  map[string]string
		source func(*v1alpha1.GitSource)
		want   string
	}{
		{"no such branch", nil, func(g *v1alpha1.GitSource) { g.Spec.Branch = "gone" }, "there is no such branch"},
		{"no such repository", nil, func(g *v1alpha1.GitSource) { g.Spec.URL += "-gone" }, "there is no Git repository there"},
		{"no such folder", nil, func(g *v1alpha1.GitSource) { g.Spec.Path = "gone" }, `there is no folder "gone"`},
		{"broken YAML beside a good file", map[string]string{"deploy/bad.yaml": "a: [\n"}, nil, "deploy/bad.yaml: document 1, from line 1"},
		{"a folder that refers elsewhere", map[string]string{"deploy/kustomization.yaml": "resources: ['https://example.com/web.yaml']\n"}, nil, "only files of the repository are read"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t)
			files := map[string]string{"deploy/web.yaml": strings.Replace(web, "replicas: 2", "replicas: 3", 1)}
			for name, content := range test.files {
				files[name] = content
			}
			s.commit(files)
			s.source(test.source)
			s.kubectl(web, "apply", "-f", "-")
			s.round()
			if ready := s.ready(); ready.Status != metav1.ConditionFalse || ready.Reason != "Failed" || !strings.Contains(ready.Message, test.want) {
				t.Errorf("the GitSource says %+v, want %q", ready, test.want)
			}
			if cases := s.cases(); len(cases) != 0 {
				t.Errorf("there are cases: %s", asJSON(cases))
			}
		})
	}
}

// blind makes an identity that may do what moorgate-judge may, but not read Deployments.
func (s *stage) blind() *rest.Config {
	s.t.Helper()
	return s.lesser("blind", func(rule *rbacv1.PolicyRule) bool { return rule.APIGroups[0] != "apps" })
}

// lesser makes an identity with those rights of moorgate-judge that keep leaves it. It has the verb bypass too: only so may
// an identity that is none of Moorgate's write Cases.
func (s *stage) lesser(name string, keep func(*rbacv1.PolicyRule) bool) *rest.Config {
	s.t.Helper()
	config, err := s.cluster.ServiceAccount(s.t.Context(), s.ns, name)
	s.ok(err)
	var role rbacv1.ClusterRole
	s.ok(s.admin.Get(s.t.Context(), client.ObjectKey{Name: "moorgate-judge"}, &role))
	lesser := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: s.ns + "-" + name},
		Rules: []rbacv1.PolicyRule{{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"guardrails"}, Verbs: []string{"bypass"}}}}
	for _, rule := range role.Rules {
		if keep(&rule) {
			lesser.Rules = append(lesser.Rules, rule)
		}
	}
	s.ok(s.admin.Create(s.t.Context(), lesser))
	bind := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: lesser.Name},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: lesser.Name},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: s.ns, Name: name}}}
	s.ok(s.admin.Create(s.t.Context(), bind))
	s.t.Cleanup(func() {
		_ = s.admin.Delete(context.Background(), lesser)
		_ = s.admin.Delete(context.Background(), bind)
	})
	return config
}
