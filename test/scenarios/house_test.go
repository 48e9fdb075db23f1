package scenarios

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/test/cluster"
	"moorgate.dev/test/process"
)

const (
	patience = 45 * time.Second
	between  = 150 * time.Millisecond
	shapes   = "testdata/shapes.yaml" // what else is scored
	atOnce   = "6"                    // stories mostly wait, so that more than one a core is no burden
)

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", atOnce); err != nil { // -parallel on the command line comes later, and wins
		panic(err)
	}
	code := cluster.Main(m)
	shared.house.close()
	os.Exit(code)
}

// house is a cluster with Moorgate in it. All tests of this process share one.
type house struct {
	c      *cluster.Cluster
	admin  client.Client
	http   *http.Client // of the admin
	binary string
	dir    string // scratch, removed at the end
	out    *outsider

	mu sync.Mutex
	m  *process.Moorgate
}

var shared struct {
	sync.Mutex
	house *house
	err   error
}

// moored returns the shared house, with Moorgate running in it.
func moored(t *testing.T) *house {
	t.Helper()
	c := cluster.Shared(t)
	shared.Lock()
	defer shared.Unlock()
	if shared.house == nil && shared.err == nil {
		shared.house, shared.err = newHouse(t.Context(), c)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.house
}

func newHouse(ctx context.Context, c *cluster.Cluster) (*house, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "moorgate-scenarios-")
	if err != nil {
		return nil, err
	}
	h := &house{c: c, dir: dir}
	if h.binary, err = process.Build(ctx, dir); err == nil {
		err = process.Install(ctx, h.binary, c, io.Discard, "--shapes", shapes)
	}
	if err == nil {
		h.http, err = rest.HTTPClientFor(c.Config())
	}
	if err == nil {
		h.admin, err = client.New(c.Config(), client.Options{HTTPClient: h.http, Scheme: scheme})
	}
	if err == nil {
		err = h.offer(ctx)
	}
	if err == nil {
		h.out, err = newOutsider()
	}
	if err == nil {
		err = h.start(ctx)
	}
	if err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

// offer has the cluster serve the kinds that stories need beyond Kubernetes' own, before Moorgate asks which there are.
func (h *house) offer(ctx context.Context) error {
	for _, args := range [][]string{{"apply", "-f", "kinds"}, {"wait", "--for=condition=Established", "--timeout", patience.String(), "-f", "kinds"}} {
		if out, err := h.c.Kubectl(ctx, append([]string{"--cache-dir", h.cacheDir()}, args...)...).CombinedOutput(); err != nil {
			return fmt.Errorf("offer optional kinds: %w\n%s", err, out)
		}
	}
	return nil
}

// start starts Moorgate: the first time anywhere, later where it was, with the audit log that it had.
func (h *house) start(ctx context.Context) error {
	o := process.Options{Binary: h.binary, Dir: h.dir, Args: []string{"--kinds", "Job,CronJob,Pod,Rollout", "--shapes", shapes}}
	if m := h.moorgate(); m != nil {
		o.Address = m.Address()
	}
	if h.out != nil {
		list, err := h.out.list(h.dir)
		if err != nil {
			return err
		}
		o.Args = append(o.Args, "--probes", list)
	}
	m, err := process.Start(ctx, h.c, o)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.m = m
	return nil
}

func (h *house) moorgate() *process.Moorgate {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.m
}

// kill ends Moorgate as a crash would. It is started again when the test ends, if the test did not.
func (h *house) kill(t *testing.T) {
	t.Helper()
	was := h.moorgate()
	was.Kill()
	t.Cleanup(func() {
		if h.moorgate() != was {
			return
		}
		if err := h.start(context.Background()); err != nil {
			t.Errorf("start Moorgate again for the tests that follow: %v", err)
		}
	})
}

func (h *house) close() {
	if h == nil {
		return
	}
	if m := h.moorgate(); m != nil {
		m.Kill()
	}
	h.out.close()
	_ = os.RemoveAll(h.dir)
}

// cli runs the moorgate binary.
func (h *house) cli(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, h.binary, args...).CombinedOutput()
	return string(out), err
}

// eventually polls until what is promised holds. It gives up early when Moorgate has ended.
func (h *house) eventually(t *testing.T, what string, holds func() error) {
	t.Helper()
	if err := h.until(t.Context(), holds); err != nil {
		t.Fatalf("%s: %v\nThe end of Moorgate's log:\n%s", what, err, h.moorgate().LogTail())
	}
}

func (h *house) until(ctx context.Context, holds func() error) error {
	deadline := time.After(patience)
	for {
		err := holds()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-h.moorgate().Exited():
			return fmt.Errorf("moorgate has ended: %w", err)
		case <-deadline:
			return fmt.Errorf("not within %s: %w", patience, err)
		case <-time.After(between):
		}
	}
}

// cacheDir keeps what kubectl learns about the cluster out of the user's folders.
func (h *house) cacheDir() string { return filepath.Join(h.dir, "kubectl") }
