package probe

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"moorgate.dev/internal/gate"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// onLoopback lets a test's own sockets be dialled, which nothing outside of this package can.
func onLoopback(ip netip.Addr, private bool) error {
	if ip.Unmap().IsLoopback() {
		return nil
	}
	return Permit(ip, private)
}

func leads(to ...string) func(context.Context, string) ([]netip.Addr, error) {
	return func(context.Context, string) ([]netip.Addr, error) {
		var all []netip.Addr
		for _, a := range to {
			all = append(all, netip.MustParseAddr(a))
		}
		return all, nil
	}
}

func prober(entries ...Entry) *Prober {
	p := New(List{Probes: entries}, func() time.Time { return noon }, func() float64 { return 0 }, slog.New(slog.DiscardHandler))
	p.permit, p.resolve = onLoopback, leads("127.0.0.1")
	return p
}

func entry(port int) Entry {
	e := Entry{Name: "api", Host: "api.example.com", Port: port, Namespaces: []string{"shop"}}
	e.Every.Duration = usualEvery
	return e
}

func portOf(t *testing.T, address net.Addr) int {
	t.Helper()
	return int(netip.MustParseAddrPort(address.String()).Port())
}

func asked(p *Prober) gate.Fact[State] {
	p.ask(context.Background(), p.list.Probes[0])
	return p.State("shop", "api")
}

func serving(t *testing.T, h http.HandlerFunc) Entry {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	e := entry(portOf(t, s.Listener.Addr()))
	e.HTTP = &Get{Path: "/healthz"}
	return e
}

func TestL26AProbeOfOneNamespaceDoesNotServeAnother(t *testing.T) {
	p := prober(serving(t, func(http.ResponseWriter, *http.Request) {}))
	if s, known := asked(p).Get(); !known || s.Failed != "" || !s.At.Equal(noon) {
		t.Fatalf("%+v %v", s, known)
	}
	other, none := p.State("other", "api"), p.State("other", "none")
	if _, known := other.Get(); known || other.Why() != none.Why() {
		t.Errorf("another namespace is told %q, and of what does not exist %q", other.Why(), none.Why())
	}
}

func TestL26AddressesThatAreNeverProbed(t *testing.T) {
	for address, want := range map[string]struct{ open, private bool }{
		"93.184.216.34": {true, true}, "2606:2800:220:1::1": {true, true}, "10.1.2.3": {false, true}, "192.168.1.1": {false, true},
		"172.16.0.1": {false, true}, "100.64.0.1": {false, true}, "fd12::1": {false, true}, "127.0.0.1": {}, "::1": {}, "169.254.169.254": {},
		"169.254.1.1": {}, "fe80::1": {}, "fe80::1%eth0": {}, "fd00:ec2::254": {}, "100.100.100.200": {}, "168.63.129.16": {}, "0.0.0.0": {}, "::": {},
		"224.0.0.1": {}, "ff02::1": {}, "255.255.255.255": {}, "::ffff:169.254.169.254": {}, "::ffff:127.0.0.1": {}, "64:ff9b::a9fe:a9fe": {}, "2002:a9fe:a9fe::1": {},
	} {
		ip := netip.MustParseAddr(address)
		if open, private := Permit(ip, false) == nil, Permit(ip, true) == nil; open != want.open || private != want.private {
			t.Errorf("%s: %v, and %v where private is allowed", address, open, private)
		}
	}
	if Permit(netip.Addr{}, true) == nil {
		t.Error("no address is allowed")
	}
}

func TestL26NamesThatLeadToMetadataAreRefusedAfterDNS(t *testing.T) {
	for _, address := range []string{"169.254.169.254", "fd00:ec2::254", "100.100.100.200", "fe80::1", "10.0.0.1", "::ffff:169.254.169.254"} {
		p := prober(entry(80))
		p.resolve = leads("127.0.0.1", address)
		if fact := asked(p); fact.Why() != errAddress.Error() {
			t.Errorf("%s: %+v", address, fact)
		}
	}
}

func TestL26TheAddressIsLookedAtAgainAsItIsDialled(t *testing.T) {
	var reached, looks atomic.Int32
	p := prober(serving(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	p.permit = func(ip netip.Addr, private bool) error {
		if looks.Add(1) == 1 {
			return nil // what was resolved first looked well
		}
		return Permit(ip, private)
	}
	if fact := asked(p); fact.Why() != errAddress.Error() || reached.Load() != 0 || looks.Load() < 2 {
		t.Errorf("%+v, reached %d times, looked at %d times", fact, reached.Load(), looks.Load())
	}
}

func TestL26ARedirectIsNotFollowed(t *testing.T) {
	var second atomic.Int32
	e := serving(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			second.Add(1)
		}
		w.Header().Set("Location", "/latest/meta-data")
		w.WriteHeader(http.StatusFound)
	})
	p := prober(e)
	if s, known := asked(p).Get(); !known || s.Failed != "HTTP: status 302" || second.Load() != 0 {
		t.Errorf("%+v, %d requests more", s, second.Load())
	}
}

func TestL26NothingThatProvesWhoAsksIsSent(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	var header http.Header
	var host string
	p := prober(serving(t, func(w http.ResponseWriter, r *http.Request) {
		header, host = r.Header.Clone(), r.Host
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
	}))
	for range 2 {
		if s, known := asked(p).Get(); !known || s.Failed != "" {
			t.Fatalf("%+v", s)
		}
	}
	for name := range header {
		if name != "User-Agent" && name != "Connection" {
			t.Errorf("%s was sent: %q", name, header[name])
		}
	}
	if header.Get("User-Agent") != "moorgate" || !strings.HasPrefix(host, "api.example.com:") {
		t.Errorf("%v to %s", header, host)
	}
}

func TestWhatFailsIsToldApart(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	status := func(code int) Entry {
		return serving(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
	teapot := status(http.StatusTeapot)
	teapot.HTTP.Status = []int{http.StatusTeapot}
	plain := status(http.StatusOK)
	plain.TLS = true
	for name, tt := range map[string]struct {
		entry   Entry
		resolve func(context.Context, string) ([]netip.Addr, error)
		want    string
	}{
		"all is well":            {entry: status(http.StatusNoContent)},
		"a status that is meant": {entry: teapot},
		"another status":         {entry: status(http.StatusServiceUnavailable), want: "HTTP: status 503"},
		"nobody listens":         {entry: entry(portOf(t, closed.Addr())), want: "TCP: refused"},
		"no handshake":           {entry: plain, want: "TLS: the handshake failed"},
		"no such name": {entry: entry(80), want: "DNS: no such host", resolve: func(context.Context, string) ([]netip.Addr, error) {
			return nil, &net.DNSError{IsNotFound: true}
		}},
		"no answer to the name": {entry: entry(80), want: "DNS: no answer in time", resolve: func(context.Context, string) ([]netip.Addr, error) {
			return nil, context.DeadlineExceeded
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := prober(tt.entry)
			if tt.resolve != nil {
				p.resolve = tt.resolve
			}
			if s, known := asked(p).Get(); !known || s.Failed != tt.want {
				t.Errorf("%q %v, want %q", s.Failed, known, tt.want)
			}
		})
	}
}

// certificate is one that signs itself.
func certificate(t *testing.T, name string, until time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: noon.Add(-48 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestFailuresOfCertificatesAreToldApart(t *testing.T) {
	for name, tt := range map[string]struct {
		host  string
		until time.Time
		known bool
		want  string
	}{
		"sound":            {"api.example.com", noon.Add(time.Hour), true, ""},
		"expired":          {"api.example.com", noon.Add(-time.Hour), true, "TLS: the certificate has expired, or is not valid yet"},
		"for another name": {"other.example.com", noon.Add(time.Hour), true, "TLS: the certificate is for another name"},
		"of a stranger":    {"api.example.com", noon.Add(time.Hour), false, "TLS: nobody known has signed the certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			cert, pool := certificate(t, tt.host, tt.until)
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
			s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
			s.StartTLS()
			defer s.Close()
			e := entry(portOf(t, s.Listener.Addr()))
			e.TLS, e.HTTP = true, &Get{Path: "/"}
			p := prober(e)
			p.roots = x509.NewCertPool()
			if tt.known {
				p.roots = pool
			}
			if got, known := asked(p).Get(); !known || got.Failed != tt.want {
				t.Errorf("%q %v, want %q", got.Failed, known, tt.want)
			}
		})
	}
}

func TestWhatAHostSaysIsNeverReadWholeNorTold(t *testing.T) {
	e := serving(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("secret", 2000))
		w.WriteHeader(http.StatusOK)
	})
	s, known := asked(prober(e)).Get()
	if !known || s.Failed != "HTTP: no answer that makes sense" {
		t.Errorf("%+v", s)
	}
}

func TestAnOldAnswerIsNoAnswer(t *testing.T) {
	p := prober(serving(t, func(http.ResponseWriter, *http.Request) {}))
	if why := p.State("shop", "api").Why(); why != "it was not probed yet" {
		t.Errorf("%q", why)
	}
	asked(p)
	p.now = func() time.Time { return noon.Add(time.Hour) }
	if why := p.State("shop", "api").Why(); why != "it was not probed lately" {
		t.Errorf("%q", why)
	}
}

func TestProbesRunInTheBackgroundUntilTheEnd(t *testing.T) {
	reached := make(chan struct{}, 9)
	p := prober(serving(t, func(http.ResponseWriter, *http.Request) { reached <- struct{}{} }))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Start(ctx) }()
	<-reached
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestTheListIsReadStrictly(t *testing.T) {
	good := "probes:\n- {name: payments-api, host: api.example.com, port: 443, tls: true, http: {path: /healthz, status: [200, 204]}, every: 30s, namespaces: [shop]}\nacross:\n- {from: shop, to: payments}\n"
	for name, tt := range map[string]struct{ old, new, want string }{
		"as it should be":   {},
		"an unknown field":  {"tls:", "tsl:", "tsl"},
		"a name with space": {"payments-api", "'payments api'", "name is no"},
		"no host":           {"host: api.example.com", "host: ''", "host is neither"},
		"a URL as host":     {"host: api.example.com", "host: 'http://x'", "host is neither"},
		"no port":           {"port: 443", "port: 0", "port is none"},
		"too often":         {"every: 30s", "every: 1s", "every is under"},
		"nobody is told":    {"namespaces: [shop]", "namespaces: []", "namespaces names nobody"},
		"a path with lines": {"path: /healthz", `path: "/a\r\nX: y"`, "http.path does not"},
		"a query":           {"path: /healthz", "path: '/a?token=b'", "http.path holds a query"},
		"a redirect is ok":  {"204", "302", ""},
		"a strange status":  {"204", "99", "http.status holds"},
		"any way":           {"to: payments", "to: '*'", "across"},
		"a key twice":       {"port: 443", "port: 443, port: 80", "port"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "probes.yaml")
			if err := os.WriteFile(file, []byte(strings.Replace(good, tt.old, tt.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			l, err := ReadList(file)
			if tt.want == "" && (err != nil || len(l.Probes) != 1) || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%+v, %v", l, err)
			}
		})
	}
	twice := List{Probes: []Entry{entry(1), entry(2)}}
	if err := twice.Check(); err == nil {
		t.Error("two entries of one name are taken")
	}
}
