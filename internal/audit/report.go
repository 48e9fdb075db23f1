package audit

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Report is what Verify found out about a log. Where Verify returns a *Damage it tells what was found up to there.
type Report struct {
	Log        string     `json:"log"`
	Records    uint64     `json:"records"`
	Segments   int        `json:"segments"`
	Blobs      int        `json:"blobs"`               // that records name
	Head       Hash       `json:"head"`                // of the last record
	Root       Hash       `json:"root"`                // of the tree over all records
	Checkpoint Checkpoint `json:"checkpoint,omitzero"` // the log's own
	// Open are the intents that no outcome has closed, oldest first: actions under way, or of which nobody knows how they ended.
	Open []Entry `json:"open,omitempty"`
	// Findings are what people should look at although no record is damaged.
	Findings []Finding `json:"findings,omitempty"`
}

// Finding is something that is not as it should be, and that need not be anybody's doing.
type Finding struct {
	Sequence uint64 `json:"sequence,omitempty"` // of the record that it is about; 0: of none
	Text     string `json:"text"`
}

// find gathers what is no damage.
func (v *verifier) find() {
	for _, e := range v.report.Open {
		v.tell(e.Position.Sequence, "an intent without an outcome: under way, or nobody knows how it ended")
	}
	if v.report.Checkpoint.Size == 0 && v.chain.seq > 0 {
		v.tell(0, "the log has no checkpoint of its own: opening it for writing signs one")
	}
	if v.stored.file == nil && !v.stored.ends {
		v.tell(0, fmt.Sprintf("the file %q is not what the records say: opening the log for writing makes it anew", treeName))
	}
}

func (v *verifier) tell(sequence uint64, text string) {
	v.report.Findings = append(v.report.Findings, Finding{Sequence: sequence, Text: text})
}

// checkBlobs reads every blob that a record names.
func (v *verifier) checkBlobs() error {
	digests := make([]string, 0, len(v.named))
	for digest := range v.named {
		digests = append(digests, digest)
	}
	slices.SortFunc(digests, func(a, b string) int {
		return cmp.Or(cmp.Compare(v.named[a], v.named[b]), cmp.Compare(a, b))
	})
	for _, digest := range digests {
		_, err := Blob(v.dir, digest)
		var d *Damage
		switch {
		case err == nil:
		case errors.As(err, &d):
			d.Sequence = v.named[digest]
			return d
		default:
			v.tell(v.named[digest], err.Error())
		}
	}
	return nil
}
