package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Brake is one person's word, said from a chat, that nothing is to be done: about one plan for good, or about the Case for a while.
// Only moorgate-judge writes it, for somebody whom the API server lets approve plans in the namespace.
type Brake struct {
	// Kind is Reject (this plan) or Snooze (the Case, until a time).
	// +kubebuilder:validation:Enum=Reject;Snooze
	Kind string `json:"kind"`
	// Plan is the digest of the plan that is rejected.
	// +kubebuilder:validation:MaxLength=71
	// +optional
	Plan string `json:"plan,omitempty"`
	// User is who said it, by the name that the API server was asked about.
	// +kubebuilder:validation:MaxLength=320
	User string `json:"user"`
	// Via is where they said it, and under which name there.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	Via string `json:"via,omitempty"`
	// At is when.
	At metav1.Time `json:"at"`
	// Until is when a snooze is over.
	// +optional
	Until *metav1.Time `json:"until,omitempty"`
}

// The kinds of brakes.
const (
	BrakeReject = "Reject"
	BrakeSnooze = "Snooze"
)

// Told is what one receiver was told about a Case. Who tells writes it before, by compare-and-swap, and once more afterwards.
type Told struct {
	// Receiver is the name of the receiver.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Receiver string `json:"receiver"`
	// What it was told last: escalated, approval, acted, healed or not-healed.
	// +kubebuilder:validation:MaxLength=32
	// +optional
	What string `json:"what,omitempty"`
	// State is a hash of what a message says that is kept up to date.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	State string `json:"state,omitempty"`
	// Phase is Claimed (it is being told, or whoever was about to is gone), Sent, Failed (it is tried again), Refused (it was given
	// up) or Unknown (there is no receiver of that name).
	// +kubebuilder:validation:Enum=Claimed;Sent;Failed;Refused;Unknown
	Phase string `json:"phase"`
	// ID names the message. It stays the same when it is sent again, so that a receiver can tell.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	ID string `json:"id,omitempty"`
	// Digest is whether the message is about many Cases.
	// +optional
	Digest bool `json:"digest,omitempty"`
	// Message is where the message stands, so that it can be updated: a channel and a time, or the key of an incident.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	Message string `json:"message,omitempty"`
	// Unclear is whether a try that failed may have got there.
	// +optional
	Unclear bool `json:"unclear,omitempty"`
	// Attempts is how often it was tried, and First when for the first time.
	// +optional
	Attempts int32 `json:"attempts,omitempty"`
	// +optional
	First *metav1.Time `json:"first,omitempty"`
	// At is when the phase began.
	At metav1.Time `json:"at"`
	// Next is when it is tried again.
	// +optional
	Next *metav1.Time `json:"next,omitempty"`
	// Text says why it did not get there.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Text string `json:"text,omitempty"`
}

// The phases of telling a receiver.
const (
	ToldClaimed = "Claimed"
	ToldSent    = "Sent"
	ToldFailed  = "Failed"
	ToldRefused = "Refused"
	ToldUnknown = "Unknown"
)
