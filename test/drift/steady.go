package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"moorgate.dev/api/v1alpha1"
	testcluster "moorgate.dev/test/cluster"
)

// watchVar names the kubeconfig of a Detector that runs in a process of its own, so that what it needs can be told from what this one does.
const watchVar = "MOORGATE_DRIFT_WATCH"

// perNamespace is how many objects a namespace has.
const perNamespace = 1000

// quiet is what a Detector needed while nothing changed.
type quiet struct {
	Calls     map[string]int `json:"calls"`
	Processor time.Duration  `json:"processor"`
	Peak      float64        `json:"peak"`  // MiB, ever
	Now       float64        `json:"now"`   // MiB, at the end
	First     time.Duration  `json:"first"` // until all was compared for the first time
}

func steady(ctx context.Context, c *testcluster.Cluster, o options, out io.Writer) error {
	k, err := clientOf(c.Config())
	if err != nil {
		return err
	}
	spaces := (o.tracked + perNamespace - 1) / perNamespace
	for i := range spaces {
		s, err := newScene(fmt.Sprintf("steady-%d", i), perNamespace)
		if err != nil {
			return err
		}
		if err := s.deliver(ctx, k); err != nil {
			return err
		}
		if err := k.Create(ctx, gitSource(s.namespace)); err != nil {
			return err
		}
	}
	kubeconfig, err := c.ServiceAccountKubeconfig(ctx, "moorgate-system", "moorgate-judge")
	if err != nil {
		return err
	}
	kube, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), watchVar+"="+kubeconfig)
	cmd.Stdin = strings.NewReader(fmt.Sprintf("%d %s", spaces, o.steady))
	var answer bytes.Buffer
	cmd.Stdout, cmd.Stderr = &answer, os.Stderr
	server, err := serverUsed(ctx, kube)
	if err != nil {
		return err
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	after, err := serverUsed(ctx, kube)
	if err != nil {
		return err
	}
	var q quiet
	if err := json.Unmarshal(answer.Bytes(), &q); err != nil {
		return fmt.Errorf("read what it needed: %w", err)
	}
	writes := sum(q.Calls) - q.Calls["GET"]
	_, _ = fmt.Fprintf(out, "\n## %d objects in %d namespaces, on which nothing changes\n\n| until all was compared | then, for | requests | dry runs and writes | own processor | memory at the end | at most | processor of the API server, all in all |\n|---|---|---|---|---|---|---|---|\n"+
		"| %s | %s | %d | %d | %s (%.2f %% of one) | %.0f MiB | %.0f MiB | %s |\n", spaces*perNamespace, spaces, q.First.Round(100*time.Millisecond), o.steady, sum(q.Calls), writes,
		q.Processor.Round(10*time.Millisecond), 100*q.Processor.Seconds()/o.steady.Seconds(), q.Now, q.Peak, (after - server).Round(10*time.Millisecond))
	return nil
}

// watch runs a Detector as moorgate-judge does, until everything was compared and then for as long as it is told.
func watch(ctx context.Context, kubeconfig string, in io.Reader, out io.Writer) error {
	var spaces int
	var said string
	if _, err := fmt.Fscan(in, &spaces, &said); err != nil {
		return fmt.Errorf("read for how long: %w", err)
	}
	long, err := time.ParseDuration(said)
	if err != nil {
		return fmt.Errorf("read for how long: %w", err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	config, counter := counting(config)
	k, err := clientOf(config)
	if err != nil {
		return err
	}
	s, err := newScene("", perNamespace)
	if err != nil {
		return err
	}
	began := time.Now()
	mgr, err := ctrl.NewManager(config, ctrl.Options{Scheme: k.Scheme(), Metrics: server.Options{BindAddress: "0"}})
	if err != nil {
		return fmt.Errorf("prepare a manager: %w", err)
	}
	if err := detector(k, s.tree).SetUp(mgr); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- mgr.Start(ctx)
		close(ended)
	}()
	defer func() {
		stop()
		for range ended { // what was measured is told by now
		}
	}()
	if err := compared(ctx, k, spaces); err != nil {
		return err
	}
	q := quiet{First: time.Since(began)}
	before, _, err := selfUsed()
	if err != nil {
		return err
	}
	counter.take()
	select {
	case err := <-ended:
		return fmt.Errorf("the manager ended: %w", err)
	case <-time.After(long):
	}
	q.Calls = counter.take()
	after, peak, err := selfUsed()
	if err != nil {
		return err
	}
	q.Processor, q.Peak = after-before, peak
	debug.FreeOSMemory() // garbage is none of what it needs
	if q.Now, err = resident(); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(q)
}

// compared waits until every GitSource says that all of its objects were.
func compared(ctx context.Context, k client.Client, spaces int) error {
	for {
		var list v1alpha1.GitSourceList
		if err := k.List(ctx, &list); err != nil {
			return fmt.Errorf("list GitSources: %w", err)
		}
		done := 0
		for _, g := range list.Items {
			for _, c := range g.Status.Conditions {
				if strings.HasSuffix(c.Message, fmt.Sprintf(": %d", perNamespace)) {
					done++
				}
			}
		}
		if done >= spaces {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// resident is the memory of this process now, in MiB. Only Linux tells.
func resident() (float64, error) {
	content, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, fmt.Errorf("read the memory of this process: %w", err)
	}
	fields := strings.Fields(string(content))
	if len(fields) < 2 {
		return 0, fmt.Errorf("read the memory of this process: %d fields", len(fields))
	}
	pages, err := strconv.Atoi(fields[1])
	return float64(pages) * float64(os.Getpagesize()) / (1 << 20), err
}
