package certs

import (
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
}

// Issued reads a cert-manager.io/v1 Certificate.
func Issued(u *unstructured.Unstructured) (IssuedCertificate, error) {
	var c certmanager.Certificate
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &c); err != nil {
		return IssuedCertificate{}, fmt.Errorf("read Certificate %s: %w", u.GetName(), err)
	}
	is := IssuedCertificate{Name: c.Name, Secret: c.Spec.SecretName, Hosts: slices.Clone(c.Spec.DNSNames)}
	if t := c.Status.NotAfter; t != nil {
		is.NotAfter = t.Time
	}
	if t := c.Status.RenewalTime; t != nil {
		is.Renewal = t.Time
	}
	for _, condition := range c.Status.Conditions {
		switch {
		case condition.Type == certmanager.CertificateConditionReady && condition.Status == cmmeta.ConditionFalse:
			is.NotReady, is.Reason = true, condition.Reason
		case condition.Type == certmanager.CertificateConditionIssuing && condition.Status == cmmeta.ConditionTrue:
			is.Renewing = true
		}
	}
	return is, nil
}
