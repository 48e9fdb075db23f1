package audit

import (
	"errors"
	"io"
	"runtime"
	"sync"

	"golang.org/x/mod/sumdb/tlog"
)

// chunkBytes is how much of a log is checked at a time.
const chunkBytes = 256 << 10

// checked is a line whose own hash holds.
type checked struct {
	envelope
	place place
	raw   []byte // without "\n"
	leaf  tlog.Hash
	step  step
	blobs []string
}

// chunk is a run of lines that one goroutine checks, until one of them is bad.
type chunk struct {
	bytes []byte
	lines []checked
	err   error // of what comes after the lines
	done  chan struct{}
}

// eachChecked gives take every line of the log in dir, in order, once its own hash has been checked. The hashing is spread
// over the processors: it is most of the work. It ends with the first error.
func eachChecked(dir string, take func(checked) error) error {
	workers := runtime.GOMAXPROCS(0)
	ordered, work := make(chan *chunk, 2*workers), make(chan *chunk, 2*workers)
	stop := make(chan struct{})
	var running sync.WaitGroup
	defer running.Wait()
	defer close(stop)
	running.Go(func() { readChunks(dir, ordered, work, stop) })
	for range workers {
		running.Go(func() {
			for c := range work {
				c.check()
			}
		})
	}
	for c := range ordered {
		<-c.done
		for _, l := range c.lines {
			if err := take(l); err != nil {
				return err
			}
		}
		if c.err != nil {
			return c.err
		}
	}
	return nil
}

// readChunks reads the log until its end or an error, which is the last chunk's.
func readChunks(dir string, ordered, work chan<- *chunk, stop <-chan struct{}) {
	defer close(work)
	defer close(ordered)
	cur := &cursor{dir: dir}
	defer cur.close()
	for {
		c := &chunk{bytes: make([]byte, 0, chunkBytes+4<<10), done: make(chan struct{})}
		err := c.read(cur)
		select {
		case ordered <- c:
			work <- c // those who take from it never stop before it is closed
		case <-stop:
			return
		}
		if err != nil {
			return
		}
	}
}

// read fills the chunk. It returns an error if nothing comes after it.
func (c *chunk) read(cur *cursor) error {
	for len(c.bytes) < chunkBytes {
		raw, err := cur.next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				c.err = err
			}
			return err
		}
		from := len(c.bytes)
		c.bytes = append(c.bytes, raw...)
		c.lines = append(c.lines, checked{place: cur.place(), raw: c.bytes[from:len(c.bytes):len(c.bytes)]})
	}
	return nil
}

// check looks at each line by itself.
func (c *chunk) check() {
	defer close(c.done)
	for i := range c.lines {
		if err := c.lines[i].check(); err != nil {
			c.lines, c.err = c.lines[:i], c.lines[i].place.damage(err.Error())
			return
		}
	}
}

func (l *checked) check() error {
	var err error
	if l.envelope, err = splitLine(l.raw); err != nil {
		return err
	}
	if err := l.envelope.check(l.raw); err != nil {
		return err
	}
	l.leaf = l.hash.leaf()
	if l.step, err = peek(l.record); err != nil {
		return err
	}
	l.blobs = l.step.blobs(l.record, nil)
	return nil
}
