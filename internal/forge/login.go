package forge

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"golang.org/x/crypto/ssh"
)

// Login is what a repository is read with. The zero Login is none. It is never shown: whoever prints one sees that there is
// one, and no more.
type Login struct {
	user, secret string
	bearer       bool

	authorities      string // certificates by which a server is known, in place of those of this machine
	certificate, key string // that are shown to a server
	identity, phrase string // a key for SSH, and what opens it
	knownHosts       string

	app, installation int64  // of GitHub
	appKey, api       string // its key, and where it is known; empty: at github.com
}

// maxSecret bounds a user's name, a password or a token, and maxKeys keys and certificates.
const (
	maxSecret = 16 << 10
	maxKeys   = 256 << 10
)

// LoginOf is the Login in a Secret of the form that Flux has for Git: username and password, or bearerToken, and ca.crt, tls.crt and
// tls.key beside them; or identity and known_hosts; or githubAppID, githubAppInstallationID and githubAppPrivateKey. No error says what the Secret holds.
func LoginOf(secret map[string][]byte) (Login, error) {
	text := func(keys ...string) string {
		for _, key := range keys {
			if t := strings.TrimSpace(string(secret[key])); t != "" {
				return t
			}
		}
		return ""
	}
	l := Login{user: text("username"), secret: text("password"), authorities: text("ca.crt", "caFile"), certificate: text("tls.crt", "certFile"), key: text("tls.key", "keyFile")}
	if token := text("bearerToken"); token != "" {
		l.user, l.secret, l.bearer = "", token, true
	}
	if text("identity") != "" {
		l = Login{identity: string(secret["identity"]), phrase: text("password"), knownHosts: text("known_hosts")}
	}
	if text("githubAppID") != "" {
		return appLogin(l, text)
	}
	switch {
	case max(len(l.authorities), len(l.certificate), len(l.key), len(l.identity), len(l.knownHosts)) > maxKeys:
		return Login{}, errors.New("it holds keys or certificates that are too long")
	case l.identity == "" && l.certificate == "" && l.authorities == "" && l.secret == "", l.secret != "" && !l.bearer && l.user == "", l.secret == "" && l.user != "":
		return Login{}, errors.New("it holds neither username and password nor bearerToken, nor identity")
	case len(l.user) > maxSecret || len(l.secret) > maxSecret || strings.ContainsAny(l.user+l.secret, "\r\n\x00"):
		return Login{}, errors.New("what it holds cannot be sent by HTTP")
	}
	_, err := l.tls()
	if l.identity != "" {
		_, err = l.keys()
	}
	if err != nil {
		return Login{}, err
	}
	return l, nil
}

func (l Login) String() string {
	if l == (Login{}) {
		return "(no login)"
	}
	return "(a login)"
}

// GoString keeps it from being shown by %#v.
func (l Login) GoString() string { return l.String() }

// fits says what is wrong with reading from a URL with a Login.
func (l Login) fits(u *url.URL, local bool) error {
	switch {
	case u.Scheme == "ssh" && l.identity == "":
		return errors.New("by SSH it is read with a key alone: a Secret with identity and known_hosts")
	case u.Scheme != "ssh" && l.identity != "":
		return errors.New("a key for SSH is of no use there")
	case l == Login{} || u.Scheme == "ssh" || u.Scheme == "https" || local && u.Scheme == "http" && here(u):
		return nil
	}
	return errors.New("a password or a token is sent over https alone")
}

// auth is the Login as go-git takes it.
func (l Login) auth() transport.AuthMethod {
	switch {
	case l.secret == "":
		return nil
	case l.bearer:
		return &githttp.TokenAuth{Token: l.secret}
	}
	return &githttp.BasicAuth{Username: l.user, Password: l.secret}
}

// tls is by what a server is known, and what it is shown; nil: by what this machine has.
func (l Login) tls() (*tls.Config, error) {
	if l.authorities == "" && l.certificate == "" {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if l.authorities != "" {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(l.authorities)) {
			return nil, errors.New("its ca.crt holds no certificate")
		}
	}
	if l.certificate != "" {
		pair, err := tls.X509KeyPair([]byte(l.certificate), []byte(l.key))
		if err != nil {
			return nil, errors.New("its tls.crt and tls.key are no certificate with its key")
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// keys are the key for SSH and the hosts that are known.
func (l Login) keys() (keys, error) {
	if l.knownHosts == "" {
		return keys{}, errors.New("it holds a key for SSH without known_hosts, so that nobody can tell to whom it would be shown")
	}
	known, err := parseKnown([]byte(l.knownHosts))
	if err != nil {
		return keys{}, err
	}
	var signer ssh.Signer
	if l.phrase != "" {
		signer, err = ssh.ParsePrivateKeyWithPassphrase([]byte(l.identity), []byte(l.phrase))
	} else {
		signer, err = ssh.ParsePrivateKey([]byte(l.identity))
	}
	if err != nil {
		return keys{}, errors.New("its identity is no key for SSH, or its password does not open it")
	}
	return keys{signer, known}, nil
}

// stays keeps what a Login sends with a request on its host.
func (l Login) stays(req *http.Request, via []*http.Request) error {
	switch {
	case len(via) >= 10:
		return refuse("it redirects without end")
	case l != Login{} && (req.URL.Host != via[0].URL.Host || req.URL.Scheme != via[0].URL.Scheme):
		return refuse("it redirects to another host, to which no login is taken")
	}
	return nil
}
