package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"
)

// Proof is a proof of RFC 6962, short and checked without the log: that a tree holds a record, or all of an earlier tree.
type Proof []Hash

// ProveConsistency shows that the log in dir, as the newer checkpoint counts it, begins with every record that the older one
// counted, unchanged. The older one counts a record at least.
func ProveConsistency(dir string, older, newer Checkpoint) (Proof, error) {
	p, err := prove(dir, func(r tlog.HashReader) (tlog.TreeProof, error) {
		return tlog.ProveTree(int64(newer.Size), int64(older.Size), r)
	})
	if err != nil {
		return nil, fmt.Errorf("prove that checkpoint %d of audit log %s continues checkpoint %d: %w", newer.Size, dir, older.Size, err)
	}
	return p, CheckConsistency(p, older, newer)
}

// CheckConsistency checks a proof of ProveConsistency. It needs nothing but the two checkpoints, whose signatures are checked
// when they are read.
func CheckConsistency(p Proof, older, newer Checkpoint) error {
	if older.Log != newer.Log {
		return fmt.Errorf("the checkpoints are of two logs, %s and %s", older.Log, newer.Log)
	}
	err := tlog.CheckTree(treeHashes(p), int64(newer.Size), tlog.Hash(newer.Root), int64(older.Size), tlog.Hash(older.Root))
	if err != nil {
		return fmt.Errorf("nothing shows that checkpoint %d of log %s continues checkpoint %d: the log was rewritten, or its file %q has to be made anew (opening it does): %w",
			newer.Size, newer.Log, older.Size, treeName, err)
	}
	return nil
}

// ProveRecord shows that the log in dir, as the checkpoint counts it, holds the entry.
func ProveRecord(dir string, e Entry, c Checkpoint) (Proof, error) {
	p, err := prove(dir, func(r tlog.HashReader) (tlog.RecordProof, error) {
		return tlog.ProveRecord(int64(c.Size), int64(e.Position.Sequence)-1, r)
	})
	if err != nil {
		return nil, fmt.Errorf("prove that record %d is in checkpoint %d of audit log %s: %w", e.Position.Sequence, c.Size, dir, err)
	}
	return p, CheckRecord(p, e, c)
}

// CheckRecord checks a proof of ProveRecord. It believes the entry's Hash: whoever has the line checks that first.
func CheckRecord(p Proof, e Entry, c Checkpoint) error {
	if e.Position.Log != c.Log {
		return fmt.Errorf("the record is of log %s, and the checkpoint of %s", e.Position.Log, c.Log)
	}
	err := tlog.CheckRecord(treeHashes(p), int64(c.Size), tlog.Hash(c.Root), int64(e.Position.Sequence)-1, e.Hash.leaf())
	if err != nil {
		return fmt.Errorf("nothing shows that record %d with hash %s is in checkpoint %d of log %s: %w", e.Position.Sequence, e.Hash, c.Size, c.Log, err)
	}
	return nil
}

// prove reads the hashes of a log's tree. The file is not believed: every proof is checked before it is handed out.
func prove[P ~[]tlog.Hash](dir string, with func(tlog.HashReader) (P, error)) (Proof, error) {
	f, err := os.Open(filepath.Join(dir, treeName))
	if err != nil {
		return nil, fmt.Errorf("open the hashes of the log's tree: %w", err)
	}
	p, err := with(storedHashes(f))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	proof := make(Proof, len(p))
	for i, h := range p {
		proof[i] = Hash(h)
	}
	return proof, nil
}

func treeHashes(p Proof) []tlog.Hash {
	hashes := make([]tlog.Hash, len(p))
	for i, h := range p {
		hashes[i] = tlog.Hash(h)
	}
	return hashes
}
