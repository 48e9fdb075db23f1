package audit

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	segmentDigits = 20 // as many as the largest sequence has, so that names sort as numbers do
	segmentSuffix = ".jsonl"
	maxID         = 63
)

// segment is one file of a log.
type segment struct {
	first uint64 // the sequence of its first record, which is also its name
	path  string
}

func segmentAt(dir string, first uint64) segment {
	return segment{first: first, path: filepath.Join(dir, fmt.Sprintf("%0*d%s", segmentDigits, first, segmentSuffix))}
}

// segments lists a log's segments, oldest first.
func segments(dir string) ([]segment, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list the segments of audit log %s: %w", dir, err)
	}
	var found []segment
	for _, f := range files {
		digits, ok := strings.CutSuffix(f.Name(), segmentSuffix)
		if !ok || len(digits) != segmentDigits {
			continue
		}
		if first, err := strconv.ParseUint(digits, 10, 64); err == nil {
			found = append(found, segment{first: first, path: filepath.Join(dir, f.Name())})
		}
	}
	slices.SortFunc(found, func(a, b segment) int { return cmp.Compare(a.first, b.first) })
	return found, nil
}

// validID reports whether s may name a log: lower-case letters, digits and hyphens, so that it needs no escaping anywhere.
func validID(s string) bool {
	if s == "" || len(s) > maxID {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	})
}
