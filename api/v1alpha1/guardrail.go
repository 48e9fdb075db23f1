package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Guardrail says what Moorgate may do in the namespaces that it selects. Every Guardrail that matches applies, and the most
// careful answer wins. Where none matches, Moorgate only observes. Fields that this version does not know are refused.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,categories=moorgate
// +kubebuilder:printcolumn:name="Mode",type=string,JSONPath=`.spec.mode`
// +kubebuilder:printcolumn:name="Admission",type=string,JSONPath=`.spec.admission.mode`
// +kubebuilder:printcolumn:name="Warn below",type=integer,JSONPath=`.spec.thresholds.warnBelow`
// +kubebuilder:printcolumn:name="Deny below",type=integer,JSONPath=`.spec.thresholds.denyBelow`
// +kubebuilder:printcolumn:name="Paused",type=string,JSONPath=`.spec.pause[0].reason`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Guardrail struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   GuardrailSpec   `json:"spec"`
	Status GuardrailStatus `json:"status,omitzero"`
}

// GuardrailSpec is what an operator may tune: numbers and switches, no logic.
//
// +kubebuilder:pruning:PreserveUnknownFields
type GuardrailSpec struct {
	// NamespaceSelector selects the namespaces that this Guardrail applies to, by their labels. Empty selects all of them.
	// +optional
	NamespaceSelector Selector `json:"namespaceSelector,omitzero"`

	// Mode is how much Moorgate may do by itself: Observe touches nothing, Propose opens pull requests, Approve acts after
	// a human's Approval, Automatic acts within bounds.
	// +kubebuilder:validation:Enum=Observe;Propose;Approve;Automatic
	// +kubebuilder:default=Observe
	// +optional
	Mode string `json:"mode,omitempty"`

	// Thresholds are the scores and the confidence that are asked for.
	// +optional
	// +kubebuilder:default={}
	Thresholds Thresholds `json:"thresholds,omitzero"`

	// Admission is what the webhook does with its verdicts.
	// +optional
	// +kubebuilder:default={}
	Admission Admission `json:"admission,omitzero"`

	// Model says when a model is asked, where Moorgate has one, and what that may cost.
	// +optional
	// +kubebuilder:default={}
	Model ModelTerms `json:"model,omitzero"`

	// Actions are all that may be done, live or in Git; what is not here is not done. By default pull requests, and nothing
	// live. Answers at the gate and annotations on rollouts follow admission instead.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:default={{verb: pull-request}}
	// +listType=map
	// +listMapKey=verb
	// +optional
	Actions []AllowedAction `json:"actions,omitempty"`

	// Drift says which way drift may be settled.
	// +optional
	// +kubebuilder:default={}
	Drift DriftTerms `json:"drift,omitzero"`

	// Budgets bound how many actions are started under this Guardrail, across crashes and fail-overs.
	// +optional
	// +kubebuilder:default={}
	Budgets Budgets `json:"budgets,omitzero"`

	// Restraint holds the brakes on live actions.
	// +optional
	// +kubebuilder:default={}
	Restraint Restraint `json:"restraint,omitzero"`

	// Approval says whose word live actions need.
	// +optional
	// +kubebuilder:default={}
	Approval ApprovalTerms `json:"approval,omitzero"`

	// Escalation says who is told when people are needed, and what came of it.
	// +optional
	Escalation Escalation `json:"escalation,omitzero"`

	// Freeze are the windows of time in which nothing is changed live, and rollouts are warned about or kept out
	// (admission.onFreeze).
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=reason
	// +optional
	Freeze []FreezeWindow `json:"freeze,omitempty"`

	// Pause stops all actions under this Guardrail while it has entries, and turns its refusals into warnings.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=reason
	// +optional
	Pause []Pause `json:"pause,omitempty"`

	// Silences are what is known already: until each ends, nothing is done about it and nobody is told of it anew.
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	// +optional
	Silences []Silence `json:"silences,omitempty"`
}

// Selector selects objects by label: those that have every label of MatchLabels and meet every one of MatchExpressions.
//
// +kubebuilder:pruning:PreserveUnknownFields
type Selector struct {
	// MatchLabels are labels with the values that an object must have.
	// +kubebuilder:validation:MaxProperties=32
	// +optional
	MatchLabels map[string]LabelValue `json:"matchLabels,omitempty"`

	// MatchExpressions are requirements on labels.
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	// +optional
	MatchExpressions []Requirement `json:"matchExpressions,omitempty"`
}

// LabelValue is the value of a label.
// +kubebuilder:validation:MaxLength=63
type LabelValue string

// Requirement is one requirement on a label.
//
// +kubebuilder:pruning:PreserveUnknownFields
// +kubebuilder:validation:XValidation:rule="self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : !has(self.values) || size(self.values) == 0",message="values goes with the operators In and NotIn, and only with them",fieldPath=".values"
type Requirement struct {
	// Key is the label's key.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	Key string `json:"key"`
	// Operator relates the label to Values.
	// +kubebuilder:validation:Enum=In;NotIn;Exists;DoesNotExist
	Operator string `json:"operator"`
	// Values are the values that In and NotIn speak of.
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	// +optional
	Values []LabelValue `json:"values,omitempty"`
}

// Thresholds are numbers from 0 to 100.
//
// +kubebuilder:pruning:PreserveUnknownFields
// +kubebuilder:validation:XValidation:rule="!has(self.denyBelow) || !has(self.warnBelow) || self.denyBelow <= self.warnBelow",message="denyBelow must not be above warnBelow",fieldPath=".denyBelow"
type Thresholds struct {
	// WarnBelow is the score under which a human should look: rollouts are warned about, actions wait for approval.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +kubebuilder:default=80
	// +optional
	WarnBelow *int32 `json:"warnBelow,omitempty"`

	// DenyBelow is the score under which the answer is no.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +kubebuilder:default=50
	// +optional
	DenyBelow *int32 `json:"denyBelow,omitempty"`

	// ConfidenceBelow is the confidence under which a human should look, whatever the score.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +kubebuilder:default=60
	// +optional
	ConfidenceBelow *int32 `json:"confidenceBelow,omitempty"`

	// AgreementBelow is the share of independent looks that must come to the same choice; under it a human should look
	// before anything is done.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +kubebuilder:default=67
	// +optional
	AgreementBelow *int32 `json:"agreementBelow,omitempty"`

	// HistoryBelow is how sure we must be, from what healed before for the same cause and action (the lower bound of a 95 %
	// Wilson interval), to act live without asking: 20 of 20 is 83. An action without a history always asks.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +kubebuilder:default=80
	// +optional
	HistoryBelow *int32 `json:"historyBelow,omitempty"`
}

// Pause is one person's reason to stop.
//
// +kubebuilder:pruning:PreserveUnknownFields
type Pause struct {
	// Reason says why, and best also who.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Reason string `json:"reason"`
}

// GuardrailStatus is what Moorgate makes of the Guardrail.
type GuardrailStatus struct {
	// ObservedGeneration is the generation that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions: Ready is False where the Guardrail cannot be read; everything that it applies to is then held.
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// GuardrailList is a list of Guardrails.
//
// +kubebuilder:object:root=true
type GuardrailList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Guardrail `json:"items"`
}
