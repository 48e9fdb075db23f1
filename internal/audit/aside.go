package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"moorgate.dev/internal/gate"
)

// asideSuffix ends the names of the files that hold what Open moved out of a log.
const asideSuffix = ".torn"

// moveAside copies what stands after the last good line to a file of its own, and cuts it off once the copy is safe.
func (t *tail) moveAside(f *os.File, s survey) (string, error) {
	var aside *os.File
	for n := 1; aside == nil; n++ {
		var err error
		aside, err = os.OpenFile(fmt.Sprintf("%s.%d%s", s.last.path, n, asideSuffix), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil && !errors.Is(err, os.ErrExist) {
			return "", fmt.Errorf("move %d bytes aside: %w", s.torn, err)
		}
	}
	_, err := io.Copy(aside, io.NewSectionReader(f, s.size, s.torn))
	if err == nil {
		err = t.fsync(aside)
	}
	if err = errors.Join(err, aside.Close()); err == nil {
		err = syncDir(t.dir, t.fsync)
	}
	if err == nil {
		err = f.Truncate(s.size)
	}
	if err != nil {
		return "", fmt.Errorf("move %d bytes aside to %s: %w", s.torn, aside.Name(), err)
	}
	return filepath.Base(aside.Name()), nil
}

// tellAsides writes a note for every file of what was moved aside that no note names yet: the one moved just now, and those
// of a crash that came before the note.
func (l *Log) tellAsides(s survey, moved string) error {
	all, err := os.ReadDir(l.tail.dir)
	if err != nil {
		return fmt.Errorf("list what was moved aside: %w", err)
	}
	for _, file := range all {
		name := file.Name()
		if !strings.HasSuffix(name, asideSuffix) || slices.ContainsFunc(s.told, func(text string) bool { return strings.Contains(text, name) }) {
			continue
		}
		at, err := file.Info()
		if err != nil {
			return fmt.Errorf("look at what was moved aside: %w", err)
		}
		told := fmt.Sprintf("%s holds %d bytes that were copied or moved aside when the log was opened before; the process ended before it could say so", name, at.Size())
		if name == moved {
			told = s.tornBecause() + name
		}
		if err := l.tell("%s", told); err != nil {
			return err
		}
	}
	return nil
}

// tell writes a note that is on stable storage when it returns.
func (l *Log) tell(format string, args ...any) error {
	_, err := l.append(context.Background(), gate.Record{Kind: gate.RecordNote, Text: fmt.Sprintf(format, args...)}, true)
	return err
}

// tornBecause says what was moved aside and why, up to the name of the file.
func (s survey) tornBecause() string {
	if s.spoilt == nil {
		return fmt.Sprintf("%d bytes after record %d were not a whole record (a write cut short) and were moved to ", s.torn, s.seq)
	}
	return fmt.Sprintf("%d bytes after record %d are damaged as a power cut leaves what it finds on its way to the disk (%s), and with the %d whole records after the damage were moved to ",
		s.torn, s.seq, s.spoilt.Problem, s.behind)
}

// aboutAside reports whether a canonical record may be a note about what was moved aside.
func aboutAside(record []byte) bool {
	return bytes.HasPrefix(record, []byte(`{"kind":"note"`)) && bytes.Contains(record, []byte(asideSuffix))
}
