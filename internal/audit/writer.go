package audit

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

const (
	gatherMax = 16      // yields before a batch is written
	spareMax  = 4 << 20 // bytes of a buffer worth keeping
)

// run is the one goroutine that touches the disk, but for what seals beside it. It ends with Close.
func (l *Log) run() {
	defer close(l.stopped)
	timer := time.NewTimer(l.flushEvery)
	timer.Stop()
	defer timer.Stop()
	armed := false
	for {
		select {
		case <-l.wake:
			l.commit()
		case <-timer.C:
			armed = false
			l.sealBeside()
		case s := <-l.tail.beside:
			if err := l.tail.joined(s); err != nil {
				l.fail(err)
			}
		case <-l.closing:
			l.commit()
			l.seal()
			return
		}
		if waits := l.waits(); waits != armed {
			if armed = waits; armed {
				timer.Reset(l.flushEvery)
			} else {
				timer.Stop()
			}
		}
	}
}

// commit writes the pending batch, and fsyncs if anybody in it waits for that.
func (l *Log) commit() {
	l.gather()
	l.mu.Lock()
	b, err := l.pending, l.broken
	l.pending = newBatch()
	l.pending.lines, l.spare = l.spare, nil
	l.mu.Unlock()
	if err == nil && len(b.lines) > 0 {
		if err = l.tail.write(b); err != nil {
			l.fail(err)
		}
	}
	b.writeErr = err
	close(b.written)
	if err == nil && b.durable {
		err = l.flush()
	}
	b.fsyncErr = err
	close(b.synced)
	if err == nil {
		l.copies.take(b)
	}
	if cap(b.lines) <= spareMax {
		l.spare = b.lines[:0]
	}
}

// gather lets those that the last batch has just set free put their next records into this one. It only yields, and stops
// as soon as that brings nothing, so a lone writer does not wait.
func (l *Log) gather() {
	for range gatherMax {
		before := l.pendingBytes()
		runtime.Gosched()
		if l.pendingBytes() == before {
			return
		}
	}
}

func (l *Log) pendingBytes() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.pending.lines)
}

func (l *Log) flush() error {
	if err := l.Err(); err != nil {
		return err
	}
	err := l.tail.sync()
	if err != nil {
		l.fail(err)
	}
	return err
}

// waits reports whether something written waits for its fsync, or for a checkpoint that counts it.
func (l *Log) waits() bool {
	return l.Err() == nil && (l.tail.dirty || l.tail.beside == nil && l.tail.tree.size != l.tail.notary.signed)
}

// sealBeside has all that was written put on stable storage and signed, and does not wait for it, unless the disk is so slow that
// the one before is still at it: no more is written then than waits to be safe for so long.
func (l *Log) sealBeside() {
	if err := l.tail.join(); err != nil {
		l.fail(err)
	}
	if l.Err() == nil {
		l.tail.sealBeside()
	}
}

// seal puts all that was written on stable storage and signs it.
func (l *Log) seal() {
	if l.flush() != nil {
		return
	}
	if err := l.tail.seal(); err != nil {
		l.fail(err)
	}
}

// fail breaks the log for good. The first cause is kept; what is dirty is not fsynced again.
func (l *Log) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken == nil {
		l.broken = err
		close(l.failed)
	}
	l.tail.dirty = false
}

// Err says what broke the log; nil while it works. A process whose log is broken is not ready.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken
}

// Broken is closed when the log breaks. It stays broken until it is opened again, so a process that only waits for better
// times waits for good: it should end with Err and be started anew.
func (l *Log) Broken() <-chan struct{} { return l.failed }

// Close writes and fsyncs what is pending and lets the directory go. Appends that come later fail with ErrClosed. The
// error says what of the log's content cannot be counted on, also if that broke earlier. Closing twice is no error.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		<-l.stopped
		return nil
	}
	l.closed = true
	l.mu.Unlock()
	close(l.closing)
	<-l.stopped
	l.blobs <- struct{}{} // the last blob is kept, and no other will be
	l.copies.close()
	err := l.Err()
	if cerr := l.tail.close(); err == nil {
		err = cerr
	}
	if err = errors.Join(err, l.lock.Close()); err != nil {
		return fmt.Errorf("close audit log %s: %w", l.ID(), err)
	}
	return nil
}
