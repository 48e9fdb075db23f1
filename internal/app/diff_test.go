package app

import (
	"encoding/json"
	"fmt"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	testcluster "moorgate.dev/test/cluster"
)

// moored is a namespace whose GitSource names a repository in a folder.
type moored struct {
	t      *testing.T
	c      *testcluster.Cluster
	admin  client.Client
	ns     string
	folder string
}

func newMoored(t *testing.T, manifest string) *moored {
	t.Helper()
	m := &moored{t: t, c: testcluster.Shared(t), folder: t.TempDir()}
	m.ok(cluster.Install(t.Context(), m.c.Config(), charts.Files, cluster.InstallOptions{}))
	s, err := scheme()
	m.ok(err)
	m.admin, err = client.New(m.c.Config(), client.Options{Scheme: s})
	m.ok(err)
	m.ns = m.c.Namespace(t, nil)
	m.ok(os.MkdirAll(filepath.Join(m.folder, "deploy"), 0o700))
	m.ok(os.WriteFile(filepath.Join(m.folder, "deploy", "web.yaml"), []byte(manifest), 0o600))
	gitSays(t, m.folder, "init", "-q", "-b", "main")
	gitSays(t, m.folder, "add", ".")
	gitSays(t, m.folder, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "web", "--date", "2001-01-01T00:00:00Z")
	m.ok(m.admin.Create(t.Context(), &v1alpha1.GitSource{ObjectMeta: metav1.ObjectMeta{Namespace: m.ns, Name: "shop"},
		Spec: v1alpha1.GitSourceSpec{URL: "file://" + m.folder, Branch: "main", Path: "deploy"}}))
	return m
}

func (m *moored) ok(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *moored) kubectl(stdin string, args ...string) {
	m.t.Helper()
	cmd := m.c.Kubectl(m.t.Context(), append([]string{"-n", m.ns}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		m.t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// diff runs moorgate diff and wants an exit code and words in what it prints.
func (m *moored) diff(code int, wants []string, args ...string) string {
	m.t.Helper()
	got, out, errs := run(append([]string{"diff", "--kubeconfig", m.c.Kubeconfig(), "-n", m.ns, "--local-git"}, args...)...)
	if got != code {
		m.t.Fatalf("diff %v: exit code %d, want %d\n%s%s", args, got, code, out, errs)
	}
	for _, want := range wants {
		if !strings.Contains(out+errs, want) {
			m.t.Errorf("diff %v does not say %q:\n%s%s", args, want, out, errs)
		}
	}
	if strings.Contains(out+errs, "planted") {
		m.t.Errorf("diff %v shows a value that may be secret:\n%s%s", args, out, errs)
	}
	return out
}

func mooredWeb(t *testing.T) string {
	return strings.Replace(deployment(t, "image: ghcr.io/acme/web:1.4.2", "image: ghcr.io/acme/web:1.4.2\n          env: [{name: TOKEN, value: planted-git}]"),
		", namespace: shop", "", 1)
}

func TestDiffSaysWhoAndWhereAndWhy(t *testing.T) {
	m := newMoored(t, mooredWeb(t))
	m.diff(exitWarned, []string{"-the whole object: the cluster does not have it"})
	m.kubectl(mooredWeb(t), "apply", "-f", "-")
	m.diff(exitOK, []string{"1 object compared; 0 differ or are absent"})
	m.kubectl("", "set", "image", "deployment/web", "app=ghcr.io/acme/web:1.5.0")
	m.kubectl("", "set", "env", "deployment/web", "TOKEN=planted-live")
	m.kubectl("", "scale", "deployment/web", "--replicas=5")
	text := m.diff(exitWarned, []string{
		"--- Git   deploy/web.yaml:1  (GitSource " + m.ns + "/shop, commit ", "+++ live  Deployment/web in " + m.ns,
		"@@ deploy/web.yaml:12 spec.template.spec.containers[name=app].image @@",
		"-image: \"ghcr.io/acme/web:1.4.2\"\n+image: \"ghcr.io/acme/web:1.5.0\"\n who   kubectl-set (Update), by its own word: person\n when  20",
		"-value: (masked)\n+value: (masked)\n", "@@ deploy/web.yaml:5 spec.replicas @@\n-replicas: 2\n+replicas: 5\n who   kubectl (Update of scale), by its own word: person\n when  not recorded",
		" why   changed-by-person, confidence ", "1 object compared; 1 differ or are absent"})
	if strings.Contains(text, "\x1b") {
		t.Error("it is coloured, and this is no terminal")
	}
	m.diff(exitWarned, []string{"\x1b[31m-replicas: 2\x1b[0m"}, "--color", "always", "deploy/web")
	m.diff(exitWarned, []string{"| `spec.replicas` | `2` | `5` | `kubectl (Update of scale), by its own word: person` | not recorded | `deploy/web.yaml:5` |"}, "-o", "markdown")
	m.diff(exitWarned, []string{filepath.Join(m.folder, "deploy", "web.yaml") + ":5 spec.replicas", "(folder)"}, "-f", m.folder)
	m.diff(exitFailed, []string{"Git declares nothing of that name there"}, "deployment/other")
	if code, out, errs := run("diff", "--kubeconfig", m.c.Kubeconfig(), "--local-git", "-A"); code != exitWarned || !strings.Contains(out, "Deployment/web in "+m.ns) {
		t.Errorf("over all namespaces: exit code %d\n%s%s", code, out, errs)
	}
	if code, _, errs := run("diff", "--kubeconfig", m.c.Kubeconfig(), "-n", m.ns, "--local-git", "--timeout", "1ns"); code != exitFailed || errs == "" {
		t.Errorf("with no time: exit code %d, %s", code, errs)
	}

	var got struct {
		Differ  int
		Sources []struct {
			Objects []struct {
				Cause   string
				Changes []struct {
					Path, Place string
					Git, Live   any
					Masked      bool
					Owner       struct{ Manager, Party string }
				}
			}
		}
	}
	m.ok(json.Unmarshal([]byte(m.diff(exitWarned, nil, "-o", "json")), &got))
	if got.Differ != 1 || len(got.Sources) != 1 || len(got.Sources[0].Objects) != 1 || len(got.Sources[0].Objects[0].Changes) != 3 {
		t.Fatalf("got %+v", got)
	}
	if c := got.Sources[0].Objects[0].Changes[0]; c.Path != "spec.replicas" || c.Git != 2.0 || c.Live != 5.0 || c.Owner.Party != "person" || c.Place != "deploy/web.yaml:5" {
		t.Errorf("got %+v", c)
	}
}

func TestDiffWithFewRightsSaysWhatItCan(t *testing.T) {
	m := newMoored(t, mooredWeb(t))
	m.kubectl(mooredWeb(t), "apply", "-f", "-")
	reader := []rbacv1.PolicyRule{{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"gitsources"}, Verbs: []string{"list"}},
		{APIGroups: []string{"apps"}, Resources: []string{"deployments"}, Verbs: []string{"get"}}}
	who := m.person("reader", reader)
	m.diff(exitFailed, []string{"could not be read: dry run of Deployment/web", "no dry run was possible", "1 could not be read"}, "--kubeconfig", who)
	m.kubectl("", "set", "image", "deployment/web", "app=ghcr.io/acme/web:1.5.0")
	m.diff(exitWarned, []string{"no dry run was possible", "+image: \"ghcr.io/acme/web:1.5.0\"", "who   kubectl-set", "Case  not known: you may not list Cases"}, "--kubeconfig", who)
	blind := m.person("blind", reader[:1])
	m.diff(exitFailed, []string{"could not be read: live Deployment/web"}, "--kubeconfig", blind)
	m.diff(exitFailed, []string{"list GitSources: ", "forbidden"}, "--kubeconfig", m.person("nobody", nil))
}

// TestDiffComparesWhatFluxDelivers has a namespace without a GitSource, which Flux delivers to from another one.
func TestDiffComparesWhatFluxDelivers(t *testing.T) {
	m := newMoored(t, mooredWeb(t))
	m.ok(m.admin.Delete(t.Context(), &v1alpha1.GitSource{ObjectMeta: metav1.ObjectMeta{Namespace: m.ns, Name: "shop"}}))
	m.kubectl(mooredWeb(t), "apply", "--server-side", "--field-manager=kustomize-controller", "-f", "-")
	const kinds = "../../test/scenarios/kinds/flux.yaml"
	m.kubectl("", "apply", "-f", kinds)
	m.kubectl("", "wait", "--for=condition=Established", "--timeout=60s", "-f", kinds)
	program, err := exec.LookPath("git")
	m.ok(err)
	served := httptest.NewServer(&cgi.Handler{Path: program, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + m.folder + "/.git", "GIT_HTTP_EXPORT_ALL=1",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}})
	t.Cleanup(served.Close)
	commit, err := exec.CommandContext(t.Context(), "git", "-C", m.folder, "rev-parse", "HEAD").Output()
	m.ok(err)
	head, flux := strings.TrimSpace(string(commit)), m.c.Namespace(t, nil)
	m.kubectl(fmt.Sprintf(`
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: code, namespace: %[1]s}
spec: {url: %[2]q, ref: {branch: main}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: shop, namespace: %[1]s}
spec: {suspend: true, path: deploy, targetNamespace: %[4]s, sourceRef: {kind: GitRepository, name: code}}
status: {lastAppliedRevision: "main@sha1:%[3]s", inventory: {entries: [{id: %[4]s_web_apps_Deployment, v: v1}]}}
`, flux, served.URL, head, m.ns), "apply", "-n", flux, "-f", "-")
	defer m.kubectl("", "delete", "-f", kinds)
	m.diff(exitOK, []string{"1 object compared; 0 differ or are absent"})
	m.kubectl("", "set", "image", "deployment/web", "app=ghcr.io/acme/web:1.5.0")
	m.diff(exitWarned, []string{"(Kustomization " + flux + "/shop, commit " + head[:12] + ", suspended)", "+image: \"ghcr.io/acme/web:1.5.0\""})
	m.diff(exitWarned, []string{`"source": "kustomization/` + flux + `/shop"`, `"suspended": true`}, "-o", "json")
	m.diff(exitFailed, []string{"not all that Flux and Argo CD deliver is compared", "forbidden"}, "--kubeconfig", m.person("reader",
		[]rbacv1.PolicyRule{{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"gitsources"}, Verbs: []string{"list"}}}))
}

// person is the kubeconfig of an identity with some rights in the namespace.
func (m *moored) person(name string, rules []rbacv1.PolicyRule) string {
	m.t.Helper()
	kubeconfig, err := m.c.ServiceAccountKubeconfig(m.t.Context(), m.ns, name)
	m.ok(err)
	m.ok(m.admin.Create(m.t.Context(), &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: m.ns, Name: name}, Rules: rules}))
	m.ok(m.admin.Create(m.t.Context(), &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: m.ns, Name: name},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: m.ns, Name: name}}}))
	return kubeconfig
}

func TestDiffNamesWhatIsMissing(t *testing.T) {
	m := newMoored(t, mooredWeb(t))
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"no GitSource", []string{"-n", m.c.Namespace(t, nil)}, "there is no GitSource in namespace"},
		{"no such folder", []string{"-f", filepath.Join(m.folder, "gone")}, "could not be read: "},
		{"not of that form", []string{"web"}, "not of the form KIND/NAME"},
		{"two scopes", []string{"-A"}, "goes with neither -n nor -f"},
		{"no such format", []string{"-o", "yaml"}, "--output"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m.t = t
			m.diff(exitFailed, []string{tt.want}, tt.args...)
		})
	}
}
