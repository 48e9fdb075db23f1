package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"

	"moorgate.dev/internal/redact"
)

// HubOptions say where pull requests are opened, as whom, and how many at most.
type HubOptions struct {
	// Base is the URL of a GitHub Enterprise server, such as https://git.example.com; empty: github.com.
	Base string
	// Only are the repositories that are meant, as owner/name or owner/*; empty: all that the token may write.
	Only []string
	// Local allows the addresses of this machine, and there http: for tests and the demo.
	Local bool
	// Token tells the token of a person or a machine user, and is asked each time. One of Token and App is needed.
	Token func() (string, error)
	App   *App
	// Door is what every text passes on its way out.
	Door *redact.Door
	Now  func() time.Time
	// Pause waits; nil: by a timer.
	Pause func(ctx context.Context, d time.Duration) error
	// Open and Hourly are how many pull requests of ours may be open in one repository, and be opened in one hour. Default 5 and 10.
	Open, Hourly int
	// Timeout is for one request; default 30 s.
	Timeout time.Duration
	// Spacing is how long after one write the next is sent; default 1 s, as GitHub asks.
	Spacing time.Duration
}

// Hub opens pull requests at GitHub, and keeps one for each drift. What it must remember it reads from GitHub, so that any other process
// can take over. Within one Hub one thing is done at a time.
//
// It never merges, never forces a branch, never touches a branch on which there is a commit that it did not make, and never changes a
// file that it was not given.
type Hub struct {
	HubOptions
	api  *github.Client
	auth func(context.Context) (string, error)
	lock sync.Mutex
}

// NewHub makes a Hub. It asks nothing of GitHub yet.
func NewHub(o HubOptions) (*Hub, error) {
	if o.Door == nil || o.Now == nil || (o.Token == nil) == (o.App == nil) {
		return nil, errors.New("prepare to open pull requests: Door, Now, and one of Token and App are needed")
	}
	for _, only := range o.Only {
		if !meant.MatchString(only) {
			return nil, fmt.Errorf("prepare to open pull requests: %q is not of the form owner/name or owner/*", only)
		}
	}
	if o.Pause == nil {
		o.Pause = wait
	}
	for n, standard := range map[*int]int{&o.Open: 5, &o.Hourly: 10} {
		if *n <= 0 {
			*n = standard
		}
	}
	for d, standard := range map[*time.Duration]time.Duration{&o.Timeout: 30 * time.Second, &o.Spacing: time.Second} {
		if *d <= 0 {
			*d = standard
		}
	}
	at, err := o.base()
	if err != nil {
		return nil, err
	}
	h := &Hub{HubOptions: o}
	auth := func(context.Context) (string, error) { return o.Token() }
	if o.App != nil {
		app, write := *o.App, "write"
		asApp := o.speak(at, func(context.Context) (string, error) { return app.jwt(o.Now()) })
		auth = (&installation{app: app, api: asApp, now: o.Now,
			rights: github.InstallationPermissions{Contents: &write, PullRequests: &write, Issues: &write}}).token
	}
	h.api, h.auth = o.speak(at, auth), auth
	return h, nil
}

// base is the URL that requests go below.
func (o HubOptions) base() (*url.URL, error) {
	if o.Base == "" {
		return &url.URL{Scheme: "https", Host: "api.github.com", Path: "/"}, nil
	}
	u, shown, err := parse(o.Base)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "https" && (!o.Local || u.Scheme != "http" || u.Hostname() != "127.0.0.1" && u.Hostname() != "localhost") {
		return nil, fmt.Errorf("prepare to open pull requests at %s: a token is sent over https only", shown)
	}
	u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/api/v3") + "/api/v3/"
	return u, nil
}

// speak makes a client of GitHub's interface.
func (o HubOptions) speak(at *url.URL, auth func(context.Context) (string, error)) *github.Client {
	inner := guarded(o.Local)
	inner.DisableKeepAlives, inner.MaxIdleConns, inner.IdleConnTimeout = false, 4, 30*time.Second
	inner.ResponseHeaderTimeout = o.Timeout
	c := github.NewClient(&http.Client{CheckRedirect: stay, Transport: &patient{next: inner, auth: auth, now: o.Now, pause: o.Pause,
		timeout: o.Timeout, spacing: o.Spacing}})
	c.BaseURL, c.UploadURL, c.UserAgent = at, at, "moorgate"
	return c
}

// stay lets a read be redirected on the same host, and nothing else: elsewhere a token would leak, and a write become a read.
func stay(req *http.Request, via []*http.Request) error {
	first := via[0]
	if len(via) > 3 || first.Method != http.MethodGet || req.URL.Host != first.URL.Host || req.URL.Scheme != first.URL.Scheme {
		return refuse("it redirects where a token must not go")
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// noHub is what is said of an answer that cannot be understood.
const noHub = "it does not answer as GitHub does"

// status is the HTTP status of an error that GitHub answered with; 0: it is none.
func status(err error) int {
	if answered := (*github.ErrorResponse)(nil); errors.As(err, &answered) && answered.Response != nil {
		return answered.Response.StatusCode
	}
	return 0
}
