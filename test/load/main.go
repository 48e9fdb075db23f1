// Command load measures what the gate costs: how long requests take and how much processor and memory Moorgate needs for them, each
// beside a webhook that does nothing and beside none at all.
//
// A real API server runs with as many nodes and pods as is asked for, all of them written and none simulated: nothing moves but what
// is measured. Moorgate is the real binary, each part under its own ServiceAccount. Requests are sent at a fixed rate whether or not
// earlier ones were answered, and their time counts from when they were due, so that a stall is not hidden. What is compared is
// measured in turns, because machines differ from minute to minute.
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
	"slices"
	"strings"
	"syscall"
	"time"
)

const help = `Measures what the gate costs on this machine, and prints tables in Markdown. Ctrl-C ends it and leaves nothing behind.

    make load                                    # all of it, about six minutes
    go run ./test/load --only straight           # one part
    go run ./test/load -o json > figures.json    # for machines; progress goes to standard error

    make load-events                             # events alone, about fifteen minutes; see below

The parts:

    straight  AdmissionReviews at --rate a second, straight to the TLS port of Moorgate's webhook and of one that does nothing
    through   dry-run creates and real changes at --applies a second through the API server, with no webhook, with one that
              does nothing, and with Moorgate's
    seats     --applies server-side applies a second while a model takes --model to answer, and what others who use the API
              server feel of it: with no webhook, with Moorgate (which has the client come again), and with a webhook that
              asks the model while the request waits

    events    Warning events at 30, 100 and 300 a second for --minutes each, and a burst of 1,000 a second, about --pods pods of
              --owners Deployments, of which some begin to crash-loop: what the judge needs for it, whether each has its Case, and
              how long after the wait (5 s) it has a verdict. It is measured alone, not beside the others

"Over nothing" is the p99 less that of the webhook that does nothing, measured in turns with it. Processor time is that of the
webhook's process alone, its TLS server included, less what it takes idle. Figures of a busy machine mean little: compare
within one run, and look at the load beside the figures.

Flags:
`

// options are the command line.
type options struct {
	nodes, pods    int
	seconds        float64
	rate, applies  int
	model          time.Duration
	owners         int
	minutes        float64
	only           string
	output, binary string
}

var parts = []string{"straight", "through", "seats"}

// eventsPart is measured on a cluster of its own.
const eventsPart = "events"

func main() {
	if os.Getenv(nothingVar) != "" {
		exitWith(serveNothing())
	}
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	if o.only == eventsPart {
		err = measureEvents(ctx, o, os.Stdout, os.Stderr)
	} else {
		err = measure(ctx, o, os.Stdout, os.Stderr)
	}
	stop()
	exitWith(err)
}

func exitWith(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func parse(args []string, out io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Usage = func() {
		fmt.Fprint(out, help)
		flags.PrintDefaults()
	}
	flags.IntVar(&o.nodes, "nodes", 500, "`number` of nodes in the cluster")
	flags.IntVar(&o.pods, "pods", 5000, "`number` of pods in the cluster, ten to a Deployment")
	flags.Float64Var(&o.seconds, "seconds", 10, "how long each figure is measured, in `seconds`")
	flags.IntVar(&o.rate, "rate", 200, "AdmissionReviews `a second` straight to a webhook")
	flags.IntVar(&o.applies, "applies", 50, "requests `a second` through the API server")
	flags.DurationVar(&o.model, "model", 5*time.Second, "how `long` the model takes to answer")
	flags.IntVar(&o.owners, "owners", 200, "`number` of Deployments of the part events")
	flags.Float64Var(&o.minutes, "minutes", 3, "how long each rate of the part events lasts, in `minutes`")
	flags.StringVar(&o.only, "only", strings.Join(parts, ","), "the `parts` to measure, or events alone")
	flags.StringVar(&o.output, "o", "markdown", "`format`: markdown or json")
	flags.StringVar(&o.binary, "moorgate", "", "`path` of the binary to measure (default: built from this checkout)")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	return o, o.check(flags.Args())
}

func (o options) check(rest []string) error {
	var errs []error
	if len(rest) > 0 {
		errs = append(errs, fmt.Errorf("it takes no arguments, and got %q", rest))
	}
	for name, n := range map[string]int{"nodes": o.nodes, "pods": o.pods, "rate": o.rate, "applies": o.applies, "owners": o.owners} {
		if n < 1 {
			errs = append(errs, fmt.Errorf("--%s %d is not above 0", name, n))
		}
	}
	if o.seconds <= 0 || o.seconds > 3600 {
		errs = append(errs, fmt.Errorf("--seconds %g is not between 0 and 3600", o.seconds))
	}
	if o.minutes <= 0 || o.minutes > 60 {
		errs = append(errs, fmt.Errorf("--minutes %g is not between 0 and 60", o.minutes))
	}
	if o.pods < o.owners && o.only == eventsPart {
		errs = append(errs, fmt.Errorf("--pods %d are fewer than --owners %d", o.pods, o.owners))
	}
	if o.output != "markdown" && o.output != "json" {
		errs = append(errs, fmt.Errorf("-o %q is neither markdown nor json", o.output))
	}
	for part := range strings.SplitSeq(o.only, ",") {
		if !slices.Contains(parts, part) && o.only != eventsPart {
			errs = append(errs, fmt.Errorf("--only: %q is none of %s; %s goes alone", part, strings.Join(parts, ", "), eventsPart))
		}
	}
	return errors.Join(errs...)
}

func (o options) wants(part string) bool { return slices.Contains(strings.Split(o.only, ","), part) }

func (o options) window() time.Duration { return time.Duration(o.seconds * float64(time.Second)) }
