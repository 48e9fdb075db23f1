package causes

import (
	"moorgate.dev/certs"
	"moorgate.dev/internal/gate"
)

// The law: the certificate's time is over, and nothing that was read says why no other came: cert-manager may not be running, or nobody may
// read what it asked for. Whoever checks it refuses it now.
var certificateExpired = Cause{
	Doc: gate.Doc{ID: "certificate-expired", Since: "v0.2", Title: "A certificate ran out",
		Text: "A Certificate's time is over and no other came; nothing that was read says why."},
	Symptoms: []Symptom{CertificateUnfit}, Points: 25, Sure: 80, cites: []string{EvidenceIssuance},
	explainsObject: func(w World, _ Object) bool { return w.Certificate != nil && w.Certificate.Stand == certs.RunOut },
	tell:           func(w World, _ Explained) string { return sentence("%s %s", crowd(w, 1), w.unfit()) },
}
