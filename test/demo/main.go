// Command demo plays a short story on a real Kubernetes on this machine: it starts a control plane with simulated nodes,
// installs Moorgate, has a few rollouts applied with kubectl, and shows what Moorgate makes of each.
//
// It writes to its own cluster and to a temporary folder only, and removes both when it ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `Usage: make demo, or go run ./test/demo [flags] after make build

Starts a Kubernetes control plane with simulated nodes (built from source the first time), installs Moorgate, plays a
story and stays up for your own manifests until ctrl-C.

Flags:
`

func main() {
	once := flag.Bool("once", false, "end after the story instead of staying up")
	binary := flag.String("moorgate", "bin/moorgate", "the moorgate binary to show")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := play(ctx, *binary, *once)
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case interrupted && (err == nil || errors.Is(err, context.Canceled)):
		fmt.Println("\nstopped")
	case err != nil:
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}
