package causes

import "moorgate.dev/internal/gate"

// The law: the newest request for the certificate failed at its issuer, which exists and is ready as far as can be read, and no order says
// more. One that waits has not failed.
var issuanceFailed = Cause{
	Doc: gate.Doc{ID: "issuance-failed", Since: "v0.2", Title: "A certificate's request failed",
		Text: "The newest CertificateRequest failed at its issuer."},
	Symptoms: []Symptom{CertificateUnfit}, Points: 20, Sure: 85, cites: []string{EvidenceIssuance},
	explainsObject: asked(AskedFailed),
	tell: func(w World, _ Explained) string {
		return sentence("%s %s: its newest request failed at %s", crowd(w, 1), w.unfit(), w.Certificate.Issuer)
	},
}
