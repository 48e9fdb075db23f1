package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// GitSource names a repository whose files say what the objects of its namespace should be.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=moorgate
// +kubebuilder:printcolumn:name="Repository",type=string,JSONPath=`.spec.url`
// +kubebuilder:printcolumn:name="Branch",type=string,JSONPath=`.spec.branch`
// +kubebuilder:printcolumn:name="Path",type=string,JSONPath=`.spec.path`
// +kubebuilder:printcolumn:name="Commit",type=string,JSONPath=`.status.commit`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type GitSource struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   GitSourceSpec   `json:"spec"`
	Status GitSourceStatus `json:"status,omitzero"`
}

// GitSourceSpec says where to read. The files are plain YAML manifests, or what kustomize renders.
//
// +kubebuilder:pruning:PreserveUnknownFields
type GitSourceSpec struct {
	// URL of the repository: https, http, ssh or file. Credentials do not belong here.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^(https?|ssh|file)://')",message="url must start with https://, http://, ssh:// or file://"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^[a-z]+://[^/]*:[^/]*@')",message="url must not carry a password"
	URL string `json:"url"`
	// Branch to read.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=244
	// +kubebuilder:default=main
	// +optional
	Branch string `json:"branch,omitempty"`
	// Path of the folder with the manifests, relative to the repository's root. Empty is the root.
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') && !self.split('/').exists(p, p == '..')",message="path must stay inside the repository"
	// +optional
	Path string `json:"path,omitempty"`
	// SecretRef names the Secret of this namespace that the repository is read with: over https username and password, or bearerToken,
	// and ca.crt, tls.crt and tls.key beside them; over ssh identity and known_hosts.
	// The judge may read no Secret: it reads this one where a Role lets it get this one by its name.
	// +optional
	SecretRef *SecretRef `json:"secretRef,omitempty"`
}

// SecretRef names a Secret of the same namespace.
//
// +kubebuilder:pruning:PreserveUnknownFields
type SecretRef struct {
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// GitSourceStatus is what was read.
type GitSourceStatus struct {
	// Commit is the last commit that was read.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Commit string `json:"commit,omitempty"`
	// ObservedGeneration is the generation that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions: Ready says whether the repository could be read.
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// GitSourceList is a list of GitSources.
//
// +kubebuilder:object:root=true
type GitSourceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []GitSource `json:"items"`
}
