package certs

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// IssuedCertificate is what cert-manager says of one of its Certificates. The certificate itself, and its key, are never read.
type IssuedCertificate struct {
	Name, Secret string
	Hosts        []string
	NotAfter     time.Time // zero: none was issued yet
	Renewal      time.Time // when the next is due; zero: not said
	Renewing     bool      // the next is being issued
	NotReady     bool      // the Ready condition is False
	Reason       string    // why it is not ready, in one word
	Since        time.Time // since when it is as ready as it is
	Failed       time.Time // when issuing failed last; zero: not since it succeeded last
	Issuer       Issuer
}

// Issuer is who is asked for a certificate.
type Issuer struct{ Group, Kind, Name string }

// Standing is how a certificate of cert-manager fares.
type Standing int

// The standings, the worst last.
const (
	Sound   Standing = iota // issued, and good until the next is due
	Awaited                 // none was issued yet
	Overdue                 // the next is due and does not come: issuing it failed, or half of the time that was left for it is over
	RunOut                  // its time is over
)

// Stand is how a certificate fares at the instant now. One that is being renewed in time is sound.
func (c IssuedCertificate) Stand(now time.Time) Standing {
	switch {
	case c.NotAfter.IsZero() && c.NotReady:
		return Awaited
	case c.NotAfter.IsZero():
		return Sound // nothing is said of it yet
	case now.After(c.NotAfter):
		return RunOut
	case c.Renewal.IsZero() || now.Before(c.Renewal):
		return Sound
	case c.Failed.After(c.Renewal) || now.After(c.Renewal.Add(c.NotAfter.Sub(c.Renewal)/2)):
		return Overdue
	}
	return Sound
}

// Issued reads a cert-manager.io/v1 Certificate.
func Issued(u *unstructured.Unstructured) (IssuedCertificate, error) {
	var c certmanager.Certificate
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &c); err != nil {
		return IssuedCertificate{}, fmt.Errorf("read Certificate %s: %w", u.GetName(), err)
	}
	is := IssuedCertificate{Name: c.Name, Secret: c.Spec.SecretName, Hosts: slices.Clone(c.Spec.DNSNames),
		Issuer: Issuer{Group: cmp.Or(c.Spec.IssuerRef.Group, certmanager.SchemeGroupVersion.Group), Kind: cmp.Or(c.Spec.IssuerRef.Kind, certmanager.IssuerKind), Name: c.Spec.IssuerRef.Name}}
	if t := c.Status.LastFailureTime; t != nil {
		is.Failed = t.Time
	}
	if t := c.Status.NotAfter; t != nil {
		is.NotAfter = t.Time
	}
	if t := c.Status.RenewalTime; t != nil {
		is.Renewal = t.Time
	}
	for _, condition := range c.Status.Conditions {
		if t := condition.LastTransitionTime; condition.Type == certmanager.CertificateConditionReady && t != nil {
			is.Since = t.Time
		}
		switch {
		case condition.Type == certmanager.CertificateConditionReady && condition.Status == cmmeta.ConditionFalse:
			is.NotReady, is.Reason = true, condition.Reason
		case condition.Type == certmanager.CertificateConditionIssuing && condition.Status == cmmeta.ConditionTrue:
			is.Renewing = true
		}
	}
	return is, nil
}
