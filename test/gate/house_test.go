package gate

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/test/cluster"
	"moorgate.dev/test/openai"
	"moorgate.dev/test/process"
)

const patience = 60 * time.Second

// webhooks are the two replicas of the webhook, and judge is the one judge.
var webhooks = []string{"first", "second"}

const judge = "judge"

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "8") // they wait for a model more than for a processor
	code := cluster.Main(m)
	built.close()
	os.Exit(code)
}

// house is a cluster with Moorgate and a model in it: two replicas of the webhook, behind a balancer that gives each connection to the
// next of them, and a judge, each in a process of its own.
type house struct {
	c     *cluster.Cluster
	admin client.Client
	// impatient does not come again by itself.
	impatient client.Client
	dir       string
	binary    string
	balancer  *balancer
	model     *openai.Server

	mu    sync.Mutex
	parts map[string]*process.Moorgate
	says  map[string]func(openai.Request) openai.Reply // the model, by the namespace that it is asked about
}

// built is the one house of this process. Its tests have each their own namespaces in it.
var built struct {
	sync.Once
	*house
	err error
}

func moored(t *testing.T) *house {
	t.Helper()
	c := cluster.Shared(t)
	built.Do(func() {
		built.house = &house{c: c, parts: map[string]*process.Moorgate{}, says: map[string]func(openai.Request) openai.Reply{}}
		built.err = built.open(context.WithoutCancel(t.Context()))
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	h := built.house
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("What the API server let in because no webhook answered in time: %s", h.unanswered())
			for _, name := range append(webhooks, judge) {
				t.Logf("The end of the log of %s:\n%s", name, h.part(name).LogTail())
			}
		}
	})
	h.eventually(t, "both webhooks know that a model can be asked", h.canAsk(t))
	return h
}

// unanswered is how many calls of a webhook failed, so that what they were about was let in. A machine that is very busy has some.
func (h *house) unanswered() string {
	out, err := h.c.Kubectl(context.Background(), "get", "--raw", "/metrics").Output()
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "apiserver_admission_webhook_fail_open_count{") {
			return line
		}
	}
	return fmt.Sprintf("none (%v)", err)
}

func (h *house) open(ctx context.Context) (err error) {
	scheme := runtime.NewScheme()
	err = errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme))
	if err == nil {
		h.dir, err = os.MkdirTemp("", "moorgate-gate-")
	}
	h.model = openai.Start(openai.Options{Key: "sk-test", Answer: h.say})
	if err == nil {
		h.admin, err = client.New(h.c.Config(), client.Options{Scheme: scheme})
	}
	if err == nil {
		config := h.c.Config()
		config.Wrap(func(next http.RoundTripper) http.RoundTripper { return onceOnly{next} })
		h.impatient, err = client.New(config, client.Options{Scheme: scheme})
	}
	if err == nil {
		h.binary, err = process.Build(ctx, h.dir)
	}
	if err == nil {
		err = process.Install(ctx, h.binary, h.c, io.Discard)
	}
	if err == nil {
		h.balancer, err = newBalancer()
	}
	for _, name := range append(webhooks, judge) {
		if err == nil {
			err = h.start(ctx, name)
		}
	}
	return err
}

func (h *house) close() {
	if h == nil {
		return
	}
	for _, m := range h.parts {
		m.Kill()
	}
	if h.balancer != nil {
		h.balancer.close()
	}
	h.model.Close()
	_ = os.RemoveAll(h.dir)
}

// start starts a part, with the audit log and under the address that it had.
func (h *house) start(ctx context.Context, name string) error {
	o := process.Options{Binary: h.binary, Dir: filepath.Join(h.dir, name)}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return err
	}
	part := "webhook"
	if name == judge {
		part = judge
		for file, content := range map[string]string{"model.key": "sk-test\n",
			"model.yaml": "url: " + h.model.Base() + "\nkeyFile: model.key\npatience: 40s\ntimeout: 35s\ntriage: {model: small, samples: 1}\n"} {
			if err := os.WriteFile(filepath.Join(o.Dir, file), []byte(content), 0o600); err != nil {
				return err
			}
		}
		o.Args = []string{"--model", filepath.Join(o.Dir, "model.yaml"), "--local-git", "--drift-every", "2s"}
	} else {
		o.Args = []string{"--url", "https://" + h.balancer.address(), "--witness"}
	}
	if was := h.part(name); was != nil {
		o.Address = was.Address()
	}
	m, err := process.StartPart(ctx, h.c, part, o)
	if err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	h.mu.Lock()
	h.parts[name] = m
	h.mu.Unlock()
	if part == "webhook" {
		h.balancer.set(name, m.Address())
	}
	return nil
}

// again starts a part that has ended.
func (h *house) again(t *testing.T, name string) {
	t.Helper()
	if err := h.start(context.WithoutCancel(t.Context()), name); err != nil {
		t.Fatal(err)
	}
}

func (h *house) part(name string) *process.Moorgate {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.parts[name]
}

// canAsk is whether each webhook knows that there is a judge that can ask a model, and it does.
func (h *house) canAsk(t *testing.T) func() error {
	ns, round := h.place(t, "onPending: Deny", sound(0)), 0
	return func() error {
		for _, name := range webhooks {
			resp, err := h.ask(t, h.part(name).Address(), review(t, nil, parsed(t, deployment(ns, fmt.Sprintf("%s-%d", name, round), "shop/web:1.4.2")), false))
			if err == nil && !resp.Allowed {
				err = errors.New(resp.Result.Message)
			} else if err == nil && len(resp.Warnings) > 0 {
				round++ // what was let in without a model is not asked about any more
				err = fmt.Errorf("%s: %q", name, resp.Warnings)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// onceOnly hides from a client that it was told to come again, so that it does not.
type onceOnly struct{ next http.RoundTripper }

func (o onceOnly) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := o.next.RoundTrip(req)
	if err == nil {
		resp.Header.Del("Retry-After")
	}
	return resp, err
}
