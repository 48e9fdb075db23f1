package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"moorgate.dev/internal/gate"
)

// MaxLine is the length in bytes of the longest line, "\n" included. A record that does not fit is refused.
const MaxLine = 1 << 20

// The fixed parts of a line. The version stands in the first, so that another format never passes for this one.
const (
	partSeq    = `{"v":1,"seq":`
	partLog    = `,"log":"`
	partPrev   = `","prev":"`
	partRecord = `","record":`
	partHash   = `,"hash":"`
	partEnd    = `"}`
)

// Hash is the SHA-256 of a record's line, as the package comment defines it.
type Hash [sha256.Size]byte

// String writes 64 lower-case hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes what String writes.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (h *Hash) UnmarshalText(b []byte) error {
	if len(b) != hex.EncodedLen(len(h)) {
		return fmt.Errorf("read a hash of %d characters: it has %d", hex.EncodedLen(len(h)), len(b))
	}
	if _, err := hex.Decode(h[:], b); err != nil {
		return fmt.Errorf("read a hash: %w", err)
	}
	return nil
}

// read reads what String writes, and nothing else.
func (h *Hash) read(b []byte) error {
	var again [2 * len(h)]byte
	if err := h.UnmarshalText(b); err != nil {
		return err
	}
	if hex.Encode(again[:], h[:]); !bytes.Equal(again[:], b) {
		return errors.New("read a hash: it is not in lower case")
	}
	return nil
}

// Entry is a record as it stands in a log.
type Entry struct {
	Position gate.Position `json:"position"`
	Hash     Hash          `json:"hash"`
	Record   gate.Record   `json:"record"`
}

// envelope is a line taken apart, its record still in bytes. Nothing in it has been checked but its shape.
type envelope struct {
	pos        gate.Position
	prev, hash Hash
	record     []byte
}

// encodeRecord writes a record in its canonical form, without a line end, to the empty buffer b, which owns the result.
func encodeRecord(b *bytes.Buffer, r gate.Record) ([]byte, error) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		return nil, fmt.Errorf("encode a record of kind %q: %w", r.Kind, err)
	}
	if b.Len() > MaxLine {
		return nil, tooLarge(b.Len())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func tooLarge(n int) error {
	return fmt.Errorf("the record has %d bytes, and a line holds at most %d", n, MaxLine)
}

// appendLine appends the line of a record to dst and returns the record's hash.
func appendLine(dst []byte, pos gate.Position, prev Hash, record []byte) ([]byte, Hash) {
	start := len(dst)
	dst = append(dst, partSeq...)
	dst = strconv.AppendUint(dst, pos.Sequence, 10)
	dst = append(append(append(dst, partLog...), pos.Log...), partPrev...)
	dst = append(hex.AppendEncode(dst, prev[:]), partRecord...)
	dst = append(append(dst, record...), '}')
	hash := Hash(sha256.Sum256(dst[start:]))
	dst = append(dst[:len(dst)-1], partHash...)
	dst = append(hex.AppendEncode(dst, hash[:]), partEnd...)
	return append(dst, '\n'), hash
}

// splitLine takes a line (without its "\n") apart. It does not look into the record and does not check the hash.
func splitLine(raw []byte) (envelope, error) {
	var e envelope
	rest, ok := bytes.CutPrefix(raw, []byte(partSeq))
	if !ok {
		return e, errors.New("this is no record in a format that this version knows")
	}
	seq, rest, ok1 := bytes.Cut(rest, []byte(partLog))
	id, rest, ok2 := bytes.Cut(rest, []byte(partPrev))
	prev, rest, ok3 := bytes.Cut(rest, []byte(partRecord))
	rest, ok4 := bytes.CutSuffix(rest, []byte(partEnd))
	at := len(rest) - hex.EncodedLen(len(e.hash))
	if !ok1 || !ok2 || !ok3 || !ok4 || at < len(partHash) {
		return e, errors.New("the record's line is not whole")
	}
	hash := rest[at:]
	if e.record, ok = bytes.CutSuffix(rest[:at], []byte(partHash)); !ok {
		return e, errors.New("the record's line has no hash")
	}
	var err error
	if e.pos.Sequence, err = strconv.ParseUint(string(seq), 10, 64); err != nil {
		return e, fmt.Errorf("read the record's sequence: %w", err)
	}
	if len(seq) > 1 && seq[0] == '0' {
		return e, errors.New("the record's line is not in canonical form: its sequence begins with a zero")
	}
	if e.pos.Log = string(id); !validID(e.pos.Log) {
		return e, errors.New("the record names no valid log")
	}
	return e, errors.Join(e.prev.read(prev), e.hash.read(hash))
}

// check reports whether a line that splitLine took apart matches its own hash. Its form is canonical already: what stands
// between the fixed parts can be written in one way only, but for the record, and that is what the hash is of.
func (e envelope) check(raw []byte) error {
	h := sha256.New()
	h.Write(raw[:len(raw)-len(partHash)-hex.EncodedLen(len(e.hash))-len(partEnd)])
	h.Write([]byte{'}'})
	var sum Hash
	h.Sum(sum[:0])
	if sum != e.hash {
		return errors.New("the record does not match its own hash: it was changed after it was written")
	}
	return nil
}

// leaf is the record's leaf in the log's tree. It is made from the hash, so that the record's bytes are hashed once.
func (h Hash) leaf() tlog.Hash { return tlog.RecordHash(h[:]) }

// parseLine reads a line (without its "\n") whole.
func parseLine(raw []byte) (envelope, Entry, error) {
	e, err := splitLine(raw)
	if err != nil {
		return e, Entry{}, err
	}
	if err := e.check(raw); err != nil {
		return e, Entry{}, err
	}
	entry := Entry{Position: e.pos, Hash: e.hash}
	if err := json.Unmarshal(e.record, &entry.Record); err != nil {
		return e, Entry{}, fmt.Errorf("decode the record: %w", err)
	}
	return e, entry, nil
}
