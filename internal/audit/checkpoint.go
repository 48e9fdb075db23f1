package audit

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"
)

const (
	checkpointName = "checkpoint"
	checkpointMax  = 4 << 10 // bytes of a signed checkpoint
	originPrefix   = "moorgate.dev/audit/"
	timePrefix     = "time "
)

// Checkpoint is what a log says of itself at one moment: so many records, all of them on stable storage, and the root of the
// tree over them.
type Checkpoint struct {
	Log  string    `json:"log"`
	Size uint64    `json:"size"`
	Root Hash      `json:"root"`
	At   time.Time `json:"at"`
}

// text is the checkpoint as it is signed: the C2SP tlog-checkpoint form with one line more, for the time.
func (c Checkpoint) text() string {
	return fmt.Sprintf("%s%s\n%d\n%s\n%s%s\n", originPrefix, c.Log, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]),
		timePrefix, c.At.UTC().Format(time.RFC3339))
}

// parseText reads what text writes, and nothing else.
func parseText(s string) (Checkpoint, error) {
	var c Checkpoint
	lines := strings.Split(s, "\n")
	if len(lines) != 5 || lines[4] != "" {
		return c, fmt.Errorf("a checkpoint has 4 lines, and this has %d", len(lines)-1)
	}
	var err error
	if c.Size, err = strconv.ParseUint(lines[1], 10, 63); err != nil {
		return c, fmt.Errorf("read the checkpoint's size: %w", err)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != len(c.Root) {
		return c, errors.New("the checkpoint's root is no hash")
	}
	c.Root = Hash(root)
	if c.At, err = time.Parse(time.RFC3339, strings.TrimPrefix(lines[3], timePrefix)); err != nil {
		return c, fmt.Errorf("read the checkpoint's time: %w", err)
	}
	c.At = c.At.UTC()
	if c.Log = strings.TrimPrefix(lines[0], originPrefix); !validID(c.Log) || c.text() != s {
		return c, errors.New("this is no checkpoint of an audit log in the form that this version knows")
	}
	return c, nil
}

// ParseCheckpoint reads a signed checkpoint. One of the verifier keys must have signed it.
func ParseCheckpoint(signed []byte, keys ...string) (Checkpoint, error) {
	if len(signed) > checkpointMax {
		return Checkpoint{}, fmt.Errorf("read a checkpoint: it has %d bytes, and none has more than %d", len(signed), checkpointMax)
	}
	var known []note.Verifier
	for _, k := range slices.Compact(slices.Sorted(slices.Values(keys))) {
		v, err := note.NewVerifier(k)
		if err != nil {
			return Checkpoint{}, fmt.Errorf("read a verifier key of an audit log: %w", err)
		}
		known = append(known, v)
	}
	n, err := note.Open(signed, note.VerifierList(known...))
	var unknown *note.UnverifiedNoteError
	if errors.As(err, &unknown) {
		return Checkpoint{}, errors.New("the checkpoint is signed by none of the keys that are known for this log")
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("check a checkpoint's signature: %w", err)
	}
	c, err := parseText(n.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	if n.Sigs[0].Name != originPrefix+c.Log {
		return Checkpoint{}, fmt.Errorf("the checkpoint of log %s is signed in the name of %s", c.Log, n.Sigs[0].Name)
	}
	return c, nil
}

// ReadCheckpoint returns the newest signed checkpoint that the log in dir wrote; nil if there is none. It checks nothing.
func ReadCheckpoint(dir string) ([]byte, error) {
	b, err := readSmall(filepath.Join(dir, checkpointName), checkpointMax)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the checkpoint of audit log %s: %w", dir, err)
	}
	return b, nil
}

// ownCheckpoint reads and checks the log's own checkpoint. What does not hold is a *Damage.
func ownCheckpoint(dir string, keys []string) (Checkpoint, error) {
	signed, err := ReadCheckpoint(dir)
	if err != nil || signed == nil {
		return Checkpoint{}, err
	}
	c, err := ParseCheckpoint(signed, keys...)
	if err != nil {
		return Checkpoint{}, &Damage{File: filepath.Join(dir, checkpointName), Problem: err.Error()}
	}
	return c, nil
}

// notary signs checkpoints. Only one goroutine uses it, but for what latest holds.
type notary struct {
	dir    string
	log    string
	signer note.Signer
	vkey   string
	now    func() time.Time
	fsync  func(*os.File) error
	signed uint64 // records in the newest checkpoint
	latest atomic.Pointer[[]byte]
}

// sign signs a checkpoint of the tree, all of whose records are on stable storage, and puts it there too.
func (n *notary) sign(t *tree) error {
	c := Checkpoint{Log: n.log, Size: t.size, Root: t.root(), At: n.now()}
	signed, err := note.Sign(&note.Note{Text: c.text()}, n.signer)
	if err != nil {
		return fmt.Errorf("sign a checkpoint: %w", err)
	}
	if err := replaceFile(n.dir, checkpointName, signed, n.fsync); err != nil {
		return fmt.Errorf("write a checkpoint: %w", err)
	}
	n.signed = c.Size
	n.latest.Store(&signed)
	return nil
}

// seal signs what is on stable storage, unless a checkpoint says it already. The hashes of the tree go first, so that a
// proof from the checkpoint can be made.
func (t *tail) seal() error {
	if t.dirty || t.tree.size == t.notary.signed {
		return nil
	}
	return errors.Join(t.stored.save(), t.notary.sign(&t.tree))
}

// Checkpoint returns the newest signed checkpoint, to be remembered outside the log; nil if the log is empty. It is at most
// FlushEvery older than the newest durable record.
func (l *Log) Checkpoint() []byte {
	signed := l.tail.notary.latest.Load()
	if signed == nil {
		return nil
	}
	return bytes.Clone(*signed)
}

// VerifierKey is the public key that this log's checkpoints are checked with, in the form of golang.org/x/mod/sumdb/note. It is no
// secret; remember it where the log's writer cannot change it.
func (l *Log) VerifierKey() string { return l.tail.notary.vkey }
