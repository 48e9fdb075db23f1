package v1alpha1

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
