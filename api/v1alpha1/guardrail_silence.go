package v1alpha1

// Silence is a person's word that something is known: until it ends, nothing is done about it and nobody is told of it anew. Its Cases
// stay, and say so. It holds nothing that is asked at the gate. Left out, namespace, workload and symptom stand for all that the
// Guardrail applies to.
//
// +kubebuilder:pruning:PreserveUnknownFields
type Silence struct {
	// Namespace is where it is.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// Workload is what it is about: KIND/NAME, as Cases name it: Deployment/web.
	// +kubebuilder:validation:Pattern=`^[A-Z][A-Za-z0-9]{0,62}/[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$`
	// +kubebuilder:validation:MaxLength=317
	// +optional
	Workload string `json:"workload,omitempty"`
	// Symptom is what it shows, as the reason of its Case says: CrashLoop. A drift has none.
	// +kubebuilder:validation:Pattern=`^[A-Z][A-Za-z]{0,62}$`
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Symptom string `json:"symptom,omitempty"`
	// Until is when it ends, in UTC: 2026-12-01T08:00:00Z.
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$`
	// +kubebuilder:validation:MaxLength=20
	Until string `json:"until"`
	// By is who wants it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	By string `json:"by"`
	// Why is the reason.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Why string `json:"why"`
}
