package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

type options struct {
	parallel               int
	args, only, equivalent string
}

// fate is what became of a mutant.
type fate int

const (
	untried    fate = iota
	survived        // no test noticed
	noticed         // a test failed, or did not end
	equivalent      // it survived, and equivalent.txt says why that is right
)

// A mutant may go round for ever, or eat all the memory that there is. It gets many times what the unbroken tests take, and no more
// than this many KiB.
const (
	patience   = 10
	leastTime  = 20 * time.Second
	mostMemory = 3 << 20
)

// run tries every mutant of a package and returns how many survive.
func run(dir string, o options) (int, error) {
	listed, err := readEquivalent(o.equivalent)
	if err != nil {
		return 0, err
	}
	work, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(work)
	b, err := build(dir, work)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if said, err := b.test(0, time.Hour, o.args); err != nil {
		return 0, fmt.Errorf("the tests fail before anything is broken: %w\n%s", err, said)
	}
	limit := max(leastTime, patience*time.Since(began))
	fmt.Printf("%d mutants; the tests take %s\n", len(b.mutants), time.Since(began).Round(time.Millisecond))
	return report(b.mutants, b.tryAll(limit, o), listed, o.only == ""), nil
}

// tryAll tries mutants, some at a time, and tells how far it is.
func (b built) tryAll(limit time.Duration, o options) []fate {
	fates := make([]fate, len(b.mutants))
	next := make(chan int)
	var told sync.Mutex
	var workers sync.WaitGroup
	done := 0
	for range o.parallel {
		workers.Go(func() {
			for i := range next {
				fates[i] = survived
				if _, err := b.test(i+1, limit, o.args); err != nil {
					fates[i] = noticed
				}
				told.Lock()
				if done++; fates[i] == survived || done%50 == 0 {
					fmt.Printf("%d/%d %s %s: %s\n", done, len(b.mutants), b.mutants[i].place(), b.mutants[i].what, [...]string{survived: "survives", noticed: "is noticed"}[fates[i]])
				}
				told.Unlock()
			}
		})
	}
	for i, m := range b.mutants {
		if strings.Contains(m.place(), o.only) {
			next <- i
		}
	}
	close(next)
	workers.Wait()
	return fates
}

// test runs the tests with one mutant switched on; 0 is none. It returns an error if they fail or do not end.
func (b built) test(n int, limit time.Duration, args string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	// #nosec: the shell only sets a limit
	c := exec.CommandContext(ctx, "sh", append([]string{"-c", fmt.Sprintf(`ulimit -v %d; exec "$0" "$@"`, mostMemory), b.binary, "-test.failfast"},
		strings.Fields(args)...)...)
	c.Dir, c.Env = b.dir, append(os.Environ(), fmt.Sprintf("MUTANT=%d", n))
	c.WaitDelay = time.Second
	said, err := c.CombinedOutput()
	return said, errors.Join(err, ctx.Err())
}

// place is where a mutant is.
func (m mutant) place() string { return fmt.Sprintf("%s:%d", filepath.Base(m.file), m.line) }
