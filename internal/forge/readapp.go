package forge

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"
)

// Apps gets the tokens with which repositories are read as GitHub Apps: for reading alone, whatever the App may do. A token is asked for
// at the GitHub that its key is for, and shown to no other host. It belongs to the Readers of one process.
type Apps struct {
	Now func() time.Time

	lock sync.Mutex
	held map[Login]*installation
}

// mostApps bounds the keys of which a token is kept.
const mostApps = 1000

// appLogin is the Login in a Secret with the key of a GitHub App.
func appLogin(l Login, text func(keys ...string) string) (Login, error) {
	var err, none error
	l.user, l.secret, l.bearer = "", "", false
	l.app, err = strconv.ParseInt(text("githubAppID"), 10, 64)
	l.installation, none = strconv.ParseInt(text("githubAppInstallationID"), 10, 64)
	l.appKey, l.api = text("githubAppPrivateKey"), text("githubAppBaseURL")
	switch {
	case err != nil:
		return Login{}, errors.New("its githubAppID is no number")
	case none != nil:
		return Login{}, errors.New("it says no githubAppInstallationID, and an installation is not looked for by its owner")
	case len(l.appKey) > maxKeys || len(l.api) > maxSecret:
		return Login{}, errors.New("it holds keys or certificates that are too long")
	}
	if _, err := ParseKey([]byte(l.appKey)); err != nil {
		return Login{}, errors.New("its githubAppPrivateKey is no RSA private key in PEM")
	}
	if _, err := l.tls(); err != nil {
		return Login{}, err
	}
	return l, nil
}

// entering is a Login as it is sent: for the key of an App, with a token of it.
func (r Reader) entering(ctx context.Context, u *url.URL, l Login) (Login, error) {
	if l.appKey == "" {
		return l, nil
	}
	if r.Apps == nil {
		return Login{}, errors.New("nobody here asks for the token of a GitHub App")
	}
	held, err := r.Apps.installation(l, r.Local, r.timeout())
	if err != nil {
		return Login{}, err
	}
	if host := held.api.BaseURL.Host; !strings.EqualFold(u.Host, host) && (host != "api.github.com" || !strings.EqualFold(u.Host, "github.com")) {
		return Login{}, errors.New("the key of its GitHub App is for another host")
	}
	token, err := held.token(ctx)
	if err != nil {
		return Login{}, err
	}
	return Login{user: "x-access-token", secret: token, authorities: l.authorities, certificate: l.certificate, key: l.key}, nil
}

func (a *Apps) installation(l Login, local bool, timeout time.Duration) (*installation, error) {
	a.lock.Lock()
	defer a.lock.Unlock()
	if held := a.held[l]; held != nil {
		return held, nil
	}
	key, err := ParseKey([]byte(l.appKey))
	if err != nil {
		return nil, err
	}
	o := HubOptions{Base: l.api, Local: local, Now: a.Now, Pause: wait, Timeout: timeout}
	at, err := o.base()
	if err != nil {
		return nil, errors.New("its githubAppBaseURL is no address of a GitHub")
	}
	app, read := App{ID: l.app, Installation: l.installation, Key: key}, "read"
	asApp := o.speak(at, func(context.Context) (string, error) { return app.jwt(a.Now()) })
	if a.held == nil || len(a.held) >= mostApps {
		a.held = map[Login]*installation{}
	}
	a.held[l] = &installation{app: app, api: asApp, now: a.Now, rights: github.InstallationPermissions{Contents: &read}}
	return a.held[l], nil
}
