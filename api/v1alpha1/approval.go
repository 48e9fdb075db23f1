package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Approval is one human's word on one plan of one Case. The API server vouches for who said it: it refuses an Approval whose
// approver is not who sent it, or who may not approve Cases in its namespace. It is for exactly one plan, expires, and is good
// for one action.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=moorgate
// +kubebuilder:printcolumn:name="Case",type=string,JSONPath=`.spec.case`
// +kubebuilder:printcolumn:name="Decision",type=string,JSONPath=`.spec.decision`
// +kubebuilder:printcolumn:name="Approver",type=string,JSONPath=`.spec.approver`
// +kubebuilder:printcolumn:name="Used",type=string,JSONPath=`.status.used.reservation`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.spec.reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Approval struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="an Approval cannot be changed: delete it, or reject the plan"
	Spec   ApprovalSpec   `json:"spec"`
	Status ApprovalStatus `json:"status,omitzero"`
}

// ApprovalSpec is what was said.
//
// +kubebuilder:pruning:PreserveUnknownFields
type ApprovalSpec struct {
	// Case is the name of the Case, in the same namespace.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Case string `json:"case"`
	// Plan is the digest of the plan, from the Case's menu: an approval of one plan is none of another.
	// +kubebuilder:validation:Pattern=`^sha256:[0-9a-f]{64}$`
	// +kubebuilder:validation:MaxLength=71
	Plan string `json:"plan"`
	// Decision is Approve or Reject. One Reject outweighs every Approve.
	// +kubebuilder:validation:Enum=Approve;Reject
	// +kubebuilder:default=Approve
	// +optional
	Decision string `json:"decision,omitempty"`
	// Approver is the user name of whoever creates this, which the API server compares.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=320
	Approver string `json:"approver"`
	// Reason says why.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Reason string `json:"reason,omitempty"`
	// TTLSeconds is how long it is good for, counted from its creation, up to a day.
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:validation:Maximum=86400
	// +kubebuilder:default=3600
	// +optional
	TTLSeconds *int32 `json:"ttlSeconds,omitempty"`
}

// ApprovalStatus is what became of it. Only moorgate-act writes it.
type ApprovalStatus struct {
	// Used is the action that it was spent on.
	// +optional
	Used *ApprovalUse `json:"used,omitempty"`
}

// ApprovalUse is the action that an Approval was spent on.
type ApprovalUse struct {
	// Reservation is the id of the action in the ledger and the audit log.
	// +kubebuilder:validation:MaxLength=64
	Reservation string `json:"reservation"`
	// At is when.
	At metav1.Time `json:"at"`
}

// LabelApprover on an Approval that a ServiceAccount creates is ApproverServiceAccount. It gives no right: it has the API
// server look into the Guardrails for whether that ServiceAccount may approve.
const (
	LabelApprover          = "moorgate.dev/approver"
	ApproverServiceAccount = "ServiceAccount"
)

// The decisions of an Approval.
const (
	DecisionApprove = "Approve"
	DecisionReject  = "Reject"
)

// ApprovalList is a list of Approvals.
//
// +kubebuilder:object:root=true
type ApprovalList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Approval `json:"items"`
}
