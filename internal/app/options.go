package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/drift"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/notify"
	"moorgate.dev/webhook"
)

// Moorgate's own namespace and identities, as `moorgate install` makes them.
const (
	ownNamespace    = "moorgate-system"
	webhookIdentity = "moorgate-webhook"
	judgeIdentity   = "moorgate-judge"

	defaultAuditDir = "audit"
)

// ownUsers are the user names of Moorgate's identities.
func ownUsers() []string {
	prefix := "system:serviceaccount:" + ownNamespace + ":"
	return []string{prefix + webhookIdentity, prefix + judgeIdentity, prefix + "moorgate-act"}
}

// options are what the serving commands are told. The flags' defaults suit a pod; a laptop needs --url.
type options struct {
	kubeconfig        string
	webhookKubeconfig string
	judgeKubeconfig   string
	allowExcess       bool
	actKubeconfig     string
	auditDir          string
	listen            string
	url               string
	service           string
	certsDir          string
	health            string
	logFormat         string
	verbose           bool
	driftEvery        time.Duration
	localGit          bool
	helmReleases      bool
	secrets           bool
	moreKinds         []string
	actEvery          time.Duration
	healthyDelay      time.Duration
	auditMode         string
	auditStdout       bool
	auditKey          string
	auditListen       string
	recordsTo         string
	anchorGit         string
	anchorBranch      string
	anchorPath        string
	gitToken          string
	github            githubOptions
	paused            []string
	tracing           tracingOptions
	model             string
	probes            string
	kinds             []string
	shapes            string
	falsePositives    string
	passed            drift.Passed  // of falsePositives
	scored            webhook.Kinds // of kinds and shapes
	witness           bool
	delivery          []string
	fluxEvents        string
	receivers         string
	told              *notify.Receivers // of receivers; nil: nobody is told
	slackUsers        string
}

func (o *options) common(f *pflag.FlagSet) {
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig of this process (default: $KUBECONFIG, ~/.kube/config, or the pod's own identity)")
	f.StringVar(&o.auditDir, "audit-dir", defaultAuditDir, "folder of the audit log; made if missing, held by one process")
	f.StringVar(&o.auditMode, "audit-mode", "batch", "batch: what no action waits for is on stable storage within a second; strict: before its answer")
	f.BoolVar(&o.allowExcess, "allow-over-privileged", false, "start even where an identity may do more than it should, as with your own kubeconfig on a laptop; never in production")
	f.BoolVar(&o.auditStdout, "audit-stdout", false, "print every record to standard output too, as the log's own lines; one that cannot be printed holds nothing up")
	f.StringVar(&o.auditKey, "audit-key", "", "file with the Ed25519 key that checkpoints are signed with, PKCS #8 in PEM (default: one of its own in the log's folder)")
	f.StringVar(&o.health, "health", ":8081", "address that serves /healthz, /readyz and /metrics")
	f.StringVar(&o.logFormat, "log-format", "text", "text or json")
	f.StringArrayVar(&o.paused, "paused", nil, "a reason for which this process touches nothing while it runs: it answers, judges and keeps Cases (moorgate pause stops all processes)")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "log what is only of interest to developers too")
}

func (o *options) serving(f *pflag.FlagSet) {
	f.StringVar(&o.listen, "listen", ":9443", "address that serves the webhook over TLS")
	f.StringVar(&o.url, "url", "", "https://HOST:PORT under which the API server reaches the webhook; for a process outside of the cluster")
	f.StringVar(&o.service, "service", ownNamespace+"/moorgate-webhook", "NAMESPACE/NAME of the Service in front of the webhook, where --url is not given")
	f.BoolVar(&o.witness, "witness", false, "be told by the API server what people change where a GitSource, Flux or Argo CD declares objects, so that Cases of drift name them; nothing is refused or held up for it, and without any of those nobody is asked")
	f.StringSliceVar(&o.delivery, "delivery-users", nil, "names of users who bring Git to the cluster, as the API server knows them: what they change is not witnessed. ServiceAccounts never are")
	f.StringVar(&o.certsDir, "certs-dir", "", "folder for the serving certificate (default: the Secret moorgate-webhook-certificate)")
}

// recording are the flags of those that keep a log and let it be read.
func (o *options) recording(f *pflag.FlagSet) {
	f.StringVar(&o.auditListen, "audit-listen", ":9444", "address that serves the audit log over TLS to those who may get "+auditPath+", and takes the records of webhook replicas; empty: nowhere")
}

// acting are the flags of who carries out actions.
func (o *options) acting(f *pflag.FlagSet) {
	f.DurationVar(&o.actEvery, "act-every", 30*time.Second, "how often a Case on which something may be done is looked at, besides when it changes")
	o.github.flags(f)
	f.DurationVar(&o.healthyDelay, "healthy-delay", 2*time.Minute, "how long after an action it is looked at whether it helped")
}

// remembering are the flags of who may write to Git.
func (o *options) remembering(f *pflag.FlagSet) {
	f.StringVar(&o.anchorGit, "anchor-git", "", "URL of a Git repository in which the checkpoints of all audit logs are remembered too")
	f.StringVar(&o.anchorBranch, "anchor-git-branch", "main", "branch of it")
	f.StringVar(&o.anchorPath, "anchor-git-path", "", "folder in it, in which "+anchorFolder+" is made")
	f.StringVar(&o.gitToken, "git-token-file", "", "file with the token that Git is written to with")
}

// weighing are the flags of those that weigh rollouts.
func (o *options) weighing(f *pflag.FlagSet) {
	f.StringSliceVar(&o.kinds, "kinds", webhook.DefaultKinds(), "what is scored besides Deployments, StatefulSets and DaemonSets: any of Job, CronJob, Pod (of which a Pod with a controller is scored with that), and Rollout of Argo; --kinds= for none")
	f.StringVar(&o.shapes, "shapes", "", shapesUsage)
	f.StringVar(&o.probes, "probes", "", "file that lists the hosts outside of the cluster that workloads may depend on: each is asked in the background whether it is there, without any token (moorgate webhook --help shows one), and a change of the file is followed; without a file none is asked")
}

// reading are the flags of who reads Git.
func (o *options) reading(f *pflag.FlagSet) {
	f.DurationVar(&o.driftEvery, "drift-every", time.Minute, "how often Git is asked for news")
	f.BoolVar(&o.localGit, "local-git", false, "let GitSources name file:// repositories and addresses of this machine; for laptops and the demo")
	f.BoolVar(&o.helmReleases, "helm-releases", false, helmReleasesUsage)
}

func (o *options) judging(f *pflag.FlagSet) {
	f.BoolVar(&o.secrets, "secrets", false, secretsUsage)
	f.StringSliceVar(&o.moreKinds, "more-kinds", nil, moreKindsUsage)
	f.StringVar(&o.model, "model", "", "file that says where models are and what they may cost (moorgate model check --model FILE tries it); without one the checks, causes and drift rules decide alone")
	passedFlag(f, &o.falsePositives)
	f.StringVar(&o.fluxEvents, "flux-events", "", fluxEventsUsage)
	f.StringVar(&o.receivers, "receivers", "", receiversUsage)
	f.StringVar(&o.slackUsers, "slack-users", "", usersUsage)
	o.tracing.flags(f)
}

func (o *options) check() error {
	var errs []error
	var err error
	if o.scored, err = kindsOf(o.kinds, o.shapes); err != nil {
		errs = append(errs, err)
	}
	if o.passed, err = passedOf(o.falsePositives); err != nil {
		errs = append(errs, err)
	}
	if o.driftEvery < 0 || (o.driftEvery > 0 && o.driftEvery < time.Second) {
		errs = append(errs, fmt.Errorf("--drift-every %s is under a second", o.driftEvery))
	}
	if slices.ContainsFunc(o.paused, func(reason string) bool { return strings.TrimSpace(reason) == "" }) {
		errs = append(errs, errors.New("--paused is given without a reason; leave it out where nothing is to be paused"))
	}
	for flag, d := range map[string]time.Duration{"--act-every": o.actEvery, "--healthy-delay": o.healthyDelay} {
		if d < 0 || (d > 0 && d < time.Second) {
			errs = append(errs, fmt.Errorf("%s %s is under a second", flag, d))
		}
	}
	errs = append(errs, oneOf("log-format", o.logFormat, "text", "json"), oneOf("audit-mode", o.auditMode, "batch", "strict"))
	for flag, address := range map[string]string{"--listen": o.listen, "--health": o.health, "--audit-listen": o.auditListen} {
		if _, _, err := net.SplitHostPort(address); address != "" && err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", flag, err))
		}
	}
	errs = append(errs, o.tracing.check(), o.github.check(), o.checkFluxEvents(), o.checkNotify())
	if o.url != "" {
		errs = append(errs, checkURL("url", o.url))
	}
	if o.recordsTo != "" {
		errs = append(errs, checkURL("records-to", o.recordsTo))
	}
	return errors.Join(errs...)
}

// whyPaused are the reasons for which this process is paused, for every face alike.
func (o *options) whyPaused(context.Context) gate.Fact[[]string] { return gate.Known(o.paused) }

func (o *options) logger(w io.Writer) *slog.Logger { return o.logAt(w, slog.LevelInfo) }

// libraryLogger is for controller-runtime and client-go, whose information is of interest to developers only.
func (o *options) libraryLogger(w io.Writer) *slog.Logger { return o.logAt(w, slog.LevelWarn) }

func (o *options) logAt(w io.Writer, level slog.Level) *slog.Logger {
	if o.verbose {
		level = slog.LevelDebug
	}
	var h slog.Handler = slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})
	if o.logFormat == "json" {
		h = slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
	}
	door, err := openDoor("") // a key for this process alone: lines are read soon, if ever
	if err != nil {
		door = nil // which lets nothing through
	}
	return slog.New(door.Handler(h))
}

// scheme knows the kinds of Kubernetes and our own.
func scheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(s), v1alpha1.AddToScheme(s)); err != nil {
		return nil, fmt.Errorf("build the scheme: %w", err)
	}
	return s, nil
}

// The rates of requests that an identity may send. client-go's own default of 5 a second would have a burst of Cases wait
// for minutes.
const (
	requestsPerSecond = 50
	requestsBurst     = 100
)

// restConfig finds the API server: the first path that is not empty, else what kubectl would use, else the pod's identity.
func restConfig(paths ...string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	for _, p := range paths {
		if p != "" {
			rules.ExplicitPath = p
			break
		}
	}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("find the API server (give --kubeconfig, set KUBECONFIG, or run in a pod): %w", err)
	}
	config.QPS, config.Burst, config.UserAgent = requestsPerSecond, requestsBurst, "moorgate"
	return config, nil
}

// currentNamespace is the namespace of the kubeconfig's current context.
func currentNamespace(path string) string {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = path
	ns, _, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).Namespace()
	if err != nil || ns == "" {
		return "default"
	}
	return ns
}

// absolute is a path from the root, so that messages can be followed from any folder.
func absolute(path string) string {
	if a, err := filepath.Abs(path); err == nil {
		return a
	}
	return path
}

// terminal reports whether w is one, and colours are wanted.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && isTerminal(f)
}
