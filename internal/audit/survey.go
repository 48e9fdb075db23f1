package audit

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// survey is what Open finds in a directory.
type survey struct {
	chain
	open   openIntents
	mark   mark
	last   segment  // empty path: no segment
	size   int64    // of the good lines in the last segment, in bytes
	torn   int64    // bytes after them
	spoilt *Damage  // what a power cut did to the first of them; nil: the last line is not whole, no more
	behind int      // whole records after that damage
	told   []string // notes about what was moved aside
}

func surveyLog(dir string) (survey, error) {
	s := survey{open: openIntents{}}
	var err error
	if s.mark, err = readMark(dir); err != nil {
		return s, err
	}
	all, err := segments(dir)
	if err != nil {
		return s, err
	}
	if len(all) == 0 {
		return s, s.mark.missed(s.chain)
	}
	s.last = all[len(all)-1]
	if err := s.read(dir); err != nil {
		return s, err
	}
	if s.size == 0 && s.last.first != s.seq+1 {
		return s, fmt.Errorf("the last segment %s holds no whole record, and the log before it ends with record %d: restore what is missing, or begin with an empty directory", s.last.path, s.seq)
	}
	if err := s.mark.missed(s.chain); err != nil {
		return s, err
	}
	at, err := os.Stat(s.last.path)
	if err != nil {
		return s, fmt.Errorf("look at the last segment: %w", err)
	}
	s.torn = at.Size() - s.size
	return s, nil
}

// read follows the log to its last good line.
func (s *survey) read(dir string) error {
	c := &cursor{dir: dir}
	defer c.close()
	for {
		raw, err := c.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = s.take(c, raw)
		}
		var d *Damage
		if errors.As(err, &d) && d.File == s.last.path && s.mark.excuses(s.chain) {
			s.spoilt = d
			return s.count(c)
		}
		if err != nil {
			return fmt.Errorf("the log is damaged and cannot be continued; keep the directory as evidence, restore it or begin with an empty one: %w", s.name(err))
		}
	}
}

// take follows the chain through one line. Only lines of the last segment and those that an intent depends on are read
// whole, so that opening a long log stays quick.
func (s *survey) take(c *cursor, raw []byte) error {
	e, err := splitLine(raw)
	if err != nil {
		return c.damage(err.Error())
	}
	var entry Entry
	if c.seg == s.last || s.open.concern(e.record) || aboutAside(e.record) {
		if e, entry, err = parseLine(raw); err != nil {
			return c.damage(err.Error())
		}
	}
	if err := s.follow(c, e); err != nil {
		return err
	}
	s.open.track(entry.Record, e.pos.Sequence, raw)
	if aboutAside(e.record) {
		s.told = append(s.told, entry.Record.Text)
	}
	if c.seg == s.last {
		s.size = c.off
	}
	return nil
}

// count counts the whole records that are left to read.
func (s *survey) count(c *cursor) error {
	for {
		raw, err := c.next()
		var d *Damage
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &d):
		case err != nil:
			return err
		default:
			if _, _, err := parseLine(raw); err == nil {
				s.behind++
			}
		}
	}
}
