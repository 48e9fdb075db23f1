package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// What happened on a Case that says what the API server saw a person do.
const (
	// ReasonWitnessed: a person changed an object that Git declares or may declare.
	ReasonWitnessed = "Witnessed"
	// ReasonReverted: a person changed it, and within seconds somebody put it back.
	ReasonReverted = "Reverted"
)

// Witness is what a person did to an object, as the API server told it while it happened and as the watch confirmed it. It
// holds no value of the object, neither in the clear nor as a hash.
type Witness struct {
	// User is who did it, as the API server knows them.
	// +kubebuilder:validation:MaxLength=256
	User string `json:"user"`
	// Operation is CREATE, UPDATE or DELETE.
	// +kubebuilder:validation:Enum=CREATE;UPDATE;DELETE
	Operation string `json:"operation"`
	// Manager is the field manager that they named, or that their program named for them: their own word.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	Manager string `json:"manager,omitempty"`
	// Subresource is scale, or empty for the object itself.
	// +kubebuilder:validation:MaxLength=32
	// +optional
	Subresource string `json:"subresource,omitempty"`
	// Paths are the fields that changed; of an update only.
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=200
	// +listType=atomic
	// +optional
	Paths []string `json:"paths,omitempty"`
	// More is how many fields changed beside those.
	// +optional
	More int32 `json:"more,omitempty"`
	// RevertedBy is who put it back: a field manager, by its own word, or another person.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	RevertedBy string `json:"revertedBy,omitempty"`
	// At is when the API server asked.
	At metav1.Time `json:"at"`
}
