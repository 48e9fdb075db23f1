package forge

import (
	"errors"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
)

// Login is what a repository is read with, by HTTP. The zero Login is none. It is never shown: whoever prints one sees that there is
// one, and no more.
type Login struct {
	user, secret string
	bearer       bool
}

// maxSecret bounds a user's name, a password or a token.
const maxSecret = 16 << 10

// LoginOf is the Login in a Secret of the form that Flux has for Git: username and password, or bearerToken. No error says what the
// Secret holds.
func LoginOf(secret map[string][]byte) (Login, error) {
	text := func(key string) string { return strings.TrimSpace(string(secret[key])) }
	l := Login{user: text("username"), secret: text("password")}
	if token := text("bearerToken"); token != "" {
		l = Login{secret: token, bearer: true}
	}
	switch {
	case len(secret["identity"]) > 0:
		return Login{}, errors.New("it holds a key for SSH, and only https and http are read")
	case len(secret["githubAppID"]) > 0:
		return Login{}, errors.New("it holds the key of a GitHub App, which is not supported yet")
	case len(secret["ca.crt"])+len(secret["caFile"])+len(secret["tls.crt"])+len(secret["certFile"]) > 0:
		return Login{}, errors.New("it holds certificates, which are not supported yet")
	case l.secret == "" || (!l.bearer && l.user == ""):
		return Login{}, errors.New("it holds neither username and password nor bearerToken")
	case len(l.user) > maxSecret || len(l.secret) > maxSecret || strings.ContainsAny(l.user+l.secret, "\r\n\x00"):
		return Login{}, errors.New("what it holds cannot be sent by HTTP")
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

// auth is the Login as go-git takes it.
func (l Login) auth() transport.AuthMethod {
	switch {
	case l == Login{}:
		return nil
	case l.bearer:
		return &githttp.TokenAuth{Token: l.secret}
	}
	return &githttp.BasicAuth{Username: l.user, Password: l.secret}
}
