package remediate

import (
	"context"
	"slices"

	"moorgate.dev/remediate/causes"
)

// reading adds to a World what the causes of some symptoms rest on besides what shows them. What may not be read it names in the
// evidence; what cannot be read this time is an error.
type reading struct {
	of   []causes.Symptom
	read func(e eye, ctx context.Context, w *causes.World) error
}

// readings are all of them, in the order in which they are made.
var readings = slices.Concat(crashReadings, schedReadings, objectReadings)

// beyond makes every reading that belongs to the symptom, where anything shows it.
func (e eye) beyond(ctx context.Context, w *causes.World) error {
	if !w.Shows() {
		return nil
	}
	for _, r := range readings {
		if slices.Contains(r.of, w.Symptom) {
			if err := r.read(e, ctx, w); err != nil {
				return err
			}
		}
	}
	return nil
}
