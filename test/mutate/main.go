// Command mutate breaks a package in small ways, one at a time, and shows which breaks its tests do not notice.
//
// A mutant removes an early return, a continue or a break; moves the edge of a comparison or turns it round; negates a
// condition; makes an "and" of an "or"; adds in place of subtracting; takes the greatest for the least; or moves a number in a
// comparison by one. All of them are built into one test binary, each behind a switch of its own, which is then run once for
// each mutant. A mutant that no test notices survives; one that cannot make a difference is listed in equivalent.txt, with the
// reason.
//
//	go run ./test/mutate ./internal/gate
//
// It exits with 1 if any mutant survives, or if equivalent.txt lists one that does not. It never changes a file of the package:
// what it builds is laid over it (go build -overlay).
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	var o options
	flag.IntVar(&o.parallel, "parallel", 2, "how many mutants are tried at a time")
	flag.StringVar(&o.args, "args", "-rapid.checks=30 -rapid.seed=1 -rapid.shrinktime=1ms -rapid.nofailfile", "what the tests are run with")
	flag.StringVar(&o.only, "only", "", "try only mutants whose place holds this: rule_score.go:52")
	flag.StringVar(&o.equivalent, "equivalent", "test/mutate/equivalent.txt", "the mutants that make no difference")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: mutate [flags] ./path/to/package")
		os.Exit(2)
	}
	survivors, err := run(filepath.Clean(flag.Arg(0)), o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	}
	if survivors > 0 {
		os.Exit(1)
	}
}
