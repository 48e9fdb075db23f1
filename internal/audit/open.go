package audit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"moorgate.dev/internal/gate"
)

// Open opens the log in dir for writing, and begins one if there is none. Only one process can have it open.
//
// The chain is followed through the whole log, and in the last segment every record is also checked against its hash.
// Damage is an error, and nothing is changed. A last line that is not whole is a write that a crash cut short: its Append
// never returned. It is moved aside into a ".torn" file, a note in the log says so, and the log goes on.
func Open(dir string, o Options) (*Log, error) {
	o, err := o.complete()
	if err != nil {
		return nil, fmt.Errorf("open audit log %s: %w", dir, err)
	}
	if err := prepareDir(dir, o.fsync); err != nil {
		return nil, fmt.Errorf("open audit log %s: %w", dir, err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open audit log %s: %w", dir, err)
	}
	l, err := open(dir, o, lock)
	if err != nil {
		lock.Close() // ends the lock; the reason for failing is the one to tell
		return nil, fmt.Errorf("open audit log %s: %w", dir, err)
	}
	return l, nil
}

func open(dir string, o Options, lock *os.File) (*Log, error) {
	s, err := surveyLog(dir)
	if err != nil {
		return nil, err
	}
	t := &tail{dir: dir, limit: o.SegmentBytes, fsync: o.fsync}
	moved, err := t.resume(s)
	if err != nil {
		return nil, err
	}
	if s.log == "" {
		s.log = o.Name + "-" + strings.ToLower(rand.Text()[:16])
	}
	l := newLog(o, lock, t, s)
	if s.torn > 0 {
		note := gate.Record{Kind: gate.RecordNote, Text: fmt.Sprintf("%d bytes after record %d were not a whole record (a write cut short) and were moved to %s",
			s.torn, s.seq, filepath.Base(moved))}
		if _, err := l.append(context.Background(), note, true); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	return l, nil
}

// prepareDir makes the directory. One that others than its owner and group may enter is refused rather than changed: it
// may be somebody's. The group is let in because Kubernetes gives volumes to one (fsGroup).
func prepareDir(dir string, fsync func(*os.File) error) error {
	at, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make the directory: %w", err)
		}
		return syncDir(filepath.Dir(dir), fsync)
	}
	if err != nil {
		return fmt.Errorf("look at the directory: %w", err)
	}
	if !at.IsDir() {
		return errors.New("this is a file, and a log is a directory")
	}
	if at.Mode().Perm()&0o007 != 0 {
		return fmt.Errorf("the directory is open to everybody (mode %04o): use one of its own, with mode 0700", at.Mode().Perm())
	}
	return nil
}

// survey is what Open finds in a directory.
type survey struct {
	chain
	open openIntents
	last segment // empty path: no segment
	size int64   // of the whole lines in the last segment, in bytes
	torn int64   // bytes after them
}

func surveyLog(dir string) (survey, error) {
	s := survey{open: openIntents{}}
	all, err := segments(dir)
	if err != nil || len(all) == 0 {
		return s, err
	}
	s.last = all[len(all)-1]
	c := &cursor{dir: dir}
	defer c.close()
	for {
		raw, err := c.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = s.take(c, raw)
		}
		if err != nil {
			return s, fmt.Errorf("the log is damaged and cannot be continued; keep the directory as evidence, restore it or begin with an empty one: %w", s.name(err))
		}
	}
	if c.line == 0 && s.last.first != s.seq+1 {
		return s, fmt.Errorf("the last segment %s holds no whole record, and the log before it ends with record %d: restore what is missing, or begin with an empty directory", s.last.path, s.seq)
	}
	at, err := os.Stat(s.last.path)
	if err != nil {
		return s, fmt.Errorf("look at the last segment: %w", err)
	}
	s.size, s.torn = c.off, at.Size()-c.off
	return s, nil
}

// take follows the chain through one line. Only lines of the last segment and those that an intent depends on are read
// whole, so that opening a long log stays quick.
func (s *survey) take(c *cursor, raw []byte) error {
	e, err := splitLine(raw)
	if err == nil && (c.seg == s.last || s.open.concern(e.record)) {
		var entry Entry
		if e, entry, err = parseLine(raw); err == nil {
			s.open.track(entry.Record, e.pos.Sequence, raw)
		}
	}
	if err != nil {
		return c.damage(err.Error())
	}
	return s.follow(c, e)
}
