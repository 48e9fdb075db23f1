package audit

import (
	"bytes"
	"encoding/json"
	"fmt"

	"moorgate.dev/internal/gate"
)

// step is what of a record has to be known to follow a log: which intent an outcome belongs to, and which blobs are named.
type step struct {
	Kind        gate.RecordKind `json:"kind"`
	Correlation string          `json:"correlation"`
	Digest      string          `json:"digest"`
	Intent      gate.Position   `json:"intent"` // of an outcome: its intent, where that stands in another log
	Model       *gate.Exchange  `json:"model"`
}

func stepOf(r gate.Record) step {
	s := step{Kind: r.Kind, Correlation: r.Correlation, Digest: r.Digest, Model: r.Model}
	if r.Intent != nil {
		s.Intent = *r.Intent
	}
	return s
}

// elsewhere reports whether the intent of an outcome stands in another log: a process found out what became of what another
// had set out to do.
func (s step) elsewhere(log string) bool { return s.Intent.Log != "" && s.Intent.Log != log }

// The beginnings of the canonical records that have to be looked into. Their kind is always the first thing in them.
var (
	intentBegins  = []byte(`{"kind":"intent"`)
	outcomeBegins = []byte(`{"kind":"outcome"`)
	modelBegins   = []byte(`{"kind":"model"`)
	blobNamed     = []byte(`"blob":"` + digestPrefix)
)

// peek looks into a canonical record as far as it has to. Most records need no look: then the step is zero.
func peek(record []byte) (step, error) {
	var s step
	if !bytes.HasPrefix(record, intentBegins) && !bytes.HasPrefix(record, outcomeBegins) && !bytes.HasPrefix(record, modelBegins) {
		return s, nil
	}
	if err := json.Unmarshal(record, &s); err != nil {
		return s, fmt.Errorf("decode the record: %w", err)
	}
	return s, nil
}

// blobs appends the digests of the blobs that a record names. Evidence may be in any record, and is found without decoding
// it: the quotes make that no text in a record can look like a name.
func (s step) blobs(record []byte, dst []string) []string {
	for {
		i := bytes.Index(record, blobNamed)
		if i < 0 {
			break
		}
		record = record[i+len(blobNamed):]
		if digest, _, ok := bytes.Cut(record, []byte{'"'}); ok {
			dst = append(dst, digestPrefix+string(digest))
		}
	}
	if s.Model != nil {
		for _, digest := range []string{s.Model.Asked, s.Model.Answered} {
			if digest != "" {
				dst = append(dst, digest)
			}
		}
	}
	return dst
}
