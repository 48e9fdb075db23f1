// Command drift measures what drift detection costs: a first look at many objects, beside fluxcd/pkg/ssa on the same cluster, and a
// day on which nothing changes.
//
// A real API server runs, and nothing acts in it but what is measured. Objects are delivered by server-side apply under the field manager
// of Flux. Both detectors look at the same objects as the same administrator, one object after the other, and each request of
// theirs is counted where it leaves. What is compared is measured in turns.
//
// It asserts nothing about time, and never touches a cluster but its own.
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

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"moorgate.dev/charts"
	"moorgate.dev/internal/cluster"
	testcluster "moorgate.dev/test/cluster"
)

// options are the command line.
type options struct {
	objects, drifted, tracked int
	turns                     int
	steady                    time.Duration
	only                      string
}

func main() {
	log.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if kubeconfig := os.Getenv(watchVar); kubeconfig != "" {
		exitWith(watch(ctx, kubeconfig, os.Stdin, os.Stdout))
		return
	}
	o := options{}
	f := flag.NewFlagSet("drift", flag.ContinueOnError)
	f.IntVar(&o.objects, "objects", 2000, "objects of the first look, in one namespace")
	f.IntVar(&o.drifted, "drifted", 20, "how many of them somebody changed by hand")
	f.IntVar(&o.turns, "turns", 2, "how often each detector looks at them")
	f.IntVar(&o.tracked, "tracked", 10_000, "objects that are watched while nothing changes, in namespaces of a thousand")
	f.DurationVar(&o.steady, "steady", 3*time.Minute, "for how long, with a round of every GitSource each minute")
	f.StringVar(&o.only, "only", "", "first or steady; empty: both")
	if err := f.Parse(os.Args[1:]); errors.Is(err, flag.ErrHelp) {
		return
	} else if err != nil {
		os.Exit(2)
	}
	exitWith(measure(ctx, o, os.Stdout))
}

func exitWith(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "drift:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, o options, out io.Writer) error {
	c, err := testcluster.Start(ctx, testcluster.Options{Still: true, Nodes: testcluster.NodeOptions{Count: -1}})
	if err != nil {
		return err
	}
	defer c.Stop()
	if err := cluster.Install(ctx, c.Config(), charts.Files, cluster.InstallOptions{}); err != nil {
		return err
	}
	if o.only != "steady" {
		if err := first(ctx, c, o, out); err != nil {
			return err
		}
	}
	if o.only == "first" {
		return nil
	}
	return steady(ctx, c, o, out)
}
