package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"moorgate.dev/internal/gate"
)

// maxPending bounds the bytes that wait to be written. Appends beyond it wait their turn.
const maxPending = 16 << 20

// ErrClosed says that the log was closed by its owner.
var ErrClosed = errors.New("the audit log is closed")

// Log is an open log. It is a flow.Log, safe for concurrent use.
//
// Appends that come while the disk is busy are gathered into a batch: one write and, if any of them needs it, one fsync
// serves all. One goroutine does the writing, so a slow disk makes batches larger and not the queue longer.
type Log struct {
	now        func() time.Time
	flushEvery time.Duration
	lock       dirLock
	tail       *tail  // the writer goroutine's
	spare      []byte // the writer goroutine's: a buffer for the next batch
	wake       chan struct{}
	buffers    sync.Pool // of *bytes.Buffer
	mode       Mode
	redact     func([]byte) []byte
	copies     *copier
	blobs      chan struct{} // holds a token while a blob is written
	closing    chan struct{}
	failed     chan struct{}
	stopped    chan struct{}

	mu      sync.Mutex
	chain   chain // of the last record admitted to a batch
	open    openIntents
	pending *batch
	broken  error
	closed  bool
}

// batch is a run of lines that are written together.
type batch struct {
	first   uint64
	last    uint64
	lines   []byte
	hashes  []Hash // of each record
	durable bool   // somebody waits for the fsync

	written, synced    chan struct{} // closed when done or failed
	writeErr, fsyncErr error         // set before the channel is closed
}

func newBatch() *batch { return &batch{written: make(chan struct{}), synced: make(chan struct{})} }

func newLog(o Options, lock dirLock, t *tail, s survey) *Log {
	l := &Log{now: o.Now, flushEvery: o.FlushEvery, mode: o.Mode, redact: o.Redact, lock: lock, tail: t, chain: s.chain, open: s.open,
		pending: newBatch(), copies: newCopier(o.Copy), blobs: make(chan struct{}, 1), wake: make(chan struct{}, 1),
		closing: make(chan struct{}), failed: make(chan struct{}), stopped: make(chan struct{})}
	l.buffers.New = func() any { return new(bytes.Buffer) }
	go l.run()
	return l
}

// ID is the log's id: the Log of every Position that it hands out.
func (l *Log) ID() string { return l.chain.log }

// Append stamps the record with the time and writes it down. When it returns without error the record is on stable storage;
// but in Batch mode a verdict, a note, a model's answer or a notification only will be, within FlushEvery.
//
// The order of records is that of their sequences; those of Appends at the same time may differ from it in At by a little.
// r is not kept, but what it points to must not change until Append returns.
//
// An error says that the record may not be counted on, not that it was not written: if ctx ends while waiting, or the
// disk fails half-way, the record may still turn up in the log. A record that is too large or cannot be encoded is
// refused and leaves the log as it was; after a write or fsync that failed, every Append fails until the log is reopened.
func (l *Log) Append(ctx context.Context, r gate.Record) (gate.Position, error) {
	return l.append(ctx, r, l.mode == Strict || !patient(r.Kind))
}

// patient reports whether nothing is done in reliance on a record of this kind. A kind that this version does not know is
// not.
func patient(k gate.RecordKind) bool {
	switch k {
	case gate.RecordVerdict, gate.RecordNote, gate.RecordModel, gate.RecordNotification:
		return true
	}
	return false
}

func (l *Log) append(ctx context.Context, r gate.Record, durable bool) (gate.Position, error) {
	r.At = l.now().UTC()
	buf := l.buffers.Get().(*bytes.Buffer)
	defer l.buffers.Put(buf)
	buf.Reset()
	record, err := encodeRecord(buf, r)
	if err != nil {
		return gate.Position{}, fmt.Errorf("append to audit log %s: %w", l.ID(), err)
	}
	b, pos, err := l.admit(ctx, r, record, durable)
	if err != nil {
		return gate.Position{}, fmt.Errorf("append to audit log %s: %w", l.ID(), err)
	}
	select {
	case l.wake <- struct{}{}:
	default: // the writer is already called
	}
	if err := b.wait(ctx, durable); err != nil {
		return gate.Position{}, fmt.Errorf("append record %d to audit log %s: %w", pos.Sequence, l.ID(), err)
	}
	return pos, nil
}

// admit gives the record its place in the chain and in a batch.
func (l *Log) admit(ctx context.Context, r gate.Record, record []byte, durable bool) (*batch, gate.Position, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, gate.Position{}, fmt.Errorf("nothing was written: %w", err)
		}
		l.mu.Lock()
		full := l.pending
		if len(full.lines)+len(record) <= maxPending || l.broken != nil || l.closed {
			pos, err := l.place(r, record, durable)
			l.mu.Unlock()
			return full, pos, err
		}
		l.mu.Unlock()
		select {
		case <-full.written:
		case <-ctx.Done():
		}
	}
}

// place adds the record's line to the pending batch. The lock is held.
func (l *Log) place(r gate.Record, record []byte, durable bool) (gate.Position, error) {
	if l.broken != nil {
		return gate.Position{}, fmt.Errorf("the log is broken by an earlier failure and must be reopened: %w", l.broken)
	}
	if l.closed {
		return gate.Position{}, ErrClosed
	}
	b, start := l.pending, len(l.pending.lines)
	pos := gate.Position{Log: l.chain.log, Sequence: l.chain.seq + 1}
	lines, hash := appendLine(b.lines, pos, l.chain.head, record)
	if n := len(lines) - start; n > MaxLine {
		b.lines = lines[:start]
		return gate.Position{}, tooLarge(n)
	}
	if start == 0 {
		b.first = pos.Sequence
	}
	b.last, b.lines, b.durable = pos.Sequence, lines, b.durable || durable
	l.chain.seq, l.chain.head = pos.Sequence, hash
	b.hashes = append(b.hashes, hash)
	l.open.track(stepOf(r), pos.Sequence, lines[start:len(lines)-1])
	return pos, nil
}

// wait waits until the batch is written, or on stable storage.
func (b *batch) wait(ctx context.Context, durable bool) error {
	done := b.written
	if durable {
		done = b.synced
	}
	select {
	case <-done:
	case <-ctx.Done():
		select {
		case <-done: // both at once: what is known counts
		default:
			return fmt.Errorf("it may or may not be written: %w", ctx.Err())
		}
	}
	if durable {
		return b.fsyncErr
	}
	return b.writeErr
}
