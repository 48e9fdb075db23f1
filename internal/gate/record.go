package gate

import "time"

// RecordKind says which step of the pipeline left a Record.
type RecordKind string

// The kinds of Record.
const (
	RecordVerdict RecordKind = "verdict" // a question was decided
	RecordIntent  RecordKind = "intent"  // something is about to be done; durable before it is
	RecordOutcome RecordKind = "outcome" // what came of an intent
	RecordNote    RecordKind = "note"    // something that people should find here: a start, a stop, a gap
)

// Record is one step of one happening, as the audit log keeps it. At is the log's business: it stamps every record.
type Record struct {
	Kind RecordKind `json:"kind"`
	At   time.Time  `json:"at"`
	// Correlation joins the records of one happening across processes: the namespace and name of its Case.
	Correlation string      `json:"correlation,omitempty"`
	Signal      *Signal     `json:"signal,omitempty"`
	Facts       *Facts      `json:"facts,omitempty"`
	Evidence    []Evidence  `json:"evidence,omitempty"`
	Policy      *Policy     `json:"policy,omitempty"`
	Assessment  *Assessment `json:"assessment,omitempty"`
	Verdict     *Verdict    `json:"verdict,omitempty"`
	Action      *Action     `json:"action,omitempty"`
	Digest      string      `json:"digest,omitempty"` // the Action's plan digest
	Outcome     *Outcome    `json:"outcome,omitempty"`
	Text        string      `json:"text,omitempty"`
}

// Position is where a Record stands in a log. Sequences start at 1; the zero Position is nowhere.
type Position struct {
	Log      string `json:"log"`
	Sequence uint64 `json:"sequence"`
}
