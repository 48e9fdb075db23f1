// Command cluster runs a Kubernetes control plane with simulated nodes until it is interrupted.
//
// It never touches the user's own kubeconfig unless it is named with --kubeconfig, and leaves no process behind.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"moorgate.dev/test/cluster"
)

const help = `Runs a real Kubernetes control plane with simulated nodes on loopback, until ctrl-C. No root, no containers.

    go run ./test/cluster/cmd/cluster [flags]

The first run builds Kubernetes and KWOK from source (6 to 15 minutes on 2 cores); later ones start in seconds.
Everything is thrown away at the end. What an earlier run left when it was killed is cleaned up at the start.

Flags:
`

const usage = `
%d nodes are Ready (%s). In another terminal:

    export KUBECONFIG=%s
    alias kubectl=%s

Pods run at once and nothing happens in them. To make the pods of a Deployment fail, label its template:

    kubectl create deployment web --image nginx:1.27 --replicas 3
    kubectl patch deployment web -p '{"spec":{"template":{"metadata":{"labels":{"sim.moorgate.dev/fault":"crashloop"}}}}}'
    kubectl get pods,events

    crashloop    exits with 1, CrashLoopBackOff          oomkilled  exits with 137, OOMKilled
    imagepull    ErrImagePull, ImagePullBackOff          notready   runs, readiness probe fails
    configerror  CreateContainerConfigError

Take the label away and the rollout heals it:

    kubectl patch deployment web -p '{"spec":{"template":{"metadata":{"labels":{"sim.moorgate.dev/fault":null}}}}}'

Annotations of the template: sim.moorgate.dev/run-for=5s (until it exits), sim.moorgate.dev/backoff-base=2s (first back-off
and probe period), sim.moorgate.dev/message=TEXT (what the runtime, registry or probe says).

ctrl-C stops it.
`

// options are the command line.
type options struct {
	nodes      int
	kubeconfig string
	buildOnly  bool
	stages     bool
}

func main() {
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2) // flag said why
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err = run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("cluster", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), help)
		flags.PrintDefaults()
	}
	flags.IntVar(&o.nodes, "nodes", 3, "`number` of simulated nodes (8 CPUs, 16 GiB and 110 pods each)")
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "also write the admin's kubeconfig to this `path`; it is removed at the end")
	flags.BoolVar(&o.buildOnly, "build-only", false, "build what is missing, print the folder and end")
	flags.BoolVar(&o.stages, "stages", false, "print the KWOK stages that make pods behave and end")
	return o, flags.Parse(args)
}

func run(ctx context.Context, o options, out io.Writer) error {
	if o.stages {
		stages, err := cluster.Stages()
		if err != nil {
			return err
		}
		_, err = out.Write(stages)
		return err
	}
	bin, err := cluster.Binaries(ctx, os.Stderr)
	if err != nil {
		return err
	}
	if o.buildOnly {
		_, err := fmt.Fprintln(out, bin)
		return err
	}
	return serve(ctx, o, bin, out)
}

// serve runs the cluster until ctx ends.
func serve(ctx context.Context, o options, bin string, out io.Writer) error {
	nodes := o.nodes
	if nodes == 0 {
		nodes = -1 // none, where the zero value means the default
	}
	began := time.Now()
	c, err := cluster.Start(ctx, cluster.Options{Nodes: cluster.NodeOptions{Count: nodes}})
	if err != nil {
		return err
	}
	defer c.Stop()
	kubeconfig := c.Kubeconfig()
	if o.kubeconfig != "" {
		if err := share(kubeconfig, o.kubeconfig); err != nil {
			return err
		}
		defer func() { _ = os.Remove(o.kubeconfig) }()
		kubeconfig = o.kubeconfig
	}
	fmt.Fprintf(out, usage, o.nodes, time.Since(began).Round(100*time.Millisecond), kubeconfig, bin+"/kubectl")
	<-ctx.Done()
	fmt.Fprintln(out, "stopping")
	return nil
}

// share copies the admin's kubeconfig. It refuses to overwrite a file: it might be the user's own.
func share(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("read kubeconfig: %w", err)
	}
	file, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	_, err = file.Write(content)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	return nil
}
