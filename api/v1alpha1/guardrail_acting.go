package v1alpha1

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

// DriftTerms say which way drift may be settled: what differs from Git is told of in any case.
//
// +kubebuilder:pruning:PreserveUnknownFields
type DriftTerms struct {
	// Direction is which way: Report only tells people, Revert tells them what it takes to go back to Git too, Adopt proposes to Git
	// what the cluster says, by pull request, where mode and actions allow that.
	// +kubebuilder:validation:Enum=Report;Revert;Adopt
	// +kubebuilder:default=Adopt
	// +optional
	Direction string `json:"direction,omitempty"`
	// Adopt is which drift is proposed to Git in the direction Adopt: Emergency, what the rules take for an emergency fix, or Any that
	// may be. What looks like an accident or an experiment, or weakens a workload's isolation, never is.
	// +kubebuilder:validation:Enum=Emergency;Any
	// +kubebuilder:default=Any
	// +optional
	Adopt string `json:"adopt,omitempty"`
	// Hold is whether Flux may be kept from undoing a drift while people decide on the pull request that adopts it: Never, or Ask, where
	// one of them has approved that very plan. The one object is then left alone by an annotation that only Flux reads.
	// +kubebuilder:validation:Enum=Never;Ask
	// +kubebuilder:default=Never
	// +optional
	Hold string `json:"hold,omitempty"`
	// HoldFor is for how long at most, up to a day.
	// +kubebuilder:validation:Pattern=`^([0-9]{1,5}[smh]){1,3}$`
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m') && duration(self) <= duration('24h')",message="holdFor must be between 1m and 24h"
	// +kubebuilder:default="4h"
	// +optional
	HoldFor string `json:"holdFor,omitempty"`
}

// Escalation says who is told.
//
// +kubebuilder:pruning:PreserveUnknownFields
type Escalation struct {
	// Receivers are the names of those who are told, as moorgate judge --receivers lists them; what they are told is said there too.
	// Those of all Guardrails that apply are told. Where none names any, those are that the list has by default.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:Pattern=`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
	// +listType=set
	// +optional
	Receivers []string `json:"receivers,omitempty"`
}
