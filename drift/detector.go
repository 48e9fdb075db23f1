package drift

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/forge"
	"moorgate.dev/internal/redact"
	"moorgate.dev/internal/source/chart"
)

// Repository says what to read: package forge's Repository has the same fields.
type Repository struct {
	URL, Branch, Path, Commit string
	Flux                      bool
	Ignore                    string
	Login                     forge.Login
}

// Tree is what a branch holds: package forge's Tree has the same fields.
type Tree struct {
	Commit  string
	Time    time.Time         // of the commit, by its committer's own word
	Files   map[string][]byte // nil where the commit was known
	Skipped []string
	// Partly says why there may be other kustomizations in the repository that read the same files; empty: all are among them.
	Partly string
}

// Detector keeps the Cases of drifted objects, one GitSource at a time. Those fields are needed that do not say otherwise.
type Detector struct {
	// Client reads and writes without a cache: what is compared must be what the API server has now. Its scheme knows
	// autoscaling/v2 and our own kinds.
	Client client.Client
	// Git reads the head of a branch. Where that is the known commit it may answer without Files.
	Git func(ctx context.Context, r Repository, known string) (Tree, error)
	// Login is what a repository is read with; nil: what stands in the Secret that a GitRepository names, and else nothing.
	Login      func(ctx context.Context, url string) (forge.Login, error)
	Log        flow.Log
	Cases      cluster.Cases
	Guardrails cluster.Guardrails
	// Circumstances say what the rules about acting ask for. What it leaves out is unknown, and holds every pull request.
	Circumstances cluster.Circumstances
	// Beside has a model asked about what the rules could not settle, after the Case says what they found. nil: none is asked.
	Beside flow.Beside
	// Aside is where that is done; the rounds wait for nobody. nil: none is asked.
	Aside *flow.Aside
	// Passed is what differs and is no drift, beside our own table.
	Passed Passed
	// Past reads what files held before a commit. nil: the past of the repository is not known.
	Past func(ctx context.Context, from Repository, commit string, files []string) (Past, error)
	// Door is what everything passes that is collected for a model; nil: nothing of it comes through.
	Door *redact.Door
	Now  func() time.Time
	// HelmReleases has what Flux's HelmReleases deliver compared too, which takes the right to read the Secrets in which Helm keeps it.
	HelmReleases bool
	// Served asks what the API server serves, which charts may ask about. nil: such charts are not rendered.
	Served func(ctx context.Context) (chart.Served, error)
	// Secrets seals the values of Secrets, so that these are compared too, which takes the right to get them; nil: they are not.
	Secrets *Sealer
	// More are kinds that are compared beside those of the table; nil: there are none.
	More *More
	// Interval is how often Git is read and what has changed is compared again, a minute where it is zero. In between, a change to
	// one of the objects has it compared with what was read last. Where nothing is watched, all is compared again.
	Interval time.Duration

	// Events tells on the objects themselves that they drifted, and that they no longer do. nil: nothing is told there.
	Events events.EventRecorder
	// Tell is told the same, and must not wait for anybody. nil: nobody is.
	Tell func(Notice)

	lock     sync.Mutex
	last     map[client.ObjectKey]tree
	standing map[client.ObjectKey][]Standing // what each GitSource's last round found
	sweep    map[client.ObjectKey]time.Time  // when each GitSource is swept next
	seen     client.Reader                   // what is watched: names and fingerprints; nil: nothing is
	counsel  counsel

	deliveries deliveries
	searched   map[client.ObjectKey]searched // for what a delivery left behind
	watched    cache.Cache                   // of what SetUp watches
}

// Reconcile compares one GitSource with its namespace and asks to be called again after the interval. What is wrong with
// the repository is said on the GitSource and is no error; an error is what the API server refused, and is said there too.
func (d *Detector) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	again := reconcile.Result{RequeueAfter: d.interval()}
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("GitSource"))
	if err := d.Client.Get(ctx, req.NamespacedName, u); err != nil {
		if client.IgnoreNotFound(err) == nil {
			d.forget(req.NamespacedName)
			return reconcile.Result{}, d.release(ctx, req.NamespacedName, "its GitSource is gone, so nobody compares it any more")
		}
		return reconcile.Result{}, fmt.Errorf("read GitSource %s: %w", req, err)
	}
	g, err := parseGitSource(u)
	if err != nil {
		return again, d.say(ctx, u, "", err, "")
	}
	t, moved := d.tree(ctx, req.NamespacedName, Repository{URL: g.Spec.URL, Branch: g.Spec.Branch, Path: g.Spec.Path}, SecretOf(&g))
	if err := t.err(); err != nil {
		if moved {
			err = errors.Join(err, d.release(ctx, req.NamespacedName, "its GitSource names another place, which cannot be read"))
		}
		return again, d.say(ctx, u, t.Commit, err, "")
	}
	r, err := d.round(ctx, req.NamespacedName, t)
	if err != nil {
		return reconcile.Result{}, err
	}
	d.stand(req.NamespacedName, r.standing)
	if err := d.say(ctx, u, t.Commit, r.err(), r.text()); err != nil || len(r.failed) > 0 {
		return reconcile.Result{}, errors.Join(append(r.failed, err)...)
	}
	return again, nil
}

func (d *Detector) interval() time.Duration {
	if d.Interval > 0 {
		return d.Interval
	}
	return time.Minute
}
