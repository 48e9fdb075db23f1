package causes

import "moorgate.dev/internal/gate"

// The law: the certificate names an issuer of cert-manager's that was looked for and does not exist. An issuer of somebody else's kind is
// not looked for, and so is not said to be missing.
var issuerMissing = Cause{
	Doc: gate.Doc{ID: "issuer-missing", Since: "v0.2", Title: "A certificate's issuer does not exist",
		Text: "A Certificate of cert-manager names an Issuer or ClusterIssuer that does not exist."},
	Symptoms: []Symptom{CertificateUnfit}, Points: 20, Sure: 95, cites: []string{EvidenceIssuance},
	explainsObject: func(w World, _ Object) bool {
		if w.Certificate == nil {
			return false
		}
		there, known := w.Certificate.There.Get()
		return known && !there
	},
	tell: func(w World, _ Explained) string {
		return sentence("%s %s: %s does not exist", crowd(w, 1), w.unfit(), w.Certificate.Issuer)
	},
}
