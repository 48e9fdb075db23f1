package causes

import (
	"moorgate.dev/certs"
	"moorgate.dev/internal/gate"
)

// The law: the certificate is good and should have been renewed long since, and nothing that was read says why it was not. It is told
// before it runs out, because afterwards everybody knows. One whose renewal is under way and in time is no fault.
var renewalLate = Cause{
	Doc: gate.Doc{ID: "renewal-late", Since: "v0.2", Title: "A certificate is not renewed in time",
		Text: "A Certificate is still good, its renewal is overdue, and nothing that was read says why."},
	Symptoms: []Symptom{CertificateUnfit}, Points: 15, Sure: 80, cites: []string{EvidenceIssuance},
	explainsObject: func(w World, _ Object) bool { return w.Certificate != nil && w.Certificate.Stand == certs.Overdue },
	tell:           func(w World, _ Explained) string { return sentence("%s %s", crowd(w, 1), w.unfit()) },
}
