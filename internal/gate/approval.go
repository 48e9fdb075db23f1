package gate

import "time"

// Approval is a human's word on one plan, as far as the API server vouched for its author. What is not vouched for never
// becomes one.
type Approval struct {
	Name     string    `json:"name"`     // of the Approval object
	Approver string    `json:"approver"` // the user name that the API server vouched for
	Plan     string    `json:"plan"`     // the plan digest that it is given for
	Reject   bool      `json:"reject,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	At       time.Time `json:"at"`      // by the API server's clock
	Expires  time.Time `json:"expires"` // by the API server's clock
	Used     bool      `json:"used,omitempty"`
	// Void says why it does not count although it is there; empty: it does. A rejection counts all the same: to be more careful
	// needs nobody's voucher.
	Void string `json:"void,omitempty"`
}

// Owner is who else writes the object that an action would change. The zero Owner is nobody.
type Owner struct {
	Source string `json:"source,omitempty"` // Flux, Argo CD, Helm: whoever would undo a live change
	Scaler string `json:"scaler,omitempty"` // HorizontalPodAutoscaler/web, ScaledObject/web: whoever sets the replicas
	Sizer  string `json:"sizer,omitempty"`  // VerticalPodAutoscaler/web: whoever sets the resources
}

// Share is how many of how many are well.
type Share struct {
	Well  int `json:"well"`
	Total int `json:"total"`
}
