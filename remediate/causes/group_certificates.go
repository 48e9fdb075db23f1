package causes

import (
	"time"

	"moorgate.dev/certs"
	"moorgate.dev/internal/gate"
)

// EvidenceIssuance is who is asked for a certificate, and what became of asking last.
const EvidenceIssuance = "issuance"

// Certificate is what is known of one that cert-manager is to keep. Neither it nor its key is read.
type Certificate struct {
	Stand    certs.Standing
	NotAfter time.Time
	Issuer   string          // as people write it
	There    gate.Fact[bool] // whether the issuer is
	Ready    gate.Fact[bool] // whether the issuer is ready
	Asked    gate.Fact[Asked]
}

// Asked is what became of the newest request for a certificate.
type Asked string

// The fates of a request.
const (
	NotAsked    Asked = ""        // there is none
	AskedWaits  Asked = "waits"   // nobody has answered it yet
	AskedFailed Asked = "failed"  // it came to nothing
	AskedDenied Asked = "denied"  // a policy of the cluster refused it
	OrderFailed Asked = "invalid" // the authority refused its order, or could not check who owns the name
	Answered    Asked = "issued"
)

// certificateCauses are about a certificate that is not issued or runs out. Who is asked comes before what became of asking.
var certificateCauses = []Cause{issuerMissing, issuerNotReady, certificateDenied, orderFailed, issuanceFailed, certificateExpired, renewalLate}

// unfit says how the certificate stands: "is not issued".
func (w World) unfit() string {
	switch w.Certificate.Stand {
	case certs.RunOut:
		return "ran out on " + w.Certificate.NotAfter.UTC().Format("2006-01-02 15:04 UTC")
	case certs.Overdue:
		return "is not renewed, and runs out on " + w.Certificate.NotAfter.UTC().Format("2006-01-02 15:04 UTC")
	}
	return "is not issued"
}

// asked is whether the newest request came to one of the given ends.
func asked(ends ...Asked) func(World, Object) bool {
	return func(w World, _ Object) bool {
		if w.Certificate == nil {
			return false
		}
		at, known := w.Certificate.Asked.Get()
		for _, end := range ends {
			if known && at == end {
				return true
			}
		}
		return false
	}
}
