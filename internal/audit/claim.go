package audit

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"moorgate.dev/internal/gate"
)

// checkpointBy is how the log's own checkpoint says something.
const checkpointBy = `counted by the log's own file "` + checkpointName + `"`

// Anchor is what somebody outside the log remembers of it: a Case, a person, another log, a ConfigMap. It is one of two things:
// a record, by its Position and its Hash (a zero Hash asks only that the record is there); or a signed Checkpoint.
type Anchor struct {
	Position gate.Position `json:"position,omitzero"`
	Hash     Hash          `json:"hash,omitzero"`
	// Checkpoint is the signed text as Log.Checkpoint gave it.
	Checkpoint []byte `json:"checkpoint,omitempty"`
	// Keys are the verifier keys of the log, as they are remembered beside the checkpoint. None: those that the log itself
	// says it signed with, which shows an accident but stops nobody who can write the files.
	Keys []string `json:"keys,omitempty"`
}

// claim is what somebody says about the log up to one record.
type claim struct {
	gate.Position
	hash Hash   // of the record; zero: any
	root *Hash  // of the tree up to the record; nil: any
	by   string // how the claim says so: "remembered elsewhere"
}

// ownClaims are what the log's own files say.
func ownClaims(m mark, own Checkpoint) []claim {
	var all []claim
	if m.known && m.Sequence > 0 {
		all = append(all, claim{Position: m.Position, by: fmt.Sprintf("named by the log's own file %q", markName)})
	}
	if own.Size > 0 {
		all = append(all, own.claim(checkpointBy))
	}
	return all
}

// claim reads the anchor. A checkpoint that nobody vouches for is a *Damage.
func (a Anchor) claim(dir string, keys []string) (claim, error) {
	if len(a.Checkpoint) == 0 {
		if a.Position.Sequence == 0 {
			return claim{}, errors.New("it names no record")
		}
		return claim{Position: a.Position, hash: a.Hash, by: "remembered elsewhere"}, nil
	}
	if len(a.Keys) > 0 {
		keys = a.Keys
	}
	c, err := ParseCheckpoint(a.Checkpoint, keys...)
	if err != nil {
		return claim{}, &Damage{File: filepath.Join(dir, keysName), Problem: "a checkpoint that is remembered elsewhere cannot be believed: " + err.Error()}
	}
	return c.claim("counted by a checkpoint of " + c.At.Format(time.DateTime) + " UTC that is remembered elsewhere"), nil
}

func (c Checkpoint) claim(by string) claim {
	return claim{Position: gate.Position{Log: c.Log, Sequence: c.Size}, root: &c.Root, by: by}
}

// holds compares a claim about the record that the chain stands at.
func (c claim) holds(k chain, t *tree) error {
	if c.Log != k.log {
		return fmt.Errorf("record %d of log %s is %s, and this is log %s", c.Sequence, c.Log, c.by, k.log)
	}
	if c.hash != (Hash{}) && c.hash != k.head {
		return fmt.Errorf("the record has hash %s and is %s with %s: the log was rewritten", k.head, c.by, c.hash)
	}
	if c.root == nil {
		return nil
	}
	if root := t.root(); root != *c.root {
		return fmt.Errorf("the tree of the first %d records has root %s, and they are %s with %s: the log was rewritten at this record or before it", k.seq, root, c.by, *c.root)
	}
	return nil
}

// missed says what a claim knows and a log that ends with k does not hold.
func (c claim) missed(k chain) string {
	return fmt.Sprintf("the log ends with record %d, but record %d of log %s is %s: the records after %d were cut off, or an old copy of the log was put back",
		k.seq, c.Sequence, c.Log, c.by, k.seq)
}
