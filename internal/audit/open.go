package audit

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Open opens the log in dir for writing, and begins one if there is none. Only one process can have it open.
//
// The chain is followed through the whole log, and in the last segment every record is also checked against its hash.
// Damage is an error, and nothing is changed. Two things are no damage: a last line that is not whole is a write that a
// crash cut short, and what is damaged after the last record known to be on stable storage was spoilt by a power cut. For
// neither has an Append promised anything. Both are moved aside into a ".torn" file, with all that follows, a note in the
// log says so, and the log goes on.
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

func open(dir string, o Options, lock dirLock) (*Log, error) {
	s, err := surveyLog(dir)
	if err != nil {
		return nil, err
	}
	if s.log = cmp.Or(s.log, s.mark.Log, lastSigned(s.keys)); s.log == "" {
		s.log = o.Name + "-" + strings.ToLower(rand.Text()[:16])
	}
	t := &tail{dir: dir, log: s.log, limit: o.SegmentBytes, fsync: o.fsync}
	var turned string
	if t.notary, turned, err = newNotary(dir, s.log, o); err != nil {
		return nil, err
	}
	moved, err := t.resume(s)
	if err == nil {
		err = t.seal()
	}
	if err != nil {
		return nil, errors.Join(err, t.close())
	}
	l := newLog(o, lock, t, s)
	if err = l.tellAsides(s, moved); err == nil && turned != "" {
		err = l.tell("from here on checkpoints are signed with another key, %s; those before with %s", t.notary.vkey, turned)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// prepareDir makes the directory. One that others than its owner and group may enter is refused rather than changed: it
// may be somebody's. The group is let in because Kubernetes gives volumes to one (fsGroup).
func prepareDir(dir string, fsync func(*os.File) error) error {
	at, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) {
		return makeDir(dir, fsync)
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

// makeDir makes a directory and what is missing above it, each durable before the next.
func makeDir(dir string, fsync func(*os.File) error) error {
	above := filepath.Dir(dir)
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, os.ErrNotExist) && above != dir {
		if err := makeDir(above, fsync); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o700)
	}
	if err != nil && !errors.Is(err, os.ErrExist) { // another process may be as far
		return fmt.Errorf("make the directory: %w", err)
	}
	return syncDir(above, fsync)
}
