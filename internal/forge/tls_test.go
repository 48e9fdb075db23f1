package forge

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{t: t}
	a.cert, a.key = a.sign(&x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

func (a authority) sign(c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber, c.Subject = big.NewInt(1), pkix.Name{CommonName: "planted"}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := c, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	b, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(b); err != nil {
		a.t.Fatal(err)
	}
	return c, key
}

func asPEM(t *testing.T, c *x509.Certificate, key *ecdsa.PrivateKey) (certificate, private string) {
	t.Helper()
	b, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b}))
}

// TestReadFromAServerOfOnesOwn has a server whose certificate an authority of its own has signed, and that wants to be shown one.
func TestReadFromAServerOfOnesOwn(t *testing.T) {
	r := newRepo(t)
	commit := r.commit(map[string]string{"web.yaml": "a: 1\n"})
	fetches := 0
	at, err := url.Parse(r.serve(&fetches))
	r.ok(err)
	ours, others := newAuthority(t), newAuthority(t)
	cert, key := ours.sign(&x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	s := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(at))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool()}
	s.TLS.ClientCAs.AddCert(ours.cert)
	s.StartTLS()
	t.Cleanup(s.Close)
	shown, shownKey := ours.sign(&x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	mine, private := asPEM(t, shown, shownKey)
	pool, _ := asPEM(t, ours.cert, ours.key)
	otherPool, _ := asPEM(t, others.cert, others.key)
	for name, test := range map[string]struct {
		secret map[string]string
		want   string
	}{
		"known, and shown a certificate": {map[string]string{"ca.crt": pool, "tls.crt": mine, "tls.key": private}, ""},
		"by the older names":             {map[string]string{"caFile": pool, "certFile": mine, "keyFile": private, "username": "a", "password": "b"}, ""},
		"shown none":                     {map[string]string{"ca.crt": pool}, "ask for its branches"},
		"known to others":                {map[string]string{"ca.crt": otherPool, "tls.crt": mine, "tls.key": private}, "its certificate is not one to trust"},
		"not known":                      {map[string]string{"username": "a", "password": "b"}, "its certificate is not one to trust"},
	} {
		login, err := loginOf(t, test.secret)
		r.ok(err)
		tree, err := (Reader{Local: true}).Read(t.Context(), Repository{URL: s.URL, Branch: "main", Login: login}, "")
		if test.want == "" && (err != nil || tree.Commit != commit) || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "planted")) {
			t.Errorf("%s: got %q, %v, want %q", name, tree.Commit, err, test.want)
		}
	}
	// It sends Git on to another host, whose certificate is as good.
	other := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the other host was asked") }))
	other.TLS = s.TLS.Clone()
	other.StartTLS()
	t.Cleanup(other.Close)
	s.Config.Handler = http.RedirectHandler(other.URL+"/info/refs?service=git-upload-pack", http.StatusFound)
	login, err := loginOf(t, map[string]string{"ca.crt": pool, "tls.crt": mine, "tls.key": private})
	r.ok(err)
	if _, err := (Reader{Local: true}).Read(t.Context(), Repository{URL: s.URL, Branch: "main", Login: login}, ""); err == nil || !strings.Contains(err.Error(), "redirects to another host") {
		t.Errorf("got %v", err)
	}
}
