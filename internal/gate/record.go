package gate

import "time"

// RecordKind says which step of the pipeline left a Record.
type RecordKind string

// The kinds of Record. A verdict carries the whole step of judging: the signal, the facts and evidence, what the advisor
// said, under which policy, and what was decided.
const (
	RecordVerdict      RecordKind = "verdict"      // a question was decided
	RecordModel        RecordKind = "model"        // a model was asked, and what it answered
	RecordApproval     RecordKind = "approval"     // a human's word was seen
	RecordIntent       RecordKind = "intent"       // something is about to be done; durable before it is
	RecordOutcome      RecordKind = "outcome"      // what came of an intent
	RecordVerification RecordKind = "verification" // how the workload fared afterwards
	RecordPullRequest  RecordKind = "pull-request" // a pull request was opened, changed or closed
	RecordNotification RecordKind = "notification" // somebody was told
	RecordNote         RecordKind = "note"         // something that people should find here: a start, a stop, a gap
)

// Record is one step of one happening, as the audit log keeps it. At is the log's business: it stamps every record.
type Record struct {
	Kind RecordKind `json:"kind"`
	At   time.Time  `json:"at"`
	// Correlation joins the records of one happening across processes: the namespace and name of its Case.
	Correlation  string      `json:"correlation,omitempty"`
	Signal       *Signal     `json:"signal,omitempty"`
	Facts        *Facts      `json:"facts,omitempty"`
	Evidence     []Evidence  `json:"evidence,omitempty"`
	Policy       *Policy     `json:"policy,omitempty"`
	PolicyDigest string      `json:"policyDigest,omitempty"` // of Policy; in place of it where an earlier record has it
	Assessment   *Assessment `json:"assessment,omitempty"`
	Verdict      *Verdict    `json:"verdict,omitempty"`
	Action       *Action     `json:"action,omitempty"`
	Digest       string      `json:"digest,omitempty"`       // the Action's plan digest
	ActionDigest string      `json:"actionDigest,omitempty"` // of the exact bytes
	Reservation  string      `json:"reservation,omitempty"`  // the ID of the ledger's entry
	Attempt      int         `json:"attempt,omitempty"`      // at this Case, from 1
	Outcome      *Outcome    `json:"outcome,omitempty"`
	Intent       *Position   `json:"intent,omitempty"` // of an outcome: its intent, where that stands in another log
	Approval     *Approval   `json:"approval,omitempty"`
	Result       Result      `json:"result,omitempty"`  // of a verification
	Rollout      *Rollout    `json:"rollout,omitempty"` // of a verification at the gate
	Model        *Exchange   `json:"model,omitempty"`
	URL          string      `json:"url,omitempty"` // of a pull request, or where a notification went
	Text         string      `json:"text,omitempty"`
}

// Exchange is one question to a model and its answer. The texts are blobs of the audit log, by digest.
//
// A call leaves two records with the same ID: one before it, with what was Reserved for it and neither Answered nor Failed, and
// one after it. Where the second is missing, the process died in between and the whole reservation counts as spent.
type Exchange struct {
	ID         string            `json:"id,omitempty"`
	Model      string            `json:"model"`
	Tier       string            `json:"tier,omitempty"` // triage or expert
	Prompt     string            `json:"prompt"`         // name and version of the prompt
	Parameters map[string]string `json:"parameters,omitempty"`
	Asked      string            `json:"asked"`               // digest of the prompt as it was sent
	Answered   string            `json:"answered,omitempty"`  // digest of the answer as it came
	Failed     string            `json:"failed,omitempty"`    // why there is no answer
	Escalated  string            `json:"escalated,omitempty"` // why the expert was asked
	Degraded   []string          `json:"degraded,omitempty"`  // what the endpoint could not do
	// Reserved is the most tokens that the call may cost, in and out.
	Reserved int `json:"reserved,omitempty"`
	// Tokens as the model counted them, and what they cost.
	TokensIn     int           `json:"tokensIn"`
	TokensCached int           `json:"tokensCached,omitempty"`
	TokensOut    int           `json:"tokensOut"`
	MicroUSD     int64         `json:"microUSD,omitempty"`
	Took         time.Duration `json:"took"`
}

// Position is where a Record stands in a log. Sequences start at 1; the zero Position is nowhere.
type Position struct {
	Log      string `json:"log"`
	Sequence uint64 `json:"sequence"`
}
