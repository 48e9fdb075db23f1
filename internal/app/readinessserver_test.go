package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	testcluster "moorgate.dev/test/cluster"
	"moorgate.dev/webhook"
	"moorgate.dev/webhook/checks"
)

// tenant is a namespace with somebody who may get its Cases, and nothing else.
func tenant(t *testing.T, s served, c *testcluster.Cluster, api client.Client) (namespace, token string) {
	t.Helper()
	namespace = c.Namespace(t, nil)
	token = s.account(t, c, namespace, "delivery", "", "")
	entitle(t, api, namespace, "delivery", rbacv1.PolicyRule{APIGroups: []string{"moorgate.dev"}, Resources: []string{"cases"}, Verbs: []string{"get"}})
	return namespace, token
}

func serveReadiness(t *testing.T) (served, *testcluster.Cluster, client.Client) {
	t.Helper()
	c, api := installedOn(t)
	kube, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	keeper := &webhook.Keeper{Client: api, Kinds: webhook.EveryKind(nil)}
	s := &auditServer{door: newDoorkeeper(kube, quiet), logger: quiet, readiness: &readinessServer{of: keeper.Readiness, kinds: webhook.EveryKind(nil), logger: quiet}}
	server := httptest.NewTLSServer(s.handler())
	t.Cleanup(server.Close)
	return served{url: server.URL, client: server.Client(), kube: kube}, c, api
}

// judged makes a Deployment and the Case of its admission.
func judged(t *testing.T, api client.Client, namespace string) *appsv1.Deployment {
	t.Helper()
	d := &appsv1.Deployment{}
	if err := yaml.Unmarshal([]byte(deployment(t, "namespace: shop", "namespace: "+namespace)), d); err != nil {
		t.Fatal(err)
	}
	if err := api.Create(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	w, err := checks.FromObject(d)
	if err != nil {
		t.Fatal(err)
	}
	hash := checks.Hash(w.Template)
	signal := gate.Signal{Face: gate.FaceWebhook, Reason: "Create", Key: hash, At: time.Now(), Subject: w.Ref}
	said := &v1alpha1.Answer{Said: webhook.Admitted, Opinion: v1alpha1.Opinion{Decision: "Allow", Score: new(int32(88)), Confidence: new(int32(91)),
		Findings: []v1alpha1.Finding{{ID: "image-tag", Text: "image without tag", Points: 12}}}}
	if _, _, err := (cluster.Cases{Client: api, Now: time.Now}).Open(t.Context(), signal, said, map[string]string{v1alpha1.LabelTemplate: hash}); err != nil {
		t.Fatal(err)
	}
	return d
}

func (s served) get(t *testing.T, path, token string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	content, _ := io.ReadAll(resp.Body)
	var got map[string]any
	if err := json.Unmarshal(content, &got); err != nil {
		t.Fatalf("%s: %d %q is no JSON: %v", path, resp.StatusCode, content, err)
	}
	return resp.StatusCode, got
}

func TestReadinessIsToldToThoseWhoMayGetItsCases(t *testing.T) {
	s, c, api := serveReadiness(t)
	mine, token := tenant(t, s, c, api)
	theirs, _ := tenant(t, s, c, api)
	d := judged(t, api, mine)
	judged(t, api, theirs)
	stranger := s.account(t, c, mine, "stranger", "", "")
	path := readinessPath + mine + "/deployment/web"
	s.ask(t, http.MethodGet, path, "", nil, http.StatusUnauthorized)
	s.ask(t, http.MethodGet, path, "not-a-token", nil, http.StatusUnauthorized)
	s.ask(t, http.MethodGet, path, stranger, nil, http.StatusForbidden)
	s.ask(t, http.MethodGet, readinessPath+theirs+"/deployment/web", token, nil, http.StatusForbidden)
	for _, kind := range []string{"deployment", "Deployment", "deployments", "DEPLOYMENTS"} {
		s.ask(t, http.MethodGet, readinessPath+mine+"/"+kind+"/web", token, nil, http.StatusOK)
	}
	_, got := s.get(t, path, token)
	findings, _ := got["findings"].([]any)
	if got["score"] != 88.0 || got["confidence"] != 91.0 || got["verdict"] != "Allow" || got["answer"] != "Admitted" || got["template"] == "" || got["case"] == "" || len(findings) != 1 {
		t.Errorf("%v", got)
	}
	t.Run("what nobody judged is not found", func(t *testing.T) {
		for _, path := range []string{mine + "/deployment/other", mine + "/statefulset/web"} {
			if code, got := s.get(t, readinessPath+path, token); code != http.StatusNotFound || !strings.Contains(got["error"].(string), "no Case speaks for") {
				t.Errorf("%s: %d %v", path, code, got)
			}
		}
	})
	t.Run("a path that names no workload is not found", func(t *testing.T) {
		for _, path := range []string{"", mine, mine + "/deployment", mine + "/deployment/web/x", mine + "/configmap/web", mine + "/deployment/Web_", "%2e%2e/deployment/web",
			"%20/deployment/web", "a%2fb/deployment/web", mine + "/deployment/" + strings.Repeat("a", 300), mine + "/deployment/%00"} {
			if code, got := s.get(t, readinessPath+path, token); code != http.StatusNotFound || !strings.Contains(got["error"].(string), "nothing here") {
				t.Errorf("%q: %d %v", path, code, got)
			}
		}
	})
	s.ask(t, http.MethodPost, path, token, nil, http.StatusNotFound)
	s.ask(t, http.MethodGet, auditPath, token, nil, http.StatusForbidden)
	newer := client.RawPatch(types.JSONPatchType, []byte(`[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"ghcr.io/acme/web:1.4.3"}]`))
	if err := api.Patch(t.Context(), d, newer); err != nil {
		t.Fatal(err)
	}
	if code, got := s.get(t, path, token); code != http.StatusNotFound {
		t.Errorf("a template that no Case speaks for: %d %v", code, got)
	}
}

func TestReadinessThatCannotBeLookedUpIsNoAnswer(t *testing.T) {
	s := &readinessServer{logger: slog.New(slog.DiscardHandler), of: func(context.Context, schema.GroupVersionKind, client.ObjectKey) (*webhook.Readiness, error) {
		return nil, errors.New("no cache yet")
	}}
	w := httptest.NewRecorder()
	s.tell(w, httptest.NewRequest(http.MethodGet, readinessPath, nil))
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "cache") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestAskingAheadTakesTheRightToPatch asks as somebody who may patch in one namespace, and as others.
func TestAskingAheadTakesTheRightToPatch(t *testing.T) {
	c, api := installedOn(t)
	kube, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	var said webhook.Asked
	var fails error
	var who, body string
	s := &auditServer{door: newDoorkeeper(kube, quiet), logger: quiet, readiness: &readinessServer{kinds: webhook.EveryKind(nil), logger: quiet,
		ahead: func(_ context.Context, kind schema.GroupVersionKind, key client.ObjectKey, raw []byte, user string) (webhook.Asked, error) {
			who, body = user, kind.Kind+" "+key.String()+" "+string(raw)
			return said, fails
		}}}
	server := httptest.NewTLSServer(s.handler())
	t.Cleanup(server.Close)
	asks := served{url: server.URL, client: server.Client(), kube: kube}
	mine, theirs := c.Namespace(t, nil), c.Namespace(t, nil)
	token, reader := asks.account(t, c, mine, "author", "", ""), asks.account(t, c, mine, "reader", "", "")
	entitle(t, api, mine, "author", rbacv1.PolicyRule{APIGroups: []string{"apps"}, Resources: []string{"deployments"}, Verbs: []string{"patch"}})
	entitle(t, api, mine, "reader", rbacv1.PolicyRule{APIGroups: []string{"moorgate.dev"}, Resources: []string{"cases"}, Verbs: []string{"get"}},
		rbacv1.PolicyRule{APIGroups: []string{"apps"}, Resources: []string{"deployments"}, Verbs: []string{"get", "list"}})
	path := readinessPath + mine + "/deployment/web"
	asks.ask(t, http.MethodPost, path, "", nil, http.StatusUnauthorized)
	asks.ask(t, http.MethodPost, path, reader, nil, http.StatusForbidden)
	asks.ask(t, http.MethodPost, readinessPath+theirs+"/deployment/web", token, nil, http.StatusForbidden)
	asks.ask(t, http.MethodPost, readinessPath+mine+"/statefulset/web", token, nil, http.StatusForbidden)
	asks.ask(t, http.MethodPost, readinessPath+mine+"/configmap/web", token, nil, http.StatusNotFound)
	if body != "" {
		t.Fatalf("somebody came through: %s", body)
	}
	said.State = webhook.AheadHeard
	asks.ask(t, http.MethodPost, path, token, []byte("{}"), http.StatusOK)
	if who != "system:serviceaccount:"+mine+":author" || body != "Deployment "+mine+"/web {}" {
		t.Errorf("%s asked %s", who, body)
	}
	asks.ask(t, http.MethodPost, path, token, make([]byte, aheadBytes+1), http.StatusRequestEntityTooLarge)
	for status, err := range map[int]error{http.StatusBadRequest: webhook.ErrUnfit, http.StatusTooManyRequests: webhook.ErrTooMany, http.StatusServiceUnavailable: errors.New("no cache yet")} {
		fails = err
		asks.ask(t, http.MethodPost, path, token, nil, status)
	}
	said.State, fails = webhook.AheadAsked, nil
	asks.ask(t, http.MethodPost, path, token, nil, http.StatusAccepted)
}

// entitle gives a ServiceAccount rights in its namespace.
func entitle(t *testing.T, api client.Client, namespace, name string, rules ...rbacv1.PolicyRule) {
	t.Helper()
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Rules: rules}
	binding := &rbacv1.RoleBinding{ObjectMeta: role.ObjectMeta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: namespace, Name: name}}}
	if err := errors.Join(api.Create(t.Context(), role), api.Create(t.Context(), binding)); err != nil {
		t.Fatal(err)
	}
}

func TestReviewAsksHostsOutsideOnce(t *testing.T) {
	c, _ := installedOn(t)
	ns := c.Namespace(t, nil)
	manifest := deployment(t, "namespace: shop}", "namespace: "+ns+", annotations: {moorgate.dev/depends-on: external/payments}}")
	list := write(t, "probes.yaml", "probes:\n- {name: payments, host: 127.0.0.1, port: 1, namespaces: ["+ns+"]}\n")
	code, out, errs := run("review", "-f", write(t, "d.yaml", manifest), "--kubeconfig", c.Kubeconfig(), "--probes", list)
	if code != exitOK || !strings.Contains(out, "its name leads to an address that may not be probed") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

func TestReviewSaysWhatGoesTogether(t *testing.T) {
	file := write(t, "d.yaml", deployment(t, "namespace: shop", "namespace: shop"))
	for _, tt := range []struct {
		want string
		args []string
	}{
		{"give --server with --warm", []string{"--warm"}},
		{"goes with neither --offline nor --model", []string{"--warm", "--offline", "--server", "https://127.0.0.1:1"}},
		{"only --warm asks a running Moorgate", []string{"--offline", "--server", "https://127.0.0.1:1"}},
		{"--offline nobody", []string{"--offline", "--probes", file}},
	} {
		if code, out, errs := run(append([]string{"review", "-f", file}, tt.args...)...); code != exitFailed || !strings.Contains(errs, tt.want) {
			t.Errorf("%v: exit %d: %s%s", tt.args, code, out, errs)
		}
	}
}
