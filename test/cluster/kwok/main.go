// Command kwok is KWOK (sigs.k8s.io/kwok), pinned and built from source: it plays the kubelet of every node of a simulated cluster.
//
// It is a module of its own so that KWOK's dependencies never enter Moorgate's module graph. It is for tests and the demo; nothing
// of it ships. It never outlives the process that started it with a lifeline.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/pflag"
	"sigs.k8s.io/kwok/pkg/config"
	"sigs.k8s.io/kwok/pkg/kwok/cmd"
	"sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/signals"
)

// lifelineVar names the inherited read end of a pipe whose write end the starter holds.
const lifelineVar = "MOORGATE_LIFELINE_FD"

func main() {
	holdLifeline()
	if err := run(signals.SetupSignalContext()); err != nil {
		fmt.Fprintln(os.Stderr, "kwok:", err)
		os.Exit(1)
	}
}

// run executes KWOK's root command. KWOK reads its --config files before the command exists, from a flag set of its own that must
// tolerate every other flag.
func run(ctx context.Context) error {
	early := pflag.NewFlagSet("early", pflag.ContinueOnError)
	early.ParseErrorsAllowlist.UnknownFlags = true
	early.Usage = func() {}

	ctx, _ = log.InitFlags(ctx, early)
	ctx, err := config.InitFlags(ctx, early)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	root := cmd.NewCommand(ctx)
	root.PersistentFlags().AddFlagSet(early)
	return root.ExecuteContext(ctx)
}

// holdLifeline ends this process when the lifeline closes, which happens when its starter ends, however it ends.
func holdLifeline() {
	fd, err := strconv.Atoi(os.Getenv(lifelineVar))
	if err != nil || fd < 3 {
		return
	}
	pipe := os.NewFile(uintptr(fd), "lifeline")
	go func() {
		_, _ = io.Copy(io.Discard, pipe)
		os.Exit(0)
	}()
}
