package app

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/charts"
	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/gate"
	testcluster "moorgate.dev/test/cluster"
)

func TestMain(m *testing.M) { os.Exit(testcluster.Main(m)) }

// served is a running audit server on a real API server, with a log of its own.
type served struct {
	url    string
	client *http.Client
	kube   kubernetes.Interface
	log    *audit.Log
}

func serveLog(t *testing.T, c *testcluster.Cluster) served {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	log, err := audit.Open(dir, audit.Options{Now: time.Now, Name: "judge"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	kube, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	s := &auditServer{dir: dir, log: log, door: newDoorkeeper(kube, slog.New(slog.DiscardHandler)), logger: slog.New(slog.DiscardHandler)}
	server := httptest.NewTLSServer(s.handler())
	t.Cleanup(server.Close)
	return served{url: server.URL, client: server.Client(), kube: kube, log: log}
}

// account makes a ServiceAccount that may use a path with a verb, and returns its token.
func (s served) account(t *testing.T, c *testcluster.Cluster, namespace, name, verb, path string) string {
	t.Helper()
	config, err := c.ServiceAccount(t.Context(), namespace, name)
	if err != nil {
		t.Fatal(err)
	}
	if verb != "" {
		role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "test-" + namespace + "-" + name}, Rules: []rbacv1.PolicyRule{{NonResourceURLs: []string{path}, Verbs: []string{verb}}}}
		binding := &rbacv1.ClusterRoleBinding{ObjectMeta: role.ObjectMeta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
			Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: namespace, Name: name}}}
		if _, err := s.kube.RbacV1().ClusterRoles().Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.kube.RbacV1().ClusterRoleBindings().Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx := context.WithoutCancel(t.Context())
			_ = s.kube.RbacV1().ClusterRoles().Delete(ctx, role.Name, metav1.DeleteOptions{})
			_ = s.kube.RbacV1().ClusterRoleBindings().Delete(ctx, binding.Name, metav1.DeleteOptions{})
		})
	}
	return config.BearerToken
}

// ask is the status that a request gets once rights have had the time to arrive.
func (s served) ask(t *testing.T, method, path, token string, body []byte, want int) {
	t.Helper()
	got, text := 0, ""
	deadline := time.Now().Add(20 * time.Second)
	for got != want && time.Now().Before(deadline) {
		req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		_, _ = b.ReadFrom(resp.Body)
		_ = resp.Body.Close()
		got, text = resp.StatusCode, b.String()
	}
	if got != want {
		t.Errorf("%s %s: %d %s, want %d", method, path, got, text, want)
	}
}

func TestTheAuditLogIsServedToThoseWhoMayReadIt(t *testing.T) {
	c := testcluster.Shared(t)
	namespace := c.Namespace(t, nil)
	s := serveLog(t, c)
	for _, name := range []string{"shop/a", "shop/b", "shop/a"} {
		if _, err := s.log.Append(t.Context(), gate.Record{Kind: gate.RecordNote, Correlation: name, Text: name}); err != nil {
			t.Fatal(err)
		}
	}
	reader := s.account(t, c, namespace, "reader", "get", auditPath)
	stranger := s.account(t, c, namespace, "stranger", "", "")
	writer := s.account(t, c, namespace, "writer", "post", recordsPath)
	s.ask(t, http.MethodGet, auditPath, "", nil, http.StatusUnauthorized)
	s.ask(t, http.MethodGet, auditPath, "not-a-token", nil, http.StatusUnauthorized)
	s.ask(t, http.MethodGet, auditPath, stranger, nil, http.StatusForbidden)
	s.ask(t, http.MethodGet, auditPath, writer, nil, http.StatusForbidden)
	s.ask(t, http.MethodGet, auditPath, reader, nil, http.StatusOK)
	s.ask(t, http.MethodGet, auditPath+"?from=x", reader, nil, http.StatusBadRequest)
	s.ask(t, http.MethodPost, auditPath, reader, nil, http.StatusForbidden)
	s.ask(t, http.MethodPost, recordsPath, reader, nil, http.StatusForbidden)

	client := &auditClient{http: s.client, token: reader}
	var got []string
	for e, err := range client.entries(t.Context(), s.url, "shop/a") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Record.Text)
	}
	if strings.Join(got, ",") != "shop/a,shop/a" {
		t.Errorf("of shop/a the server tells %v", got)
	}
	for _, err := range (&auditClient{http: s.client, token: stranger}).entries(t.Context(), s.url, "") {
		if err == nil || !strings.Contains(err.Error(), "moorgate-audit-reader") {
			t.Errorf("got %v, want what grants the right", err)
		}
	}
}

func TestRecordsAreTakenFromTheGateOnly(t *testing.T) {
	c := testcluster.Shared(t)
	s := serveLog(t, c)
	webhook := s.account(t, c, c.Namespace(t, nil), "writer", "post", recordsPath)
	line := func(r gate.Record) []byte {
		t.Helper()
		h := newHandoff(nil, doorForTests(t), time.Now, nil)
		if _, err := h.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		b, _ := h.batch()
		return b
	}
	good := line(admission("shop/webhook-web-1"))
	bad := admission("shop/x")
	bad.Signal.Face = gate.FaceRemediate
	for name, body := range map[string][]byte{"another face": line(bad), "an outcome": bytes.Replace(good, []byte(`"verdict"`), []byte(`"outcome"`), 1),
		"a field twice": bytes.Replace(good, []byte(`{"kind"`), []byte(`{"kind":"verdict","kind"`), 1), "no JSON": []byte("hello\n"),
		"too many": bytes.Repeat(good, handedRecords+1)} {
		t.Run(name, func(t *testing.T) { s.ask(t, http.MethodPost, recordsPath, webhook, body, http.StatusBadRequest) })
	}
	s.ask(t, http.MethodPost, recordsPath, webhook, bytes.Repeat(good, 3), http.StatusNoContent)
	if err := s.log.Close(); err != nil {
		t.Fatal(err)
	}
	s.ask(t, http.MethodPost, recordsPath, webhook, good, http.StatusServiceUnavailable)
}

// A log that is cut off on the way must not pass for the whole.
func TestHalfALogIsNoLog(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"position":{"log":"a","sequence":1},"hash":"0000000000000000000000000000000000000000000000000000000000000000","record":{"kind":"note","at":"2026-11-26T00:00:00Z"}}` + "\n"))
	}))
	defer s.Close()
	n, last := 0, error(nil)
	for _, err := range (&auditClient{http: s.Client(), token: "x"}).entries(t.Context(), s.URL, "") {
		if last = err; err == nil {
			n++
		}
	}
	if n != 1 || last == nil || !strings.Contains(last.Error(), "ends before its end") {
		t.Errorf("%d entries, then %v", n, last)
	}
}

// What the cluster remembers of a log shows one that was set back.
func TestALogThatWasSetBackIsNotStartedWith(t *testing.T) {
	_, api := installedOn(t)
	dir, copied := t.TempDir()+"/log", t.TempDir()+"/copy"
	discard := slog.New(slog.DiscardHandler)
	open := func() *anchoring {
		t.Helper()
		log, err := openLog(t.Context(), dir, audit.Options{Now: time.Now, Name: "judge"}, discard)
		if err != nil {
			t.Fatal(err)
		}
		return &anchoring{log: log, anchors: cluster.Anchors{Client: api}, logger: discard}
	}
	write := func(a *anchoring, n int) {
		t.Helper()
		for range n {
			if _, err := a.log.Append(t.Context(), gate.Record{Kind: gate.RecordVerification, Text: "x"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.log.close(); err != nil {
			t.Fatal(err)
		}
		if err := a.remember(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	write(open(), 3)
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	again := open()
	if err := again.hold(t.Context()); err != nil {
		t.Fatalf("a log that goes on: %v", err)
	}
	write(again, 2)
	for _, way := range []func(string) error{os.RemoveAll, func(d string) error { return os.CopyFS(d, os.DirFS(copied)) }, func(d string) error { return os.Chmod(d, 0o700) }} {
		if err := way(dir); err != nil {
			t.Fatal(err)
		}
	}
	if err := open().hold(t.Context()); err == nil || !strings.Contains(err.Error(), "is not what the cluster remembers of it") {
		t.Errorf("a log that was set back: %v", err)
	}
}

// installedOn is a cluster on which Moorgate is installed, and an administrator's way to it.
func installedOn(t *testing.T) (*testcluster.Cluster, client.Client) {
	t.Helper()
	c := testcluster.Shared(t)
	if err := cluster.Install(t.Context(), c.Config(), charts.Files, cluster.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	s, err := scheme()
	if err != nil {
		t.Fatal(err)
	}
	api, err := client.New(c.Config(), client.Options{Scheme: s})
	if err != nil {
		t.Fatal(err)
	}
	return c, api
}
