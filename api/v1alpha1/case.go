package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Case is one happening, from signal to outcome. Its name is a function of the signal, so that the same happening is the
// same Case in every replica. What was seen is in the spec and never changes; what was made of it is in the status.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=moorgate
// +kubebuilder:printcolumn:name="Face",type=string,JSONPath=`.spec.signal.face`
// +kubebuilder:printcolumn:name="Subject",type=string,JSONPath=`.status.subject`
// +kubebuilder:printcolumn:name="Happening",type=string,JSONPath=`.spec.signal.reason`
// +kubebuilder:printcolumn:name="Verdict",type=string,JSONPath=`.status.decision`
// +kubebuilder:printcolumn:name="Score",type=integer,JSONPath=`.status.score`
// +kubebuilder:printcolumn:name="Answer",type=string,JSONPath=`.status.answer`
// +kubebuilder:printcolumn:name="Acting",type=string,JSONPath=`.status.acting.phase`
// +kubebuilder:printcolumn:name="Why",type=string,JSONPath=`.status.summary`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Case struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="the spec of a Case is what was seen, and cannot be changed"
	Spec   CaseSpec   `json:"spec"`
	Status CaseStatus `json:"status,omitzero"`
}

// CaseSpec is what was seen.
type CaseSpec struct {
	// Signal is the happening.
	Signal CaseSignal `json:"signal"`
	// Subject is the object that it happened to.
	Subject Subject `json:"subject"`
	// Answer is the admission answer that was given, on Cases of the webhook.
	// +optional
	Answer *Answer `json:"answer,omitempty"`
	// Witness is what a person was seen to do, on Cases whose reason is Witnessed or Reverted.
	// +optional
	Witness *Witness `json:"witness,omitempty"`
}

// CaseSignal says what happened.
type CaseSignal struct {
	// Face is the part of Moorgate that saw it.
	// +kubebuilder:validation:Enum=webhook;drift;remediate
	Face string `json:"face"`
	// Reason is what happened, as a stable CamelCase word.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Reason string `json:"reason"`
	// Key tells happenings apart; the Case's name is made from it.
	// +kubebuilder:validation:MaxLength=512
	Key string `json:"key"`
	// Text is one sentence about it.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Text string `json:"text,omitempty"`
	// FirstSeen is when it was first seen.
	FirstSeen metav1.Time `json:"firstSeen"`
}

// Subject names an object in the Case's namespace.
type Subject struct {
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Group string `json:"group,omitempty"`
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Version string `json:"version,omitempty"`
	// +kubebuilder:validation:MaxLength=63
	Kind string `json:"kind"`
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// UID is empty where the object did not exist yet.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	UID string `json:"uid,omitempty"`
}

// Answer is an admission answer as it was given.
type Answer struct {
	// Said is Admitted, Warned, Denied, Retried (the client was asked to come again; the status has what it was told then),
	// AskedAhead (nobody has applied it yet: somebody has a model asked before they do, and the status has what they were told
	// once they did) or SlippedThrough (nobody answered: the webhook was away).
	// +kubebuilder:validation:Enum=Admitted;Warned;Denied;Retried;AskedAhead;SlippedThrough
	Said string `json:"said"`
	// User is who asked.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	User string `json:"user,omitempty"`
	// Opinion is the verdict that the answer was made from.
	Opinion Opinion `json:"opinion"`
	// Brief is what a model is told, where an answer waits for one (Retried, AskedAhead).
	// +optional
	Brief *Brief `json:"brief,omitempty"`
}

// Brief is what a model is told about a rollout that is not in yet: the change without values that may be secret, and what
// code has checked.
type Brief struct {
	// +kubebuilder:validation:MaxItems=24
	// +listType=atomic
	// +optional
	Evidence []Piece `json:"evidence,omitempty"`
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	Claims []Claim `json:"claims,omitempty"`
}

// Piece is a piece of evidence.
type Piece struct {
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id"`
	// +kubebuilder:validation:MaxLength=320
	Source string `json:"source"`
	// +kubebuilder:validation:MaxLength=12288
	// +optional
	Text string `json:"text,omitempty"`
	// Unread says why it could not be read.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Unread string `json:"unread,omitempty"`
}

// Claim is a statement that code has checked.
type Claim struct {
	// +kubebuilder:validation:MaxLength=64
	Kind string `json:"kind"`
	// +kubebuilder:validation:MaxLength=320
	Object string `json:"object"`
	// Holds is absent where nobody knows.
	// +optional
	Holds *bool `json:"holds,omitempty"`
}

// Opinion is an assessment and what the guardrail decided on it.
type Opinion struct {
	// Decision is Allow, Hold (a human should look) or Deny.
	// +kubebuilder:validation:Enum=Allow;Hold;Deny
	Decision string `json:"decision"`
	// Cause is the root cause, from a closed list.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Cause string `json:"cause,omitempty"`
	// Score, 0 to 100, is how sound the rollout or the chosen action looks. Absent: it could not be said.
	// +optional
	Score *int32 `json:"score,omitempty"`
	// Confidence, 0 to 100, is how sure we are. Absent: it could not be said.
	// +optional
	Confidence *int32 `json:"confidence,omitempty"`
	// Alone says why no model had a part in this. Empty: one had.
	// +kubebuilder:validation:MaxLength=160
	// +optional
	Alone string `json:"alone,omitempty"`
	// Reasons say why the decision is not higher.
	// +kubebuilder:validation:MaxItems=12
	// +listType=atomic
	// +optional
	Reasons []Reason `json:"reasons,omitempty"`
	// Findings are what was found wrong.
	// +kubebuilder:validation:MaxItems=12
	// +listType=atomic
	// +optional
	Findings []Finding `json:"findings,omitempty"`
	// Unread names the evidence that could not be read.
	// +kubebuilder:validation:MaxItems=12
	// +listType=atomic
	// +kubebuilder:validation:items:MaxLength=160
	// +optional
	Unread []string `json:"unread,omitempty"`
}

// Reason is why a decision is not higher.
type Reason struct {
	// +kubebuilder:validation:MaxLength=64
	Rule string `json:"rule"`
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Guardrail string `json:"guardrail,omitempty"`
	// +kubebuilder:validation:Enum=Allow;Hold;Deny
	Decision string `json:"decision"`
	// +kubebuilder:validation:MaxLength=256
	Text string `json:"text"`
}

// Finding is one thing that was found wrong.
type Finding struct {
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id"`
	// +kubebuilder:validation:MaxLength=256
	Text string `json:"text"`
	// Points were taken from 100.
	Points int32 `json:"points"`
	// Hard findings refuse by themselves.
	// +optional
	Hard bool `json:"hard,omitempty"`
	// Nature is pending (may merely not be there yet), recent (about the recent past or the present load), standing (true
	// before the change too), advised (a model says so) or empty.
	// +kubebuilder:validation:Enum="";pending;recent;standing;advised
	// +optional
	Nature string `json:"nature,omitempty"`
}

// Choice is one action on the menu.
type Choice struct {
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id"`
	// +kubebuilder:validation:MaxLength=64
	Verb string `json:"verb"`
	// Reach is how far it reaches: live, git, mark, answer or nothing.
	// +kubebuilder:validation:Enum=live;git;mark;answer;nothing
	Reach string `json:"reach"`
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Text string `json:"text,omitempty"`
	// Edits are the fields that it would change.
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	// +optional
	Edits []Edit `json:"edits,omitempty"`
	// Digest binds everything that the action would do.
	// +kubebuilder:validation:MaxLength=80
	Digest string `json:"digest"`
}

// Edit is one field with its old and new value, as JSON.
type Edit struct {
	// +kubebuilder:validation:MaxLength=200
	Path string `json:"path"`
	// +kubebuilder:validation:MaxLength=160
	// +optional
	Old string `json:"old,omitempty"`
	// +kubebuilder:validation:MaxLength=160
	// +optional
	New string `json:"new,omitempty"`
}

// CaseStatus is what was made of it.
type CaseStatus struct {
	// Subject is the subject as people write it, for listings.
	// +kubebuilder:validation:MaxLength=320
	// +optional
	Subject string `json:"subject,omitempty"`
	// Opinion is the latest verdict.
	// +optional
	Opinion `json:",inline"`
	// Answer is what the webhook said, for listings.
	// +kubebuilder:validation:MaxLength=32
	// +optional
	Answer string `json:"answer,omitempty"`
	// Summary is the weightiest reason or finding, for listings.
	// +kubebuilder:validation:MaxLength=160
	// +optional
	Summary string `json:"summary,omitempty"`
	// Menu is everything that was offered.
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	// +optional
	Menu []Choice `json:"menu,omitempty"`
	// Chosen are the ids that were picked from the menu, in order.
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=64
	// +listType=atomic
	// +optional
	Chosen []string `json:"chosen,omitempty"`
	// Images are the images that failed, as the manifest writes them; where a rollout got through, those that it runs.
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=512
	// +listType=atomic
	// +optional
	Images []string `json:"images,omitempty"`
	// Objects are those that a Case about many of them is about now, the first hundred by kind and name: what was deleted at once,
	// what was left behind.
	// +kubebuilder:validation:MaxItems=100
	// +listType=atomic
	// +optional
	Objects []Subject `json:"objects,omitempty"`
	// InhibitedBy is the Case, as namespace/name, of which this one is a part: of what several workloads share, or of the node that they
	// run on. Nothing is done or told about a part for itself.
	// +kubebuilder:validation:MaxLength=320
	// +optional
	InhibitedBy string `json:"inhibitedBy,omitempty"`
	// Affects are the workloads that fare badly because of what this Case is about, the first hundred, as people write them.
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=320
	// +listType=atomic
	// +optional
	Affects []string `json:"affects,omitempty"`
	// Owner is who owns what the Case is about: the field manager of a drifted field.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Owner string `json:"owner,omitempty"`
	// Audit is where the verdict's record stands.
	// +optional
	Audit *AuditPosition `json:"audit,omitempty"`
	// Acting is how far acting on it came. Only moorgate-act writes it.
	// +optional
	Acting *Acting `json:"acting,omitempty"`
	// Brakes are what people said from a chat. They only ever hold things up.
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	// +optional
	Brakes []Brake `json:"brakes,omitempty"`
	// Told is what was told to whom.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=receiver
	// +optional
	Told []Told `json:"told,omitempty"`
	// ObservedGeneration is the generation that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions: Judged once there is a verdict, Recorded once it is in the audit log, Rollout once it is known what became
	// of a rollout that was let in.
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// The condition types of a Case.
const (
	// CaseJudged is True once there is a verdict, with the decision as its reason.
	CaseJudged = "Judged"
	// CaseRecorded is True once the verdict is in the audit log.
	CaseRecorded = "Recorded"
	// CaseRollout is True once it is known for good what became of a rollout that was let in, with the outcome as its reason.
	// False: it got through, and is watched for a while. Unknown: it fails, and may still get over it.
	CaseRollout = "Rollout"
)

// AuditPosition is where a record stands in an audit log.
type AuditPosition struct {
	// +kubebuilder:validation:MaxLength=64
	Log string `json:"log"`
	// +kubebuilder:validation:Minimum=1
	Sequence int64 `json:"sequence"`
}

// CaseList is a list of Cases.
//
// +kubebuilder:object:root=true
type CaseList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Case `json:"items"`
}
