package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"moorgate.dev/internal/gate"
)

// becauseMax is how many bytes a reason may have: errors may hold what a stranger wrote.
const becauseMax = 256

// gatherPause is how long a read may hold up the others, and gathering one that hangs the next.
const gatherPause = 2 * time.Millisecond

// gathering does reads, so that one that hangs until the deadline (an informer that may not list) leaves the others their time. The
// evidence comes out in the order in which the reads were added. Memory answers in microseconds, so one goroutine does them all, and
// another goes on where it does not get on: to start one for each costs more than most reads.
type gathering struct {
	reads []func() []gate.Evidence
	parts [][]gate.Evidence
	next  atomic.Int64
}

func (g *gathering) add(read func() []gate.Evidence) { g.reads = append(g.reads, read) }

func (g *gathering) wait() []gate.Evidence {
	g.parts = make([][]gate.Evidence, len(g.reads))
	ended := make(chan struct{}, len(g.reads)) // a word for each read
	pause := time.NewTimer(gatherPause)
	defer pause.Stop()
	go g.work(ended)
	workers := 1
	for left := len(g.reads); left > 0; {
		select {
		case <-ended:
			left--
		case <-pause.C:
			if workers < len(g.reads) {
				workers++
				go g.work(ended)
				pause.Reset(gatherPause)
			}
		}
	}
	return slices.Concat(g.parts...)
}

// work does one read after the other until none is left.
func (g *gathering) work(ended chan<- struct{}) {
	for {
		i := int(g.next.Add(1)) - 1
		if i >= len(g.reads) {
			return
		}
		g.parts[i] = read(g.reads[i])
		ended <- struct{}{}
	}
}

// read does one read. What a hostile object makes it do must not end the process: the facts it did not fill in are unknown.
func read(do func() []gate.Evidence) (seen []gate.Evidence) {
	defer func() {
		if p := recover(); p != nil {
			seen = []gate.Evidence{{ID: "unread", Source: "part of the cluster", Unread: gate.OneLine(fmt.Sprint("reading it failed: ", p), becauseMax)}}
		}
	}()
	return do()
}

// because says in a few words for an operator why something could not be read.
func because(err error) string {
	switch {
	case errors.Is(err, errOffline):
		return errOffline.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case apierrors.IsForbidden(err):
		return "not allowed to read it"
	}
	return gate.OneLine(err.Error(), becauseMax)
}
