package webhook

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

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
	followedFor = 25 * time.Second // a rollout is followed, in place of half an hour
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
	if err := cluster.Install(ctx, c.Config(), charts.Files, cluster.InstallOptions{}); err != nil {
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
	return g, errors.Join(g.startWebhook(ctx, t), g.startJudge(ctx, t))
}

// manager is a manager under the identity of a ServiceAccount.
func (g *gatehouse) manager(ctx context.Context, t testing.TB, account string) (ctrl.Manager, error) {
	identity, err := g.c.ServiceAccount(ctx, home, account)
	if err != nil {
		return nil, err
	}
	own := map[string]cluster.Own{"moorgate-webhook": cluster.OwnOfWebhook(), "moorgate-judge": cluster.OwnOfJudge()}
	return ctrl.NewManager(cluster.Guarded(identity, own[account]), ctrl.Options{Scheme: testScheme(t), Metrics: server.Options{BindAddress: "0"}, Cache: cache.Options{DefaultTransform: Slim},
		Controller: config.Controller{SkipNameValidation: new(true)}})
}

func (g *gatehouse) sight(ctx context.Context, mgr ctrl.Manager, prober *SecretProber, nodes *Nodes) (Sight, error) {
	memory := &Memory{}
	err := memory.Watch(ctx, mgr.GetCache())
	return Sight{Now: time.Now, Policy: cluster.Guardrails{Reader: mgr.GetCache(), Now: time.Now}.Policy,
		Look: World{Reader: mgr.GetCache(), Secrets: prober, Nodes: nodes, Memory: memory, Now: time.Now}.Look}, err
}

func (g *gatehouse) startWebhook(ctx context.Context, t testing.TB) error {
	mgr, err := g.manager(ctx, t, "moorgate-webhook")
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	prober := &SecretProber{Ask: ProbeSecret(mgr.GetClient()), Now: time.Now}
	nodes := NewNodes()
	sight, err := g.sight(ctx, mgr, prober, nodes)
	if err != nil {
		return err
	}
	g.handler = &Handler{Sight: sight, Log: g.log, Secrets: prober, Waits: &Waits{Now: time.Now}, Logger: log,
		Queue: NewQueue(cluster.Cases{Client: mgr.GetClient(), Now: time.Now}, 100, log), Own: []string{webhookUser, judgeUser}}
	if err := errors.Join(mgr.Add(prober), mgr.Add(g.handler.Queue)); err != nil {
		return err
	}
	go func() { _ = mgr.Start(context.Background()) }()
	if err := errors.Join(warm(ctx, mgr.GetCache(), nodes), g.up()); err != nil {
		return err
	}
	return Register(ctx, mgr.GetClient(), Registration(RegistrationOptions{URL: "https://" + g.address + Path, CABundle: g.ca,
		Own: g.handler.Own, Namespaces: &metav1.LabelSelector{MatchLabels: map[string]string{guarded: "yes"}}}))
}

func (g *gatehouse) startJudge(ctx context.Context, t testing.TB) error {
	mgr, err := g.manager(ctx, t, "moorgate-judge")
	if err != nil {
		return err
	}
	hand, err := cluster.NewHand(mgr.GetConfig())
	if err != nil {
		return err
	}
	prober := &SecretProber{Ask: ProbeSecret(mgr.GetClient()), Now: time.Now}
	nodes := NewNodes()
	sight, err := g.sight(ctx, mgr, prober, nodes)
	if err != nil {
		return err
	}
	k := Keeper{Sight: sight, Log: g.log, Client: mgr.GetClient(), Events: mgr.GetEventRecorder("moorgate"),
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	if err := errors.Join(mgr.Add(prober), (&Settler{Keeper: k, after: 8 * time.Second}).SetUp(mgr), (&Follower{Keeper: k, window: followedFor}).SetUp(mgr),
		(&Annotator{Keeper: k, Actor: hand, Gate: GateOf(mgr.GetAPIReader(), "")}).SetUp(mgr)); err != nil {
		return err
	}
	go func() { _ = mgr.Start(context.Background()) }()
	return warm(ctx, mgr.GetCache(), nodes)
}

// warm has every informer that an answer is made from begin, and waits until they have seen what there is.
func warm(ctx context.Context, c cache.Cache, nodes *Nodes) error {
	guardrails := &unstructured.Unstructured{}
	guardrails.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Guardrail"))
	_, err := c.GetInformer(ctx, guardrails)
	if err := errors.Join(err, WatchWorld(ctx, c), nodes.Watch(ctx, c)); err != nil {
		return err
	}
	if !c.WaitForCacheSync(ctx) {
		return errors.New("the caches did not fill")
	}
	return nil
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
