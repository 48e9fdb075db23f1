package audit

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"time"
)

const (
	copyMax      = 8 << 20 // bytes that wait for a slow reader of the copy
	copyPatience = 2 * time.Second
)

// errCopySlow says why a line is missing from the copy.
var errCopySlow = errors.New("whoever reads the copy is too slow")

// copier writes acknowledged lines to a second place, beside the log and never in its way. The nil copier copies nothing.
type copier struct {
	to      io.Writer
	wake    chan struct{}
	stopped chan struct{}

	mu      sync.Mutex
	lines   []byte
	closed  bool
	failed  uint64 // records that are not in the copy
	records uint64 // that wait in lines
	last    error
}

func newCopier(to io.Writer) *copier {
	if to == nil {
		return nil
	}
	c := &copier{to: to, wake: make(chan struct{}, 1), stopped: make(chan struct{})}
	go c.run()
	return c
}

// take keeps a batch for the copy, or counts it among those that are missing.
func (c *copier) take(b *batch) {
	if c == nil || len(b.lines) == 0 {
		return
	}
	n := uint64(len(b.hashes))
	c.mu.Lock()
	if len(c.lines)+len(b.lines) > copyMax {
		c.failed, c.last = c.failed+n, errCopySlow
	} else {
		c.lines, c.records = append(c.lines, b.lines...), c.records+n
	}
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default: // it is already called
	}
}

func (c *copier) run() {
	defer close(c.stopped)
	for range c.wake {
		c.mu.Lock()
		lines, n, closed := c.lines, c.records, c.closed
		c.lines, c.records = nil, 0
		c.mu.Unlock()
		if len(lines) > 0 {
			if _, err := io.Copy(c.to, bytes.NewReader(lines)); err != nil {
				c.mu.Lock()
				c.failed, c.last = c.failed+n, err
				c.mu.Unlock()
			}
		}
		if closed {
			return
		}
	}
}

// close lets the copy catch up. For one that is stuck it does not wait long: what waits there will be missing.
func (c *copier) close() {
	if c == nil {
		return
	}
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
	timer := time.NewTimer(copyPatience)
	defer timer.Stop()
	select {
	case <-c.stopped:
	case <-timer.C:
	}
}

// CopyFailures says how many records the Copy of the options did not get, or not whole, and the last reason. They are in the
// log all the same; in the copy a gap in the sequences shows them.
func (l *Log) CopyFailures() (records uint64, last error) {
	if l.copies == nil {
		return 0, nil
	}
	l.copies.mu.Lock()
	defer l.copies.mu.Unlock()
	return l.copies.failed, l.copies.last
}
