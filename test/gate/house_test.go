package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/test/cluster"
	"moorgate.dev/test/openai"
	"moorgate.dev/test/process"
)

const patience = 60 * time.Second

func TestMain(m *testing.M) { os.Exit(cluster.Main(m)) }

// house is a cluster with Moorgate and a model in it: a process that does everything, and a second replica of the webhook, behind a
// balancer that gives each connection to the next of them.
type house struct {
	c     *cluster.Cluster
	admin client.Client
	// impatient does not come again by itself.
	impatient client.Client
	dir       string
	binary    string
	balancer  *balancer
	model     *openai.Server

	mu     sync.Mutex
	m      *process.Moorgate
	answer func(openai.Request) openai.Reply
}

func moored(t *testing.T) *house {
	t.Helper()
	c := cluster.Shared(t)
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	h := &house{c: c, dir: t.TempDir()}
	h.model = openai.Start(openai.Options{Key: "sk-test", Answer: func(r openai.Request) openai.Reply {
		h.mu.Lock()
		answer := h.answer
		h.mu.Unlock()
		return answer(r)
	}})
	t.Cleanup(h.model.Close)
	h.answers(sound(0))
	var err error
	if h.admin, err = client.New(c.Config(), client.Options{Scheme: scheme}); err == nil {
		h.binary, err = process.Build(t.Context(), h.dir)
	}
	if err == nil {
		config := c.Config()
		config.Wrap(func(next http.RoundTripper) http.RoundTripper { return onceOnly{next} })
		h.impatient, err = client.New(config, client.Options{Scheme: scheme})
	}
	if err == nil {
		err = process.Install(t.Context(), h.binary, c, io.Discard)
	}
	if err == nil {
		h.balancer, err = newBalancer()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.balancer.close)
	h.start(t)
	h.second(t)
	ns := h.place(t, "onPending: Retry")
	h.eventually(t, "the gate knows that a model can be asked", func() error {
		out, err := h.kubectl(t, deployment(ns, fmt.Sprintf("early-%d", time.Now().UnixNano()), "shop/web:1.4.2"), "apply", "-f", "-")
		if err == nil && strings.Contains(out, "no model's word") {
			err = errors.New(out)
		}
		return err
	})
	t.Cleanup(func() {
		h.moorgate().Stop()
		if t.Failed() {
			t.Logf("The end of Moorgate's log:\n%s", h.moorgate().LogTail())
		}
	})
	return h
}

// start starts everything, with the audit log that there was.
func (h *house) start(t *testing.T) {
	t.Helper()
	for name, content := range map[string]string{"model.key": "sk-test\n", "model.yaml": "url: " + h.model.Base() + "\nkeyFile: model.key\npatience: 40s\ntriage: {model: small, samples: 1}\n"} {
		if err := os.WriteFile(filepath.Join(h.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := process.Start(context.WithoutCancel(t.Context()), h.c, process.Options{Binary: h.binary, Dir: h.dir, Args: []string{"--url", "https://" + h.balancer.address(),
		"--model", filepath.Join(h.dir, "model.yaml")}})
	if err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	h.m = m
	h.mu.Unlock()
	h.balancer.set("first", m.Address())
}

// second starts another replica of the webhook, behind the same balancer.
func (h *house) second(t *testing.T) {
	t.Helper()
	identity, err := h.c.ServiceAccountKubeconfig(t.Context(), "moorgate-system", "moorgate-webhook")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	cmd := exec.Command(h.binary, "webhook", "--kubeconfig", identity, "--audit-dir", filepath.Join(h.dir, "second"), "--listen", address,
		"--url", "https://"+h.balancer.address(), "--health", "127.0.0.1:0")
	var log lockedBuffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cluster.StartBound(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("The second webhook's log:\n%s", log.String())
		}
	})
	h.eventually(t, "the second webhook is open", func() error {
		if !strings.Contains(log.String(), "the gate is open for questions") {
			return errors.New(log.String())
		}
		return nil
	})
	h.balancer.set("second", address)
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

// lockedBuffer is what a process writes while it is read.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (h *house) moorgate() *process.Moorgate {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.m
}

func (h *house) answers(a func(openai.Request) openai.Reply) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer = a
}

// sound finds nothing, after a while.
func sound(after time.Duration) func(openai.Request) openai.Reply {
	return saying(after, `{"cause":"sound","findings":[],"choice":["admit"],"score":95,"confidence":90,"unsure":false,"why":"nothing speaks against it"}`)
}

// against finds enough to keep a rollout of the image out, after a while.
func against(after time.Duration) func(openai.Request) openai.Reply {
	return saying(after, `{"cause":"likely-mistake","findings":[{"text":"the image is another product","points":90,"evidence":["template"],"quote":"shop/backup:9.9.9","claim":null}],"choice":[],"score":5,"confidence":90,"unsure":false,"why":"a shop does not serve from a backup tool"}`)
}

func saying(after time.Duration, content string) func(openai.Request) openai.Reply {
	return func(openai.Request) openai.Reply { return openai.Reply{Content: content, After: after} }
}

// never answers.
func never(openai.Request) openai.Reply { return openai.Reply{Fault: &openai.Fault{Hang: true}} }

// place is a namespace under a Guardrail of its own that has a model waited for.
func (h *house) place(t *testing.T, admission string) string {
	t.Helper()
	ns := h.c.Namespace(t, nil)
	var g v1alpha1.Guardrail
	text := fmt.Sprintf(`{metadata: {name: %[1]s}, spec: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}}, thresholds: {warnBelow: 80, denyBelow: 50, confidenceBelow: 0},
  admission: {mode: Enforce, onAdvice: Deny, %[2]s}}}`, ns, admission)
	if err := yaml.Unmarshal([]byte(text), &g); err != nil {
		t.Fatal(err)
	}
	if err := h.admin.Create(t.Context(), &g); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.admin.Delete(context.Background(), &g) })
	h.eventually(t, "the gate answers under the Guardrail", func() error {
		out, err := h.kubectl(t, probe(ns), "apply", "--dry-run=server", "-f", "-")
		if err == nil && !strings.Contains(out, "would be denied") {
			err = errors.New(out)
		}
		return err
	})
	return ns
}

// kubectl runs kubectl with a manifest on its standard input.
func (h *house) kubectl(t *testing.T, manifest string, args ...string) (string, error) {
	t.Helper()
	cmd := h.c.Kubectl(t.Context(), args...)
	cmd.Stdin = strings.NewReader(manifest)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// cases are the Cases about a workload.
func (h *house) cases(t *testing.T, ns, name string) []v1alpha1.Case {
	t.Helper()
	var list v1alpha1.CaseList
	if err := h.admin.List(t.Context(), &list, client.InNamespace(ns)); err != nil {
		t.Fatal(err)
	}
	var about []v1alpha1.Case
	for _, c := range list.Items {
		if c.Spec.Subject.Name == name && c.Spec.Signal.Face == "webhook" {
			about = append(about, c)
		}
	}
	return about
}

// ended waits until the one Case about a workload says what its client was answered in the end.
func (h *house) ended(t *testing.T, ns, name, said string) (c v1alpha1.Case) {
	t.Helper()
	h.eventually(t, "the one Case of "+name+" says "+said, func() error {
		all := h.cases(t, ns, name)
		if len(all) != 1 {
			return fmt.Errorf("there are %d: %v", len(all), keys(all))
		}
		if c = all[0]; c.Spec.Answer.Said != "Retried" || c.Status.Answer != said {
			return fmt.Errorf("it says %s, then %s", c.Spec.Answer.Said, c.Status.Answer)
		}
		return nil
	})
	return c
}

func keys(cases []v1alpha1.Case) (all []string) {
	for _, c := range cases {
		all = append(all, c.Spec.Signal.Key+" "+c.Spec.Answer.Said+">"+c.Status.Answer)
	}
	return all
}

func (h *house) eventually(t *testing.T, what string, holds func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := holds()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v\nThe end of Moorgate's log:\n%s", what, err, h.moorgate().LogTail())
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// deployment is a manifest that no check finds fault with.
func deployment(ns, name, image string) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  replicas: 2
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  selector: {matchLabels: {app: %[2]s}}
  template:
    metadata: {labels: {app: %[2]s}}
    spec:
      containers:
        - name: app
          image: registry.example/%[3]s
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /healthz, port: http}}
          resources: {requests: {cpu: 50m, memory: 32Mi}, limits: {memory: 32Mi}}
`, ns, name, image)
}

// probe is a manifest that the checks deny.
func probe(ns string) string {
	return strings.Replace(deployment(ns, "probe", "shop/probe:1.0.0"), "port: http}}", "port: nowhere}}", 1)
}
