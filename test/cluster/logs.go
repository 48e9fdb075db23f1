package cluster

import (
	"fmt"
	"path"
	"slices"
	"sync"
	"time"
)

// defaultLog is what a container writes about whom nobody said anything.
const defaultLog = "this container is simulated and writes nothing"

// line is one line that a container wrote, and when.
type line struct {
	at   time.Time
	text string
}

// containers names some containers: namespace, pod and container are patterns as path.Match reads them.
type containers struct{ namespace, pod, container string }

func (c containers) match(namespace, pod, container string) bool {
	for _, x := range [][2]string{{c.namespace, namespace}, {c.pod, pod}, {c.container, container}} {
		if ok, err := path.Match(x[0], x[1]); !ok || err != nil {
			return false
		}
	}
	return true
}

// check reports whether the patterns are patterns.
func (c containers) check() error {
	for _, pattern := range []string{c.namespace, c.pod, c.container} {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("read pattern %q: %w", pattern, err)
		}
	}
	return nil
}

// written is what some containers write: in each of their runs, or in the run before the last restart.
type written struct {
	of     containers
	before bool
	lines  []line
}

// logs are what tests say that containers write. The zero value has nothing.
type logs struct {
	lock sync.Mutex
	all  []line
	some []written
}

func (l *logs) set(w written) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.some = slices.DeleteFunc(l.some, func(old written) bool { return old.of == w.of && old.before == w.before })
	l.some = append(l.some, w)
}

// of is what one container wrote: what was said last of it counts, and what was said of the run before the last restart counts for
// that run alone.
func (l *logs) of(namespace, pod, container string, before bool) []line {
	l.lock.Lock()
	defer l.lock.Unlock()
	found := l.all
	for _, w := range l.some {
		if !w.before && w.of.match(namespace, pod, container) {
			found = w.lines
		}
	}
	for _, w := range l.some {
		if before && w.before && w.of.match(namespace, pod, container) {
			found = w.lines
		}
	}
	return found
}

// SetLogs replaces the log of every container that has none of its own (see Log). It fails for a cluster that was only given.
func (c *Cluster) SetLogs(lines ...string) error {
	if err := c.ours("write logs of containers"); err != nil {
		return err
	}
	c.logs.lock.Lock()
	defer c.logs.lock.Unlock()
	c.logs.all = now(lines)
	return nil
}

// Log says what a container writes each time that it runs, by lines of standard output that it writes now. Namespace, pod and
// container may be patterns, as in path.Match: "web-*" is every pod of a Deployment, before it exists too. It fails for a cluster
// that was only given.
func (c *Cluster) Log(namespace, pod, container string, lines ...string) error {
	return c.write(containers{namespace, pod, container}, false, lines)
}

// LogBefore says, as Log does, what a container wrote in the run before its last restart, where that is something else.
func (c *Cluster) LogBefore(namespace, pod, container string, lines ...string) error {
	return c.write(containers{namespace, pod, container}, true, lines)
}

func (c *Cluster) write(of containers, before bool, lines []string) error {
	if err := c.ours("write logs of containers"); err != nil {
		return err
	}
	if err := of.check(); err != nil {
		return fmt.Errorf("write logs of containers: %w", err)
	}
	c.logs.set(written{of, before, now(lines)})
	return nil
}

// ours fails for a cluster that was only given: what its nodes answer is not for us to say.
func (c *Cluster) ours(what string) error {
	if c.line == nil {
		return fmt.Errorf("%s: the cluster that %s names keeps its own", what, existingVar)
	}
	return nil
}

func now(lines []string) []line {
	at := time.Now().UTC()
	all := make([]line, len(lines))
	for i, text := range lines {
		all[i] = line{at, text}
	}
	return all
}
