package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"moorgate.dev/internal/gate"
)

// markName is the file that says how far a log is on stable storage.
const markName = "synced"

// mark is what that file says: the log was fsynced up to this record. It is written after every fsync of the log, but is
// itself fsynced only with each new segment, so after a power cut it may be older than the truth. It is never ahead of it.
//
// It tells a power cut from tampering and decay: a power cut spoils nothing that was fsynced. The zero mark knows nothing.
type mark struct {
	gate.Position
	known bool
}

// line has the sequence twice: a reader beside a writer may meet half of each of two marks.
func (m mark) line() []byte {
	return fmt.Appendf(nil, "%0*d %s %0*d\n", segmentDigits, m.Sequence, m.Log, segmentDigits, m.Sequence)
}

// readMark reads the mark of the log in dir. A file that is missing or makes no sense is a zero mark.
func readMark(dir string) (mark, error) {
	b, err := os.ReadFile(filepath.Join(dir, markName))
	if errors.Is(err, os.ErrNotExist) {
		return mark{}, nil
	}
	if err != nil {
		return mark{}, fmt.Errorf("read how far the log is on stable storage: %w", err)
	}
	var m mark
	parts := strings.Fields(string(b))
	if len(parts) != 3 || !validID(parts[1]) {
		return mark{}, nil
	}
	m.Log, m.known = parts[1], true
	if m.Sequence, err = strconv.ParseUint(parts[0], 10, 64); err != nil || string(m.line()) != string(b) {
		return mark{}, nil
	}
	return m, nil
}

// excuses reports whether damage right after k may be a power cut's: nothing there is known to be on stable storage.
func (m mark) excuses(k chain) bool {
	return m.known && m.Sequence <= k.seq && (k.log == "" || k.log == m.Log)
}

// missed says what of the log the mark knows and k, its end, does not.
func (m mark) missed(k chain) error {
	if !m.known || m.Sequence == 0 || m.Sequence <= k.seq && m.Log == k.log {
		return nil
	}
	ends := "holds no whole record"
	if k.seq > 0 {
		ends = fmt.Sprintf("ends with record %d of log %s", k.seq, k.log)
	}
	return fmt.Errorf("the file %q says that record %d of log %s was on stable storage, and the log %s: restore what is missing, or remove that file to go on without it",
		markName, m.Sequence, m.Log, ends)
}

// raise takes into account that a checkpoint counts only what is on stable storage. It is fsynced itself, so after a power cut
// it may be the newer of the two.
func (m *mark) raise(c Checkpoint) {
	if m.known && c.Log == m.Log {
		m.Sequence = max(m.Sequence, c.Size)
	}
}

// note writes down that all that was written is on stable storage. No fsync: that would cost as much as the log's own.
func (t *tail) note() error {
	m := mark{Position: gate.Position{Log: t.log, Sequence: t.last}}
	if _, err := t.mark.WriteAt(m.line(), 0); err != nil {
		return fmt.Errorf("write how far the log is on stable storage: %w", err)
	}
	return nil
}

// settleMark puts the mark itself on stable storage; its name is, once the directory is fsynced.
func (t *tail) settleMark() error {
	var err error
	if t.mark == nil {
		if t.mark, err = os.OpenFile(filepath.Join(t.dir, markName), os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
			return fmt.Errorf("open how far the log is on stable storage: %w", err)
		}
	}
	if err := t.note(); err != nil {
		return err
	}
	if err = t.mark.Truncate(int64(len(mark{Position: gate.Position{Log: t.log}}.line()))); err == nil {
		err = t.fsync(t.mark)
	}
	if err != nil {
		return fmt.Errorf("fsync how far the log is on stable storage: %w", err)
	}
	return nil
}
