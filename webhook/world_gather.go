package webhook

import (
	"context"
	"errors"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"moorgate.dev/internal/gate"
)

// becauseMax is how many bytes a reason may have: errors may hold what a stranger wrote.
const becauseMax = 256

// gathering runs reads side by side, so that one that hangs until the deadline (an informer that may not list) leaves the
// others their time. The evidence comes out in the order in which the reads were added.
type gathering struct {
	group sync.WaitGroup
	parts []*[]gate.Evidence
}

func (g *gathering) add(read func() []gate.Evidence) {
	part := new([]gate.Evidence)
	g.parts = append(g.parts, part)
	g.group.Go(func() {
		// What a hostile object makes a read do must not end the process: the facts it did not fill in are unknown.
		defer func() {
			if p := recover(); p != nil {
				*part = []gate.Evidence{{ID: "unread", Source: "part of the cluster", Unread: gate.OneLine(fmt.Sprint("reading it failed: ", p), becauseMax)}}
			}
		}()
		*part = read()
	})
}

func (g *gathering) wait() []gate.Evidence {
	g.group.Wait()
	var all []gate.Evidence
	for _, p := range g.parts {
		all = append(all, *p...)
	}
	return all
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
