package audit

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

const (
	segmentBytesDefault = 16 << 20
	flushEveryDefault   = time.Second
	maxName             = 40
)

// Mode says when a record that no action waits for is on stable storage. Records of intents, outcomes, approvals,
// verifications and pull requests always are when Append returns.
type Mode int

// The modes.
const (
	Strict Mode = iota // when Append returns
	Batch              // within FlushEvery: a power cut may take the newest
)

// Options are what a log must be told.
type Options struct {
	// Now stamps the records. Required.
	Now func() time.Time
	// Name is the role that writes, for people: the id of a new log is the name and a random part, because a log that
	// was lost and begun anew is another log. An existing log keeps its id. Empty: "log".
	Name string
	// SegmentBytes is how large a segment may grow before the next is begun. 0: 16 MiB.
	SegmentBytes int64
	// FlushEvery is how long a record may wait for its fsync in Batch mode, and a durable record for a signed checkpoint
	// that counts it. 0: a second.
	FlushEvery time.Duration

	// Mode says when what needs no action is on stable storage. Zero: Strict.
	Mode Mode
	// Signer signs the log's checkpoints: an Ed25519 key, as of ParseSigner. nil: a key of the log's own, made when it is
	// begun and kept beside it with mode 0600, where whoever can read the log's folder can sign too.
	Signer crypto.Signer
	// Redact takes out of a blob what must not be kept. It is the one door that every blob passes. nil: as it is, which is
	// right only as long as nothing is put that may hold a secret.
	Redact func([]byte) []byte
	// Copy gets every line that is acknowledged, as it stands in the log, in order: standard output, for whoever gathers
	// it. It never holds the log up and never fails an Append: see CopyFailures.
	Copy io.Writer

	fsync func(*os.File) error // nil: (*os.File).Sync; tests have disks that fail
}

func (o Options) complete() (Options, error) {
	if o.Now == nil {
		return o, errors.New("the options have no clock (Now)")
	}
	if o.SegmentBytes < 0 || o.FlushEvery < 0 {
		return o, fmt.Errorf("the options have a negative SegmentBytes (%d) or FlushEvery (%s)", o.SegmentBytes, o.FlushEvery)
	}
	if o.Name == "" {
		o.Name = "log"
	}
	if !validID(o.Name) || len(o.Name) > maxName {
		return o, fmt.Errorf("the name %q is not made of at most %d lower-case letters, digits and hyphens", o.Name, maxName)
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = segmentBytesDefault
	}
	if o.FlushEvery == 0 {
		o.FlushEvery = flushEveryDefault
	}
	if o.fsync == nil {
		o.fsync = (*os.File).Sync
	}
	return o, nil
}
