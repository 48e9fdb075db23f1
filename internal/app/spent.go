package app

import (
	"iter"

	"moorgate.dev/internal/audit"
	"moorgate.dev/internal/gate"
)

// recordsIn are the records of the audit log in a folder.
func recordsIn(dir string) iter.Seq2[gate.Record, error] {
	return func(yield func(gate.Record, error) bool) {
		for e, err := range audit.Read(dir) {
			if !yield(e.Record, err) {
				return
			}
		}
	}
}
