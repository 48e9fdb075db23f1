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

// AllowedAction is one kind of action that may be done, and how far it may go.
//
// +kubebuilder:pruning:PreserveUnknownFields
type AllowedAction struct {
	// Verb is what is done: evict (one pod, so that its controller makes another), roll-back (to an earlier revision),
	// pull-request (propose the change in Git).
	// +kubebuilder:validation:Enum=evict;roll-back;pull-request
	Verb string `json:"verb"`
	// Kinds are the kinds of object that it may be done to. Empty: any.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=63
	// +listType=set
	// +optional
	Kinds []string `json:"kinds,omitempty"`
	// Bounds bound the new values of fields. A value that is no quantity is out of bounds.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=field
	// +optional
	Bounds []FieldBound `json:"bounds,omitempty"`
	// Irreversible is what happens with an action that cannot be taken back: Ask a human, in whatever mode, or Allow it.
	// +kubebuilder:validation:Enum=Ask;Allow
	// +kubebuilder:default=Ask
	// +optional
	Irreversible string `json:"irreversible,omitempty"`
}

// FieldBound bounds the new value of one field.
//
// +kubebuilder:pruning:PreserveUnknownFields
type FieldBound struct {
	// Field is the end of the field's path, as plans show it: replicas, resources.limits[memory].
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=200
	Field string `json:"field"`
	// Min is the least new value, a quantity: 1, 500m, 128Mi.
	// +kubebuilder:validation:Pattern=`^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$`
	// +kubebuilder:validation:MaxLength=20
	// +optional
	Min string `json:"min,omitempty"`
	// Max is the greatest new value, a quantity.
	// +kubebuilder:validation:Pattern=`^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$`
	// +kubebuilder:validation:MaxLength=20
	// +optional
	Max string `json:"max,omitempty"`
	// ChangePercent is by how many percent of the old value the new one may differ. Absent: by any.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	ChangePercent *int32 `json:"changePercent,omitempty"`
}

// Budgets are how many actions may be started in any window of time. They are reserved before anything is done; what was
// reserved stays spent, also by a crash.
//
// +kubebuilder:pruning:PreserveUnknownFields
type Budgets struct {
	// Total bounds all actions under this Guardrail.
	// +kubebuilder:default={actions: 10, window: "1h"}
	// +optional
	Total Budget `json:"total,omitzero"`
	// PerNamespace bounds the actions in one namespace.
	// +kubebuilder:default={actions: 3, window: "1h"}
	// +optional
	PerNamespace Budget `json:"perNamespace,omitzero"`
	// PerWorkload bounds the actions on one workload.
	// +kubebuilder:default={actions: 1, window: "1h"}
	// +optional
	PerWorkload Budget `json:"perWorkload,omitzero"`
}

// Budget is a number of actions in any window of the given length.
//
// +kubebuilder:pruning:PreserveUnknownFields
type Budget struct {
	// Actions is how many may be started; 0 is none.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	Actions int32 `json:"actions"`
	// Window is the length of the window, up to 24 hours: 30m, 1h, 1h30m.
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}[smh]){1,3}$`
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m') && duration(self) <= duration('24h')",message="window must be between 1m and 24h"
	Window string `json:"window"`
}

// Restraint holds the brakes on live actions.
//
// +kubebuilder:pruning:PreserveUnknownFields
type Restraint struct {
	// MinHealthyPercent is the share of the namespace's pods that must be well: below it, what is wrong is larger than one
	// workload, and no live action is begun.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +kubebuilder:default=51
	// +optional
	MinHealthyPercent *int32 `json:"minHealthyPercent,omitempty"`
	// StormCases is how many new Cases of drift or failure in the whole cluster within 10 minutes stop live actions; 0 stops
	// them always.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	// +kubebuilder:default=20
	// +optional
	StormCases *int32 `json:"stormCases,omitempty"`
	// Wait is how long a happening must have lasted before a live action, at least 30s: much heals by itself.
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}[smh]){1,3}$`
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('30s') && duration(self) <= duration('24h')",message="wait must be between 30s and 24h"
	// +kubebuilder:default="30s"
	// +optional
	Wait string `json:"wait,omitempty"`
	// Fresh is how old the evidence may be when an action is begun.
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}[smh]){1,3}$`
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('5s') && duration(self) <= duration('1h')",message="fresh must be between 5s and 1h"
	// +kubebuilder:default="5m"
	// +optional
	Fresh string `json:"fresh,omitempty"`
	// Attempts is how many actions one workload gets in 24 hours, healed or not.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	// +kubebuilder:default=3
	// +optional
	Attempts *int32 `json:"attempts,omitempty"`
	// CoolDown is how long the same action on the same object waits, at least 5m.
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}[smh]){1,3}$`
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('5m') && duration(self) <= duration('24h')",message="coolDown must be between 5m and 24h"
	// +kubebuilder:default="5m"
	// +optional
	CoolDown string `json:"coolDown,omitempty"`
}

// ApprovalTerms say whose word live actions need.
//
// +kubebuilder:pruning:PreserveUnknownFields
type ApprovalTerms struct {
	// Approvers is how many different people must approve a plan before it is done live, in whatever mode. In mode Approve
	// it is one at least.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=5
	// +kubebuilder:default=0
	// +optional
	Approvers *int32 `json:"approvers,omitempty"`
	// ServiceAccounts are those that may approve, as system:serviceaccount:NAMESPACE:NAME. Empty: none, so that an Approval
	// that a GitOps controller applies is nobody's word. One of Moorgate's own never may.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=320
	// +kubebuilder:validation:items:Pattern=`^system:serviceaccount:[a-z0-9-]+:[a-z0-9.-]+$`
	// +listType=set
	// +optional
	ServiceAccounts []string `json:"serviceAccounts,omitempty"`
}

// FreezeWindow is a repeated time in which nothing is changed live.
//
// +kubebuilder:pruning:PreserveUnknownFields
type FreezeWindow struct {
	// Reason says why.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Reason string `json:"reason"`
	// Schedule is when it begins: a cron expression with five fields, as in a CronJob.
	// +kubebuilder:validation:MinLength=9
	// +kubebuilder:validation:MaxLength=120
	Schedule string `json:"schedule"`
	// Duration is how long it lasts, up to 31 days (744h).
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}[smh]){1,3}$`
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m') && duration(self) <= duration('744h')",message="duration must be between 1m and 744h"
	Duration string `json:"duration"`
	// TimeZone is the zone that the schedule is in, as in the tz database: Europe/Berlin.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:default=UTC
	// +optional
	TimeZone string `json:"timeZone,omitempty"`
}

// Admission is what the webhook does with its verdicts.
//
// +kubebuilder:pruning:PreserveUnknownFields
type Admission struct {
	// Mode: Observe records the verdict and says nothing, Warn lets rollouts in with warnings and annotations, Enforce
	// refuses what is denied.
	// +kubebuilder:validation:Enum=Observe;Warn;Enforce
	// +kubebuilder:default=Observe
	// +optional
	Mode string `json:"mode,omitempty"`

	// OnMissing is what a reference to something that does not exist may do: Warn, because it may merely not be there yet,
	// or Deny, after a short wait and a second look.
	// +kubebuilder:validation:Enum=Warn;Deny
	// +kubebuilder:default=Warn
	// +optional
	OnMissing string `json:"onMissing,omitempty"`

	// OnAdvice is what a model's findings may do by themselves: Warn, or count towards a denial (Deny). They lower a score in
	// either case, and never raise one.
	// +kubebuilder:validation:Enum=Warn;Deny
	// +kubebuilder:default=Warn
	// +optional
	OnAdvice string `json:"onAdvice,omitempty"`

	// OnFreeze is what happens to a rollout of another template while one of the windows of freeze is open: Warn, or keep it out
	// until the window is over (Deny). A return to an earlier revision, a size and a restart are let in without a word, and a
	// change to a workload that fails now with a warning.
	// +kubebuilder:validation:Enum=Warn;Deny
	// +kubebuilder:default=Warn
	// +optional
	OnFreeze string `json:"onFreeze,omitempty"`

	// OnPending is what a rollout gets that the checks let in and that a model, which may deny (onAdvice), has not been heard
	// about yet: let in at once, and the opinion follows (Warn); asked to come again (Retry), which kubectl, Helm and Flux do by
	// themselves; or refused until there is an opinion (Deny). Where no model can be asked, and once pendingFor is over, the
	// checks alone decide.
	// +kubebuilder:validation:Enum=Warn;Retry;Deny
	// +kubebuilder:default=Warn
	// +optional
	OnPending string `json:"onPending,omitempty"`

	// PendingFor is how long a model's opinion is waited for at most, between 5 seconds and 2 minutes. Clients come again up to
	// eight times within it.
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}[smh]){1,3}$`
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('5s') && duration(self) <= duration('2m')",message="pendingFor must be between 5s and 2m"
	// +kubebuilder:default="30s"
	// +optional
	PendingFor string `json:"pendingFor,omitempty"`
}

// ModelTerms say when a model is asked and what that may cost. Every Guardrail that applies has to agree: the most sparing wins.
//
// +kubebuilder:pruning:PreserveUnknownFields
type ModelTerms struct {
	// Ask is when a model is asked: Never, about what the checks, causes and drift rules could not settle (Unsettled), or Always.
	// +kubebuilder:validation:Enum=Never;Unsettled;Always
	// +kubebuilder:default=Unsettled
	// +optional
	Ask string `json:"ask,omitempty"`
	// Expert is when the larger model is asked after the one that triages: Never, where that is unsure or its samples disagree
	// (Unsure), or Always.
	// +kubebuilder:validation:Enum=Never;Unsure;Always
	// +kubebuilder:default=Unsure
	// +optional
	Expert string `json:"expert,omitempty"`
	// TokensPerCase is how many tokens, in and out, one Case may cost in all. The most that a call may cost is set aside before
	// it, so a little less can be used.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000000
	// +kubebuilder:default=150000
	// +optional
	TokensPerCase *int32 `json:"tokensPerCase,omitempty"`
	// TokensPerNamespaceDay is how many tokens all Cases of one namespace may cost in a day (UTC).
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000000
	// +kubebuilder:default=2000000
	// +optional
	TokensPerNamespaceDay *int32 `json:"tokensPerNamespaceDay,omitempty"`
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
