package causes

import "moorgate.dev/internal/gate"

// The law: the order that the newest request placed with an ACME authority is invalid, expired or in error: the authority refused it, or
// could not check who owns the names (DNS, a route, a firewall). Where the request failed and no order can be seen, that is
// issuance-failed. An order that is pending is under way.
var orderFailed = Cause{
	Doc: gate.Doc{ID: "order-failed", Since: "v0.2", Title: "A certificate's order failed",
		Text: "The ACME order of the newest request is invalid, expired or in error: the authority refused it or could not check the names."},
	Symptoms: []Symptom{CertificateUnfit}, Points: 20, Sure: 90, cites: []string{EvidenceIssuance},
	explainsObject: asked(OrderFailed),
	tell: func(w World, _ Explained) string {
		return sentence("%s %s: the order with %s failed: the authority refused it or could not check the names", crowd(w, 1), w.unfit(), w.Certificate.Issuer)
	},
}
