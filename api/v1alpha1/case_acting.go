package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Acting is how far acting on a Case came.
type Acting struct {
	// Phase is Held (the guardrail holds it; see reasons), Acting (an intent has no outcome yet), Acted (done, not verified
	// yet), Healed, Ineffective, Worsened, Refused (the world refused), or Unclear (nobody knows how an intent ended; a human
	// must look).
	// +kubebuilder:validation:Enum=Held;Acting;Acted;Healed;Ineffective;Worsened;Refused;Unclear
	Phase string `json:"phase"`
	// Plan is the digest of the plan that it is about.
	// +kubebuilder:validation:MaxLength=71
	// +optional
	Plan string `json:"plan,omitempty"`
	// Verb is what the plan does.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Verb string `json:"verb,omitempty"`
	// Text is one sentence for people: what is waited for, or what came of it.
	// +kubebuilder:validation:MaxLength=512
	// +optional
	Text string `json:"text,omitempty"`
	// Reasons say why it is held.
	// +kubebuilder:validation:MaxItems=24
	// +listType=atomic
	// +optional
	Reasons []Reason `json:"reasons,omitempty"`
	// Attempts is how many intents there were.
	// +optional
	Attempts int32 `json:"attempts,omitempty"`
	// Intent is the newest intent, which has no outcome while the phase is Acting.
	// +optional
	Intent *Intent `json:"intent,omitempty"`
	// At is when the phase began.
	At metav1.Time `json:"at"`
}

// The phases of acting on a Case.
const (
	PhaseHeld        = "Held"
	PhaseActing      = "Acting"
	PhaseActed       = "Acted"
	PhaseHealed      = "Healed"
	PhaseIneffective = "Ineffective"
	PhaseWorsened    = "Worsened"
	PhaseRefused     = "Refused"
	PhaseUnclear     = "Unclear"
)

// Intent is an action that was about to be done, as whoever takes over needs it to find out what became of it.
type Intent struct {
	// Reservation is its id in the ledger and in the audit log.
	// +kubebuilder:validation:MaxLength=64
	Reservation string `json:"reservation"`
	// Attempt counts the intents of this Case, from 1.
	Attempt int32 `json:"attempt"`
	// Plan and Action are the digests of the plan and of the exact bytes.
	// +kubebuilder:validation:MaxLength=71
	Plan string `json:"plan"`
	// +kubebuilder:validation:MaxLength=71
	Action string `json:"action"`
	// Target is the object that it was done to.
	Target Subject `json:"target"`
	// Audit is where the intent's record stands.
	Audit AuditPosition `json:"audit"`
	// At is when.
	At metav1.Time `json:"at"`
	// Well is how many of the workload's pods were well then.
	// +optional
	Well int32 `json:"well,omitempty"`
	// Mark is what the request leaves on the object, in the annotation moorgate.dev/last-action, where it leaves anything.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Mark string `json:"mark,omitempty"`
	// Was and Is are the digests of the pod template before and after it, where it changes one: as long as it is what it was made to
	// be, nobody has changed it since.
	// +kubebuilder:validation:MaxLength=71
	// +optional
	Was string `json:"was,omitempty"`
	// +kubebuilder:validation:MaxLength=71
	// +optional
	Is string `json:"is,omitempty"`
	// Undo says how it is taken back, where that takes anything.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Undo string `json:"undo,omitempty"`
}
