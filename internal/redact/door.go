package redact

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
)

// Door takes secrets out of texts. It is safe for use by several goroutines. A nil Door lets nothing through.
type Door struct {
	key  []byte
	mail bool
}

// Options are what a Door must be told.
type Options struct {
	// Key keys the placeholders: at least 32 random bytes, kept as a secret, because who has it can try out short values.
	Key []byte
	// Mail masks e-mail addresses too.
	Mail bool
}

// KeyBytes is how long a key has to be.
const KeyBytes = 32

// New makes a Door.
func New(o Options) (*Door, error) {
	if len(o.Key) < KeyBytes {
		return nil, errors.New("make the redaction door: its key is shorter than 32 bytes")
	}
	return &Door{key: append([]byte(nil), o.Key...), mail: o.Mail}, nil
}

// Closed is what a nil Door makes of everything.
const Closed = "[masked]"

// placeholder is what stands in a masked value's place: [masked:0123456789].
var placeholder = regexp.MustCompile(`\[masked:[0-9a-f]{10}\]`)

// Masked counts the placeholders in a text.
func Masked(s string) int { return len(Placeholders(s)) }

// Placeholders are what stands for masked values in a text, in order. Under one key, one value has one placeholder.
func Placeholders(s string) []string { return placeholder.FindAllString(s, -1) }

// masked is whether nothing but placeholders is left of a value, or too little to tell.
func masked(v string) bool {
	if !strings.Contains(v, "[masked:") && !strings.HasPrefix(v, "masked:") {
		return false
	}
	rest := placeholder.ReplaceAllString(v, "")
	return len(rest) < shortest
}

// Value masks a value that is not shown whatever it looks like, such as that of an environment variable. The empty value and a
// placeholder stay.
func (d *Door) Value(v string) string {
	switch {
	case d == nil:
		return Closed
	case v == "" || placeholder.MatchString(v) && len(v) == len("[masked:0123456789]"):
		return v
	}
	mac := hmac.New(sha256.New, d.key)
	mac.Write([]byte(v))
	return "[masked:" + hex.EncodeToString(mac.Sum(nil)[:5]) + "]"
}

// Mark is a word that nobody without the key can guess, the same for the same text: 32 hexadecimal digits.
func (d *Door) Mark(text string) string {
	if d == nil {
		return ""
	}
	mac := hmac.New(sha256.New, d.key)
	mac.Write([]byte("mark\x00" + text))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// Text takes secrets out of free text. It is idempotent, and leaves alone what has to stay legible: image digests, UIDs, hashes,
// revisions.
func (d *Door) Text(s string) string {
	if d == nil {
		return Closed
	}
	if len(s) < shortest {
		return s
	}
	for i := range blocks {
		s = d.apply(&blocks[i], s)
	}
	if !strings.Contains(s, "\n") {
		return d.line(s)
	}
	var out strings.Builder
	changed := false
	for line := range strings.SplitAfterSeq(s, "\n") { // most lines hold no hint of anything, and are not searched
		clean := d.line(line)
		changed = changed || clean != line
		out.WriteString(clean)
	}
	if !changed {
		return s
	}
	return out.String()
}

func (d *Door) line(s string) string {
	for i := range families {
		s = d.apply(&families[i], s)
	}
	if d.mail {
		s = d.apply(&mails, s)
	}
	return d.entropy(s)
}

// shortest is the length below which nothing is a secret that a pattern could tell.
const shortest = 6

// Bytes is Text for bytes.
func (d *Door) Bytes(b []byte) []byte {
	if d == nil {
		return []byte(Closed)
	}
	return []byte(d.Text(string(b)))
}

// apply masks what a family finds. A text that holds none of the family's hints is not searched.
func (d *Door) apply(f *family, s string) string {
	if !f.hinted(s) {
		return s
	}
	at := f.pattern.FindAllStringSubmatchIndex(s, -1)
	if len(at) == 0 {
		return s
	}
	var out strings.Builder
	last := 0
	for _, m := range at {
		from, to := f.secret(m)
		if from < last || from == to {
			continue
		}
		value := s[from:to]
		if masked(value) || f.spares != nil && f.spares(value) {
			continue
		}
		out.WriteString(s[last:from])
		out.WriteString(d.Value(value))
		last = to
	}
	if last == 0 {
		return s
	}
	out.WriteString(s[last:])
	return out.String()
}
