package audit

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/mod/sumdb/tlog"
)

// survey is what Open finds in a directory.
type survey struct {
	chain
	open   openIntents
	mark   mark
	keys   []string   // verifier keys of all that signed
	own    Checkpoint // the log's own; zero: none
	tree   tree       // over the good lines
	stored *treeCompare
	denied bool        // the records are sound in themselves, and not those that the checkpoint counts
	hashes []tlog.Hash // a buffer for what one line adds to the tree
	last   segment     // empty path: no segment
	size   int64       // of the good lines in the last segment, in bytes
	torn   int64       // bytes after them
	spoilt *Damage     // what a power cut did to the first of them; nil: the last line is not whole, no more
	behind int         // whole records after that damage
	told   []string    // notes about what was moved aside
}

func surveyLog(dir string) (survey, error) {
	s := survey{open: openIntents{}}
	var err error
	if s.mark, err = readMark(dir); err != nil {
		return s, err
	}
	if s.keys, err = VerifierKeys(dir); err != nil {
		return s, err
	}
	if s.own, err = ownCheckpoint(dir, s.keys); err != nil {
		return s, fmt.Errorf("keep the directory as evidence, or remove the file to go on without it: %w", err)
	}
	s.mark.raise(s.own)
	if s.stored, err = compareTree(dir, true); err != nil {
		return s, err
	}
	defer s.stored.close()
	all, err := segments(dir)
	if err != nil {
		return s, err
	}
	if len(all) == 0 {
		return s, s.missed()
	}
	s.last = all[len(all)-1]
	if err := s.read(dir); err != nil {
		return s, err
	}
	if s.size == 0 && s.last.first != s.seq+1 {
		return s, fmt.Errorf("the last segment %s holds no whole record, and the log before it ends with record %d: restore what is missing, or begin with an empty directory", s.last.path, s.seq)
	}
	if err := s.missed(); err != nil {
		return s, err
	}
	at, err := os.Stat(s.last.path)
	if err != nil {
		return s, fmt.Errorf("look at the last segment: %w", err)
	}
	s.torn = at.Size() - s.size
	return s, nil
}

// missed says what the log's own files know of it and it does not hold.
func (s *survey) missed() error {
	if err := s.mark.missed(s.chain); err != nil {
		return err
	}
	if c := s.own.claim(checkpointBy); c.Sequence > s.seq || c.Sequence > 0 && c.Log != s.log {
		return fmt.Errorf("%s; restore what is missing, or remove that file to go on without it", c.missed(s.chain))
	}
	return nil
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
		if errors.As(err, &d) && !s.denied && d.File == s.last.path && s.mark.excuses(s.chain) {
			s.spoilt = d
			return s.count(c)
		}
		if err != nil {
			return fmt.Errorf("the log is damaged and cannot be continued; keep the directory as evidence, restore it or begin with an empty one: %w", s.name(err))
		}
	}
}

// take follows the chain through one line. Only lines of the last segment and those that something depends on are held
// against their hash, so that opening a long log stays quick.
func (s *survey) take(c *cursor, raw []byte) error {
	e, err := splitLine(raw)
	if err != nil {
		return c.damage(err.Error())
	}
	does, err := peek(e.record)
	if err == nil && (c.seg == s.last || does.Kind != "" || aboutAside(e.record)) {
		err = e.check(raw)
	}
	if err != nil {
		return c.damage(err.Error())
	}
	if err := s.follow(c.place(), e); err != nil {
		return err
	}
	s.hashes = s.tree.add(e.hash.leaf(), s.hashes[:0])
	s.stored.take(s.hashes)
	if own := s.own.claim(checkpointBy); own.Sequence == s.seq {
		if err := own.holds(s.chain, &s.tree); err != nil {
			s.denied = true
			return c.damage(err.Error())
		}
	}
	if !does.elsewhere(s.log) {
		s.open.track(does, e.pos.Sequence, raw)
	}
	if aboutAside(e.record) {
		if _, entry, err := parseLine(raw); err == nil {
			s.told = append(s.told, entry.Record.Text)
		}
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
			if e, err := splitLine(raw); err == nil && e.check(raw) == nil {
				s.behind++
			}
		}
	}
}
