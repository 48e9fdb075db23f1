package audit

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
)

// ExportLines writes every entry as a line of JSON: position, hash and record. It ends with the first error.
func ExportLines(w io.Writer, entries iter.Seq2[Entry, error]) error {
	enc := lineEncoder(w)
	for e, err := range entries {
		if err != nil {
			return err
		}
		if err := enc.Encode(e); err != nil {
			return fmt.Errorf("export record %d of log %s: %w", e.Position.Sequence, e.Position.Log, err)
		}
	}
	return nil
}

func lineEncoder(w io.Writer) *json.Encoder {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc
}
