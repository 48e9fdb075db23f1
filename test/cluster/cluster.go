package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	startTimeout  = 2 * time.Minute
	startAttempts = 3
)

// Cluster is a running cluster. Its methods may be called concurrently.
type Cluster struct {
	config     *rest.Config
	client     kubernetes.Interface
	kubeconfig string
	kubectl    string
	dir        *runDir

	// The rest is empty for a cluster that was only given.
	line      *lifeline
	processes []*process
	kubelet   *kubelet
	logs      logs
	usage     usage
	stop      sync.Once
}

// Start starts a cluster and returns once the API server, the controllers and the scheduler are ready and every node is Ready. The
// caller stops it; ctx bounds only the start.
func Start(ctx context.Context, opts Options) (*Cluster, error) {
	opts = opts.withDefaults()
	bin, err := Binaries(ctx, opts.Progress)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		c, err := start(ctx, bin, opts)
		if err == nil {
			return c, nil
		}
		if attempt == startAttempts || !errors.Is(err, errPortTaken) {
			return nil, fmt.Errorf("start cluster: %w", err)
		}
	}
}

// start is one attempt. It leaves nothing behind when it fails.
func start(ctx context.Context, bin string, opts Options) (_ *Cluster, err error) {
	dir, err := newRunDir(ctx)
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, kubectl: filepath.Join(bin, "kubectl"), kubeconfig: dir.file("admin.kubeconfig")}
	defer func() {
		if err != nil {
			c.Stop()
		}
	}()
	if c.line, err = newLifeline(); err != nil {
		return nil, err
	}
	p, err := freePorts()
	if err != nil {
		return nil, err
	}
	if err := c.writeFiles(p); err != nil {
		return nil, err
	}
	if c.kubelet, err = c.startKubelet(); err != nil {
		return nil, err
	}
	p.kubelet = c.kubelet.port
	if err := c.startComponents(ctx, bin, p, opts); err != nil {
		return nil, err
	}
	for _, started := range c.processes {
		go started.mourn(opts.Progress)
	}
	return c, nil
}

// writeFiles writes certificates, kubeconfigs and the stages of simulated pods, and sets the admin's client.
func (c *Cluster) writeFiles(p ports) error {
	ca, err := newAuthority()
	if err != nil {
		return err
	}
	if err := ca.files(c.dir); err != nil {
		return err
	}
	for name, groups := range map[string][]string{
		"admin": {"system:masters"}, "kwok": {"system:masters"}, "kube-controller-manager": nil, "kube-scheduler": nil,
	} {
		user := "system:" + name
		if name == "admin" {
			user = "kubernetes-admin"
		}
		config, err := ca.clientConfig(https(p.apiserver), user, groups...)
		if err != nil {
			return err
		}
		if err := writeKubeconfig(c.dir.file(name+".kubeconfig"), user, config); err != nil {
			return err
		}
		if name == "admin" {
			c.config = config
		}
	}
	stages, err := Stages()
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.dir.file("stages.yaml"), stages, 0o600); err != nil {
		return fmt.Errorf("write stages: %w", err)
	}
	if err := c.SetLogs(defaultLog); err != nil {
		return err
	}
	c.client, err = kubernetes.NewForConfig(c.config)
	if err != nil {
		return fmt.Errorf("make admin client: %w", err)
	}
	return nil
}

// Stop ends every process of the cluster and removes its files. A cluster that was only given keeps running.
func (c *Cluster) Stop() {
	c.stop.Do(func() {
		for _, p := range c.processes {
			p.stopping.Store(true)
		}
		for _, p := range slices.Backward(c.processes) {
			p.kill()
		}
		if c.kubelet != nil {
			c.kubelet.stop()
		}
		if c.line != nil {
			c.line.cut()
		}
		_ = c.dir.remove() // the next start sweeps what could not be removed
	})
}

// Dir is a folder for files that have to do with this cluster. Stop removes it, and the next start of a cluster does if this
// process is killed.
func (c *Cluster) Dir() string { return c.dir.path }

// Config is a client configuration of the cluster's admin, without a rate limit. The caller owns it.
func (c *Cluster) Config() *rest.Config { return rest.CopyConfig(c.config) }

// Kubeconfig is the path of the admin's kubeconfig.
func (c *Cluster) Kubeconfig() string { return c.kubeconfig }

// Kubectl is the cluster's kubectl as admin, ready to run. It ends with ctx and with this process.
func (c *Cluster) Kubectl(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.kubectl, args...)
	cmd.Env = append(cmd.Environ(), "KUBECONFIG="+c.kubeconfig)
	if c.line != nil {
		c.line.attach(cmd)
	}
	return cmd
}
