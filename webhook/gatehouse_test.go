package webhook

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-logr/logr"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
	"sigs.k8s.io/yaml"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	testcluster "moorgate.dev/test/cluster"
)

const (
	home        = "moorgate-system"
	guarded     = "moorgate.dev/test-guarded" // the label of namespaces that the gate watches in these tests
	webhookUser = "system:serviceaccount:" + home + ":moorgate-webhook"
	judgeUser   = "system:serviceaccount:" + home + ":moorgate-judge"
	patience    = 90 * time.Second
)

// gatehouse is the webhook and the judge, each under its own identity with nothing but its own rights, before a real API
// server. All tests of this process share one; each has its own namespaces and Guardrails.
type gatehouse struct {
	c       *testcluster.Cluster
	admin   client.Client
	handler *Handler
	log     *ledger
	tls     tls.Certificate
	ca      []byte
	address string

	mu     sync.Mutex
	server *http.Server
	asked  map[string]int // by namespace/name
}

var shared struct {
	sync.Mutex
	house *gatehouse
	err   error
}

func watchedGate(t testing.TB) *gatehouse {
	t.Helper()
	c := testcluster.Shared(t)
	shared.Lock()
	defer shared.Unlock()
	if shared.house == nil && shared.err == nil {
		shared.house, shared.err = newGatehouse(t, c)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.house
}

func newGatehouse(t testing.TB, c *testcluster.Cluster) (*gatehouse, error) {
	ctrl.SetLogger(logr.FromSlogHandler(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	g := &gatehouse{c: c, log: &ledger{}, asked: map[string]int{}}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := cluster.Install(ctx, c.Config(), mended(charts.Files), cluster.InstallOptions{}); err != nil {
		return nil, err
	}
	var err error
	if g.admin, err = client.New(c.Config(), client.Options{Scheme: testScheme(t)}); err != nil {
		return nil, err
	}
	if err := g.certify(); err != nil {
		return nil, err
	}
	// They run until the process ends: no test owns them.
	return g, errors.Join(g.startWebhook(t, ctx), g.startJudge(t, ctx))
}

// manager is a manager under the identity of a ServiceAccount.
func (g *gatehouse) manager(t testing.TB, ctx context.Context, account string) (ctrl.Manager, error) {
	identity, err := g.c.ServiceAccount(ctx, home, account)
	if err != nil {
		return nil, err
	}
	return ctrl.NewManager(identity, ctrl.Options{Scheme: testScheme(t), Metrics: server.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: new(true)}})
}

func (g *gatehouse) sight(mgr ctrl.Manager, prober *SecretProber, nodes *Nodes) Sight {
	return Sight{Now: time.Now, Policy: cluster.Guardrails{Reader: mgr.GetCache()}.Policy,
		Look: World{Reader: mgr.GetCache(), Secrets: prober, Nodes: nodes, Now: time.Now}.Look}
}

func (g *gatehouse) startWebhook(t testing.TB, ctx context.Context) error {
	mgr, err := g.manager(t, ctx, "moorgate-webhook")
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	prober := &SecretProber{Ask: ProbeSecret(mgr.GetClient()), Now: time.Now}
	nodes := NewNodes()
	g.handler = &Handler{Sight: g.sight(mgr, prober, nodes), Log: g.log, Secrets: prober, Waits: &Waits{Now: time.Now}, Logger: log,
		Queue: NewQueue(cluster.Cases{Client: mgr.GetClient(), Now: time.Now}, 100, log), Own: []string{webhookUser, judgeUser}}
	if err := errors.Join(mgr.Add(prober), mgr.Add(g.handler.Queue)); err != nil {
		return err
	}
	go func() { _ = mgr.Start(context.Background()) }()
	if err := errors.Join(Warm(ctx, mgr.GetCache()), nodes.Watch(ctx, mgr.GetCache())); err != nil {
		return err
	}
	if err := g.up(); err != nil {
		return err
	}
	return Register(ctx, mgr.GetClient(), Registration(RegistrationOptions{URL: "https://" + g.address + Path, CABundle: g.ca,
		Own: g.handler.Own, Namespaces: &metav1.LabelSelector{MatchLabels: map[string]string{guarded: "yes"}}}))
}

func (g *gatehouse) startJudge(t testing.TB, ctx context.Context) error {
	if err := g.letJudgeSeeTheGate(ctx); err != nil {
		return err
	}
	mgr, err := g.manager(t, ctx, "moorgate-judge")
	if err != nil {
		return err
	}
	prober := &SecretProber{Ask: ProbeSecret(mgr.GetClient()), Now: time.Now}
	nodes := NewNodes()
	k := Keeper{Sight: g.sight(mgr, prober, nodes), Log: g.log, Client: mgr.GetClient(), Events: mgr.GetEventRecorder("moorgate"),
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	if err := errors.Join(mgr.Add(prober), (&Settler{Keeper: k}).SetUp(mgr),
		(&Annotator{Keeper: k, Gate: GateOf(mgr.GetAPIReader(), "")}).SetUp(mgr)); err != nil {
		return err
	}
	go func() { _ = mgr.Start(context.Background()) }()
	return errors.Join(Warm(ctx, mgr.GetCache()), nodes.Watch(ctx, mgr.GetCache()))
}

// letJudgeSeeTheGate grants the judge to read the registration, which it needs to know what could slip through.
func (g *gatehouse) letJudgeSeeTheGate(ctx context.Context) error {
	name := metav1.ObjectMeta{Name: "moorgate-judge-reads-the-registration"}
	role := &rbacv1.ClusterRole{ObjectMeta: name, Rules: []rbacv1.PolicyRule{{APIGroups: []string{"admissionregistration.k8s.io"},
		Resources: []string{"validatingwebhookconfigurations"}, ResourceNames: []string{RegistrationName}, Verbs: []string{"get"}}}}
	binding := &rbacv1.ClusterRoleBinding{ObjectMeta: name, RoleRef: rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: name.Name},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: home, Name: "moorgate-judge"}}}
	return errors.Join(client.IgnoreAlreadyExists(g.admin.Create(ctx, role)), client.IgnoreAlreadyExists(g.admin.Create(ctx, binding)))
}

// up has the webhook answer, on the same port as before.
func (g *gatehouse) up() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.address == "" {
		g.address = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", g.address)
	if err != nil {
		return err
	}
	g.address = listener.Addr().String()
	mux := http.NewServeMux()
	mux.Handle(Path, &admission.Webhook{Handler: admission.HandlerFunc(func(ctx context.Context, req admission.Request) admission.Response {
		g.mu.Lock()
		g.asked[req.Namespace+"/"+req.Name]++
		g.mu.Unlock()
		return g.handler.Handle(ctx, req)
	})})
	g.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Second, TLSConfig: &tls.Config{Certificates: []tls.Certificate{g.tls}, MinVersion: tls.VersionTLS13}}
	served := g.server
	go func() { _ = served.ServeTLS(listener, "", "") }()
	return nil
}

func (g *gatehouse) down() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.server.Close()
}

func (g *gatehouse) times(namespace, name string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked[namespace+"/"+name]
}

// certify makes a certificate for the loopback address, which vouches for itself.
func (g *gatehouse) certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "moorgate test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	g.tls = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	g.ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return nil
}

// place makes a namespace that the gate watches, under a Guardrail of its own, and waits until both faces know it.
func (g *gatehouse) place(t *testing.T, spec v1alpha1.GuardrailSpec) string {
	t.Helper()
	ns := g.c.Namespace(t, map[string]string{guarded: "yes"})
	spec.NamespaceSelector = v1alpha1.Selector{MatchLabels: map[string]v1alpha1.LabelValue{"kubernetes.io/metadata.name": v1alpha1.LabelValue(ns)}}
	rule := &v1alpha1.Guardrail{ObjectMeta: metav1.ObjectMeta{Name: ns}, Spec: spec}
	if err := g.admin.Create(t.Context(), rule); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.admin.Delete(context.Background(), rule) })
	eventually(t, "the Guardrail is known", func() error {
		p, err := g.handler.Policy(t.Context(), ns)
		if err == nil && p.Rails[0].Name != ns {
			err = errors.New("not yet")
		}
		return err
	})
	return ns
}

// guardrail is a Guardrail with an admission mode and the usual thresholds.
func guardrail(mode string) v1alpha1.GuardrailSpec {
	return v1alpha1.GuardrailSpec{Admission: v1alpha1.Admission{Mode: mode},
		Thresholds: v1alpha1.Thresholds{WarnBelow: new(int32(80)), DenyBelow: new(int32(50)), ConfidenceBelow: new(int32(10))}}
}

// kubectl runs kubectl as an admin, with files given by name and content in its folder, and returns all that it said.
func (g *gatehouse) kubectl(t *testing.T, files map[string]string, args ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := g.c.Kubectl(ctx, args...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// manifest is an object as a file.
func manifest(t *testing.T, obj any) string {
	t.Helper()
	b, err := yaml.Marshal(obj)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// eventually polls until what is promised holds.
func eventually(t *testing.T, what string, holds func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := holds()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// caseOf waits for the Case of a workload with that answer, with its status written.
func (g *gatehouse) caseOf(t *testing.T, ns, workload, said string) v1alpha1.Case {
	t.Helper()
	var found v1alpha1.Case
	eventually(t, "a Case of "+workload+" that says "+said, func() error {
		cases, err := g.cases(t, ns)
		if err != nil {
			return err
		}
		var seen []string
		for _, c := range cases {
			seen = append(seen, c.Spec.Subject.Name+"="+c.Spec.Answer.Said+"/"+c.Status.Answer)
			if c.Spec.Subject.Name == workload && c.Spec.Answer.Said == said && c.Status.Answer == said {
				found = c
				return nil
			}
		}
		return errors.New("only " + strings.Join(seen, ", "))
	})
	return found
}

func (g *gatehouse) cases(t *testing.T, ns string) ([]v1alpha1.Case, error) {
	t.Helper()
	var list v1alpha1.CaseList
	err := g.admin.List(t.Context(), &list, client.InNamespace(ns))
	return list.Items, err
}

func unstructuredOf(t *testing.T, obj client.Object) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	b, err := yaml.Marshal(obj)
	if err == nil {
		err = yaml.Unmarshal(b, &u.Object)
	}
	if err != nil {
		t.Fatal(err)
	}
	unstructured.RemoveNestedField(u.Object, "status")
	return u
}

// mended is TEMPORARY.
func mended(files fs.FS) fs.FS {
	m := fstest.MapFS{}
	_ = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			b, _ := fs.ReadFile(files, name)
			m[name] = &fstest.MapFile{Data: bytes.ReplaceAll(b, []byte("rule: self.denyBelow <= self.warnBelow"), []byte("rule: '!has(self.denyBelow) || !has(self.warnBelow) || self.denyBelow <= self.warnBelow'"))}
		}
		return err
	})
	return m
}
