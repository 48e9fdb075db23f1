package causes

import "moorgate.dev/internal/gate"

// The law: the issuer exists and says itself that it is not ready: its account, its key or its authority is not in order. Every
// certificate that it issues waits with this one.
var issuerNotReady = Cause{
	Doc: gate.Doc{ID: "issuer-not-ready", Since: "v0.2", Title: "A certificate's issuer is not ready",
		Text: "The Issuer or ClusterIssuer of a Certificate says that it is not ready: its account, key or authority is not in order."},
	Symptoms: []Symptom{CertificateUnfit}, Points: 20, Sure: 90, cites: []string{EvidenceIssuance},
	explainsObject: func(w World, _ Object) bool {
		if w.Certificate == nil {
			return false
		}
		ready, known := w.Certificate.Ready.Get()
		return known && !ready
	},
	tell: func(w World, _ Explained) string {
		return sentence("%s %s: %s is not ready", crowd(w, 1), w.unfit(), w.Certificate.Issuer)
	},
}
