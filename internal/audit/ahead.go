package audit

import (
	"errors"
	"io"
	"runtime"
	"sync"
)

const (
	aheadBytes = 256 << 10 // of lines that are decoded together
	aheadLines = 256
)

// run is some lines. Whoever decodes it closes done.
type run struct {
	lines   []byte
	pieces  []piece
	entries []Entry
	done    chan struct{}
}

// piece is one line of a chunk and where it stood, or why there is none.
type piece struct {
	end  int // of the line, in the chunk's lines
	file string
	line int
	err  error
}

// ahead yields the records that can be read now, in order, as each does: but they are decoded on every processor while the
// next are read. It holds a few chunks at a time.
func (c *cursor) ahead(yield func(Entry, error) bool) {
	workers := runtime.GOMAXPROCS(0)
	stop, work, order := make(chan struct{}), make(chan *run, workers), make(chan *run, workers)
	var all sync.WaitGroup
	defer all.Wait()
	defer close(stop)
	all.Go(func() {
		defer close(work)
		defer close(order)
		for more := true; more; {
			var k *run
			k, more = c.chunk()
			for _, to := range []chan<- *run{work, order} {
				select {
				case to <- k:
				case <-stop:
					return
				}
			}
		}
	})
	for range workers {
		all.Go(func() {
			for k := range work {
				k.decode()
			}
		})
	}
	for k := range order {
		<-k.done
		if !k.yield(yield) {
			return
		}
	}
}

// chunk reads the next lines, and reports whether there may be more.
func (c *cursor) chunk() (*run, bool) {
	k := &run{done: make(chan struct{})}
	for len(k.lines) < aheadBytes && len(k.pieces) < aheadLines {
		raw, err := c.next()
		if errors.Is(err, io.EOF) {
			return k, false
		}
		k.lines = append(k.lines, raw...)
		k.pieces = append(k.pieces, piece{end: len(k.lines), file: c.seg.path, line: c.line, err: err})
		var d *Damage
		if err != nil && !errors.As(err, &d) {
			return k, false
		}
	}
	return k, true
}

func (k *run) decode() {
	defer close(k.done)
	k.entries = make([]Entry, len(k.pieces))
	start := 0
	for i := range k.pieces {
		p := &k.pieces[i]
		raw := k.lines[start:p.end]
		start = p.end
		if p.err != nil {
			continue
		}
		env, e, err := parseLine(raw)
		if err != nil {
			p.err = &Damage{File: p.file, Line: p.line, Sequence: env.pos.Sequence, Problem: err.Error()}
		}
		k.entries[i] = e
	}
}

// yield reports whether more is wanted.
func (k *run) yield(yield func(Entry, error) bool) bool {
	for i, p := range k.pieces {
		e := k.entries[i]
		if p.err != nil {
			e = Entry{}
		}
		if !yield(e, p.err) {
			return false
		}
	}
	return true
}
