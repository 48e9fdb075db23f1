package certs

import (
	"crypto/x509"
	"time"
)

// State is how a certificate stands at an instant. The zero State is of no use to anybody.
type State int

// The states. Only Due and Fresh certificates are accepted by a client whose clock is right.
const (
	Missing State = iota // there is none
	NotYet               // its time has not come: a clock was wrong when it was made, or is wrong now
	Expired              // its time is over
	Due                  // good, but to be renewed: a third of its time or less is left
	Fresh                // good
)

func (s State) String() string {
	switch s {
	case NotYet:
		return "not valid yet"
	case Expired:
		return "expired"
	case Due:
		return "due for renewal"
	case Fresh:
		return "fresh"
	}
	return "missing"
}

// Health is how a certificate stands at the instant now. A nil certificate is missing.
func Health(cert *x509.Certificate, now time.Time) State {
	switch {
	case cert == nil:
		return Missing
	case now.Before(cert.NotBefore):
		return NotYet
	case now.After(cert.NotAfter):
		return Expired
	case now.Before(RenewAt(cert)):
		return Fresh
	}
	return Due
}

// RenewAt is when a third of a certificate's time is left.
func RenewAt(cert *x509.Certificate) time.Time {
	return cert.NotAfter.Add(-cert.NotAfter.Sub(cert.NotBefore) / 3)
}
