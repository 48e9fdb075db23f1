package causes

import "moorgate.dev/internal/gate"

// The law: the newest request for the certificate was denied: an approver of the cluster says that this certificate may not be had. It
// is a decision of somebody's, and asking again changes nothing.
var certificateDenied = Cause{
	Doc: gate.Doc{ID: "certificate-denied", Since: "v0.2", Title: "A certificate was denied by policy",
		Text: "The newest CertificateRequest was denied by an approver of the cluster."},
	Symptoms: []Symptom{CertificateUnfit}, Points: 20, Sure: 95, cites: []string{EvidenceIssuance},
	explainsObject: asked(AskedDenied),
	tell: func(w World, _ Explained) string {
		return sentence("%s %s: its newest request was denied by a policy of the cluster", crowd(w, 1), w.unfit())
	},
}
