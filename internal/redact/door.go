package redact

// Door takes secrets out of texts. What it takes out it replaces by a placeholder that is the same for the same value under the
// same key, so that a reader can still see that two values are one. It is safe for use by several goroutines. A nil Door lets
// nothing through.
type Door struct {
	key []byte
}

// Options are what a Door must be told.
type Options struct {
	// Key keys the placeholders: at least 32 random bytes, kept as a secret, because who has it can try out short values.
	Key []byte
	// Mail masks e-mail addresses too.
	Mail bool
}

// Text takes secrets out of free text: what looks like a key, a token, a password, a private key, a connection string. It is
// idempotent, and leaves alone what has to stay legible: image digests, UIDs, hashes, revisions.
func (d *Door) Text(s string) string { panic("to be written") }

// Bytes is Text for bytes.
func (d *Door) Bytes(b []byte) []byte { panic("to be written") }

// Value masks a value that is not shown whatever it looks like, such as that of an environment variable.
func (d *Door) Value(v string) string { panic("to be written") }

// Object is a Kubernetes object without the values that may be secret: of environment variables, annotations, arguments,
// commands, and all content of ConfigMaps and Secrets. The rest passes Text. The object itself is not changed.
func (d *Door) Object(o map[string]any) map[string]any { panic("to be written") }
