package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/drift"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/cluster/acting"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/forge"
	"moorgate.dev/internal/gate"
)

// githubOptions say where pull requests are opened, and as whom.
type githubOptions struct {
	url          string
	token        string // file
	app          int64
	installation int64
	appKey       string // file
	open, hourly int
	follow       time.Duration
	only         []string
	draft        bool
}

func (o *githubOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.token, "github-token-file", "", "file with the token that pull requests are opened with, read anew each time; without it or an App none are")
	f.Int64Var(&o.app, "github-app-id", 0, "id of the GitHub App that opens pull requests instead, so that GitHub signs its commits")
	f.Int64Var(&o.installation, "github-app-installation", 0, "id of the installation of that App")
	f.StringVar(&o.appKey, "github-app-key-file", "", "file with the private key of that App, in PEM")
	f.StringVar(&o.url, "github-url", "", "URL of a GitHub Enterprise server: https://git.example.com (default: github.com)")
	f.StringSliceVar(&o.only, "github-repositories", nil, "repositories for which pull requests are opened, as owner/name or owner/*; whoever may write GitSources names repositories, so say which are meant (default: all that the token may write)")
	f.IntVar(&o.open, "github-open", 5, "how many pull requests of ours may be open in one repository; what waits then is listed in one issue")
	f.DurationVar(&o.follow, "github-follow", 5*time.Minute, "how often it is looked at what became of a pull request")
	f.BoolVar(&o.draft, "github-draft", false, "open pull requests as drafts, so that nobody merges one before somebody says that it is ready; where GitHub makes no drafts, as for private repositories of a free plan, an ordinary one is opened, and its Case says so")
	f.IntVar(&o.hourly, "github-hourly", 10, "how many pull requests may be opened in one repository in an hour")
}

func (o *githubOptions) asApp() bool { return o.app != 0 || o.installation != 0 || o.appKey != "" }

func (o *githubOptions) enabled() bool { return o.token != "" || o.asApp() }

func (o *githubOptions) check() error {
	switch {
	case o.token != "" && o.asApp():
		return errors.New("--github-token-file and a GitHub App are given; one of them opens pull requests")
	case o.asApp() && (o.app == 0 || o.installation == 0 || o.appKey == ""):
		return errors.New("a GitHub App takes --github-app-id, --github-app-installation and --github-app-key-file")
	case o.url != "" && !o.enabled():
		return errors.New("--github-url is given and nobody to go there as: give --github-token-file or a GitHub App")
	case o.enabled() && o.follow < time.Second:
		return fmt.Errorf("--github-follow %s is under a second", o.follow)
	case o.enabled() && (o.open < 1 || o.hourly < 1):
		return errors.New("--github-open and --github-hourly are at least 1; where none are to be opened, leave out --github-token-file and the GitHub App")
	}
	return nil
}

// hub is where pull requests are opened; nil: nowhere.
func (p *process) hub() (*forge.Hub, error) {
	o := p.github
	if !o.enabled() {
		return nil, nil
	}
	h := forge.HubOptions{Base: o.url, Only: o.only, Local: p.localGit, Door: p.door(), Now: time.Now, Open: o.open, Hourly: o.hourly}
	if o.token != "" {
		h.Token = func() (string, error) { return tokenIn(o.token) }
		if _, err := h.Token(); err != nil {
			return nil, err
		}
		return forge.NewHub(h)
	}
	text, err := os.ReadFile(o.appKey)
	if err != nil {
		return nil, fmt.Errorf("read --github-app-key-file: %w", err)
	}
	key, err := forge.ParseKey(text)
	if err != nil {
		return nil, err
	}
	h.App = &forge.App{ID: o.app, Installation: o.installation, Key: key}
	return forge.NewHub(h)
}

func tokenIn(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read --github-token-file: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" {
		return "", fmt.Errorf("read --github-token-file: %s is empty", file)
	}
	return token, nil
}

// proposeWithin is how long after it was reserved a pull request may still be sent: GitHub asks for pauses between writes.
const proposeWithin = 3 * time.Minute

// addProposals adds what opens pull requests for drift, where a GitHub is given. Without one it is seen to that no intent of another
// process stays open.
func (p *process) addProposals(ctx context.Context, mgr ctrl.Manager, live client.Client, seen cluster.Circumstances, hand flow.Actor, acts func(acting.Face, flow.Actor) *acting.Acts) error {
	hub, err := p.hub()
	if err != nil {
		return err
	}
	eyes := func() *drift.Detector { // each has its own: they remember what they saw
		return &drift.Detector{Client: live, Git: gitReader(p.localGit), Circumstances: seen, Door: p.door(), Now: time.Now, Interval: p.driftEvery,
			HelmReleases: p.helmReleases, Served: servedBy(mgr.GetConfig())}
	}
	holds := &drift.Holds{Proposals: &drift.Proposals{Detector: eyes(), Log: p.log}, Guardrails: cluster.Guardrails{Reader: live, Now: time.Now}, Hand: hand}
	if hub == nil { // what is held is let go all the same
		if err := holds.Complete(); err != nil {
			return err
		}
		return errors.Join(acts(drift.Leftovers{}, nobody{}).SetUp(mgr), acts(holds, hand).SetUp(mgr))
	}
	var system corev1.Namespace
	if err := live.Get(ctx, client.ObjectKey{Name: metav1.NamespaceSystem}, &system); err != nil {
		return fmt.Errorf("tell this cluster from others, by its namespace %s: %w", metav1.NamespaceSystem, err)
	}
	proposals := &drift.Proposals{Hub: hub, Cluster: string(system.UID), Log: p.log, Draft: p.github.draft, Follow: p.github.follow, Detector: eyes()}
	proposals.Detector.Login = hub.Login
	own := *proposals
	own.Detector, holds.Proposals = eyes(), &own
	own.Detector.Login = hub.Login
	if err := errors.Join(proposals.Complete(), holds.Complete()); err != nil {
		return err
	}
	if err := acts(holds, hand).SetUp(mgr); err != nil {
		return err
	}
	a := acts(proposals, proposals)
	a.Within = proposeWithin
	if err := a.SetUp(mgr); err != nil {
		return err
	}
	p.metrics.drift.watchPulls(func(ctx context.Context) (int, error) { return drift.Open(ctx, mgr.GetCache()) })
	return mgr.Add(&drift.Digests{Proposals: proposals, Logger: a.Logger})
}

// nobody carries out nothing.
type nobody struct{}

// Act refuses.
func (nobody) Act(context.Context, gate.Permit, gate.Action) (gate.Outcome, error) {
	return gate.OutcomeRefused, errors.New("nothing was sent: there is no GitHub to open a pull request at")
}
