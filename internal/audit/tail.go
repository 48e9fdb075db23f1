package audit

import (
	"errors"
	"fmt"
	"os"
)

// tail is the end of the log that is being written: the last segment. Only one goroutine uses it, but for a seal beside.
type tail struct {
	dir   string
	log   string // its id
	limit int64  // bytes that a segment may grow to
	fsync func(*os.File) error

	f     *os.File // nil before the first segment
	size  int64
	last  uint64   // the record written last
	dirty bool     // something was written since the last fsync
	mark  *os.File // nil before the first segment

	tree   tree // over all that was written
	stored treeFile
	notary *notary

	beside chan sealed // tells the end of a seal that goes on beside; nil: none does
}

// write appends the whole lines of a batch. They stand in one segment.
func (t *tail) write(b *batch) error {
	lines := b.lines
	if t.f == nil || t.size > 0 && t.size+int64(len(lines)) > t.limit {
		if err := t.roll(b.first); err != nil {
			return err
		}
	}
	t.dirty = true
	n, err := t.f.Write(lines)
	t.size += int64(n)
	if err != nil {
		return fmt.Errorf("write %d bytes to the audit log: %w", len(lines), err)
	}
	t.last = b.last
	for _, h := range b.hashes {
		t.stored.pending = t.tree.add(h.leaf(), t.stored.pending)
	}
	return nil
}

// sync puts all that was written on stable storage. After an error nothing may be concluded, and it must not be retried.
func (t *tail) sync() error {
	if err := t.join(); err != nil {
		return err
	}
	if !t.dirty {
		return nil
	}
	if err := t.fsync(t.f); err != nil {
		return fmt.Errorf("fsync the audit log: %w", err)
	}
	t.dirty = false
	return t.note()
}

// roll begins a segment. The one before is on stable storage first, so only the last segment can ever be torn, and a
// checkpoint counts all of it.
func (t *tail) roll(first uint64) error {
	if err := t.end(); err != nil {
		return err
	}
	if err := t.settleMark(); err != nil {
		return err
	}
	if err := t.seal(); err != nil {
		return err
	}
	f, err := os.OpenFile(segmentAt(t.dir, first).path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("begin an audit segment: %w", err)
	}
	t.f, t.size = f, 0
	return syncDir(t.dir, t.fsync)
}

// end puts the segment on stable storage and closes it.
func (t *tail) end() error {
	if t.f == nil {
		return nil
	}
	err := t.sync()
	if cerr := t.f.Close(); cerr != nil {
		err = errors.Join(err, fmt.Errorf("close the audit segment: %w", cerr))
	}
	t.f = nil
	return err
}

func (t *tail) close() error {
	err := errors.Join(t.join(), t.end(), t.stored.close())
	if t.mark != nil {
		if cerr := t.mark.Close(); cerr != nil {
			err = errors.Join(err, fmt.Errorf("close how far the log is on stable storage: %w", cerr))
		}
		t.mark = nil
	}
	return err
}

// resume makes the last segment ready to be continued: what stands after the last good line is moved aside, to the file
// that it names, and the rest is put on stable storage.
func (t *tail) resume(s survey) (moved string, err error) {
	t.tree = s.tree
	if err := t.stored.begin(t.dir, s.stored); err != nil {
		return "", err
	}
	if s.last.path == "" {
		return "", nil
	}
	f, err := os.OpenFile(s.last.path, os.O_RDWR, 0)
	if err != nil {
		return "", fmt.Errorf("open the last segment: %w", err)
	}
	defer f.Close() // fsynced below, and O_APPEND is needed for what follows
	if s.torn > 0 {
		if moved, err = t.moveAside(f, s); err != nil {
			return "", err
		}
	}
	if err := t.settle(f, s.size); err != nil {
		return "", err
	}
	t.last = s.seq
	if err := errors.Join(t.settleMark(), syncDir(t.dir, t.fsync)); err != nil {
		return "", err
	}
	if t.f, err = os.OpenFile(s.last.path, os.O_WRONLY|os.O_APPEND, 0); err != nil {
		return "", fmt.Errorf("open the last segment: %w", err)
	}
	t.size = s.size
	return moved, nil
}

// settle writes the bytes that stand in f over themselves and fsyncs. Merely to fsync would not do: if an fsync failed
// before, the operating system may hold the bytes in memory, call them clean, and never write them.
func (t *tail) settle(f *os.File, size int64) error {
	buf := make([]byte, 256<<10)
	for off := int64(0); off < size; {
		part := buf[:min(int64(len(buf)), size-off)]
		if _, err := f.ReadAt(part, off); err != nil {
			return fmt.Errorf("read back the last segment: %w", err)
		}
		if _, err := f.WriteAt(part, off); err != nil {
			return fmt.Errorf("write the last segment again: %w", err)
		}
		off += int64(len(part))
	}
	if err := t.fsync(f); err != nil {
		return fmt.Errorf("fsync the last segment: %w", err)
	}
	return nil
}

// syncDir makes the names in a directory durable.
func syncDir(dir string, fsync func(*os.File) error) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open %s to fsync it: %w", dir, err)
	}
	defer d.Close() // read only: nothing can be lost
	if err := fsync(d); err != nil {
		return fmt.Errorf("fsync directory %s: %w", dir, err)
	}
	return nil
}
