package audit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"
)

// treeName is the file that holds the hashes of a log's tree, in the order of tlog.StoredHashIndex and nothing else. It is
// made from the lines and never believed over them.
const treeName = "tree"

// tree is the Merkle tree over the records of a log, as far as it is needed to make it grow: its right edge. The zero tree
// has no leaf.
type tree struct {
	size uint64
	edge [64]tlog.Hash // by level: the whole subtree that waits for its sibling on the right
}

// add gives the tree one more leaf and appends to dst what is to be stored of it.
func (t *tree) add(h tlog.Hash, dst []tlog.Hash) []tlog.Hash {
	dst = append(dst, h)
	level := 0
	for n := t.size; n&1 == 1; n >>= 1 {
		h = tlog.NodeHash(t.edge[level], h)
		dst = append(dst, h)
		level++
	}
	t.edge[level] = h
	t.size++
	return dst
}

// root is the hash of the whole tree.
func (t *tree) root() Hash {
	h, err := tlog.TreeHash(int64(t.size), tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			level, _ := tlog.SplitStoredHashIndex(index)
			hashes[i] = t.edge[level]
		}
		return hashes, nil
	}))
	if err != nil {
		return Hash{} // the reader above answers with as many hashes as it is asked for, and never fails
	}
	return Hash(h)
}

// treeCompare holds the hashes made from the lines against those in the file, until the two differ.
type treeCompare struct {
	file *os.File // nil: there is none
	r    *bufio.Reader
	same int64       // hashes that stand in the file as they should
	ends bool        // the file ends after them, but for less than a hash
	rest []tlog.Hash // those after them, as they should be; only if keep
	keep bool
}

func compareTree(dir string, keep bool) (*treeCompare, error) {
	f, err := os.Open(filepath.Join(dir, treeName))
	if errors.Is(err, os.ErrNotExist) {
		return &treeCompare{ends: true, keep: keep}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the hashes of the log's tree: %w", err)
	}
	return &treeCompare{file: f, r: bufio.NewReaderSize(f, 64<<10), keep: keep}, nil
}

func (c *treeCompare) take(hashes []tlog.Hash) {
	for i, want := range hashes {
		var got tlog.Hash
		if c.file != nil {
			_, err := io.ReadFull(c.r, got[:])
			if err == nil && got == want {
				c.same++
				continue
			}
			c.ends = err != nil
			c.close()
		}
		if c.keep {
			c.rest = append(c.rest, hashes[i:]...)
		}
		return
	}
}

func (c *treeCompare) close() {
	if c.file != nil {
		c.file.Close() // read only: nothing can be lost
		c.file = nil
	}
}

// treeFile is the file while the log is written. Nothing in it is fsynced: Open makes anew what is missing.
type treeFile struct {
	f       *os.File
	saved   int64 // hashes
	pending []tlog.Hash
}

// begin opens the file and makes it what the lines say.
func (t *treeFile) begin(dir string, found *treeCompare) error {
	f, err := os.OpenFile(filepath.Join(dir, treeName), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the hashes of the log's tree: %w", err)
	}
	t.f, t.saved, t.pending = f, found.same, found.rest
	if err := f.Truncate(t.saved * tlog.HashSize); err != nil {
		return fmt.Errorf("cut the hashes of the log's tree: %w", err)
	}
	return t.save()
}

// save writes what is pending.
func (t *treeFile) save() error {
	b := make([]byte, 0, len(t.pending)*tlog.HashSize)
	for _, h := range t.pending {
		b = append(b, h[:]...)
	}
	if _, err := t.f.WriteAt(b, t.saved*tlog.HashSize); err != nil {
		return fmt.Errorf("write the hashes of the log's tree: %w", err)
	}
	t.saved += int64(len(t.pending))
	t.pending = t.pending[:0]
	return nil
}

func (t *treeFile) close() error {
	if t.f == nil {
		return nil
	}
	err := t.f.Close()
	t.f = nil
	if err != nil {
		return fmt.Errorf("close the hashes of the log's tree: %w", err)
	}
	return nil
}

// storedHashes reads the file for a proof.
func storedHashes(f *os.File) tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			if _, err := f.ReadAt(hashes[i][:], index*tlog.HashSize); err != nil {
				return nil, fmt.Errorf("read hash %d of the log's tree: %w", index, err)
			}
		}
		return hashes, nil
	}
}
