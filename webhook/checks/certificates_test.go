package checks

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"moorgate.dev/certs"
	"moorgate.dev/internal/gate"
)

const day = 24 * time.Hour

// issued adds a certificate into the Secret tls that ends so much later, zero: never issued.
func issued(left time.Duration, changes ...func(*certs.IssuedCertificate)) func(*Rollout) {
	c := certs.IssuedCertificate{Name: "shop", Secret: "tls"}
	if left != 0 {
		c.NotAfter = noon.Add(left)
	}
	for _, change := range changes {
		change(&c)
	}
	return func(r *Rollout) { r.World.Certificates = gate.Known([]certs.IssuedCertificate{c}) }
}

func TestCertificates(t *testing.T) {
	front := steps(serves("web", "http", "app", "web"), ingress("in", "web", "", 80, "tls"))
	renewing := func(c *certs.IssuedCertificate) { c.Renewing = true }
	later := func(c *certs.IssuedCertificate) { c.Renewal = noon.Add(time.Hour) }
	overdue := func(c *certs.IssuedCertificate) { c.Renewal = noon.Add(-time.Hour) }
	notReady := func(c *certs.IssuedCertificate) { c.NotReady, c.Reason = true, "Failed" }
	mount := volume(corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "tls"}})
	projected := volume(corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{},
		{Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "tls"}}}}}})
	unread := func(r *Rollout) { r.World.Certificates = gate.Unknown[[]certs.IssuedCertificate]("forbidden") }
	noIngress := func(r *Rollout) { r.World.Ingresses = gate.Unknown[[]networkingv1.Ingress]("forbidden") }
	all := []tale{
		{name: "no certificate", change: front},
		{name: "a good one", change: steps(front, issued(60*day))},
		{name: "one that has expired", change: steps(front, issued(-3*day)), points: 20, text: "Certificate shop has expired 3 days ago (Ingress in)"},
		{name: "one that ends this very moment", change: steps(front, issued(time.Nanosecond), func(r *Rollout) { r.World.At = noon.Add(time.Nanosecond) }), points: 20},
		{name: "one that ends in five hours", change: steps(front, issued(5*time.Hour+time.Minute)), points: 10, text: "expires in 5 hours, and is not being renewed"},
		{name: "one that ends in a minute", change: steps(front, issued(time.Minute)), points: 10, text: "expires in 1 minute"},
		{name: "one that ends in exactly a week", change: steps(front, issued(7*day))},
		{name: "one that ends sooner", change: steps(front, issued(7*day-time.Second)), points: 10, text: "expires in 6 days"},
		{name: "one that is being renewed", change: steps(front, issued(day, renewing))},
		{name: "one whose renewal is still to come", change: steps(front, issued(day, later))},
		{name: "one whose renewal is late", change: steps(front, issued(day, overdue)), points: 10},
		{name: "one that has expired, renewed or not", change: steps(front, issued(-day, renewing)), points: 20},
		{name: "one that is not ready", change: steps(front, issued(60*day, notReady)), points: 10, text: "Certificate shop is not ready: Failed (Ingress in)"},
		{name: "one that was never issued", change: steps(front, issued(0, notReady)), points: 10},
		{name: "one that is being issued for the first time", change: steps(front, issued(0, notReady, renewing))},
		{name: "one that the pods mount", change: steps(mount, issued(-day)), points: 20, text: "(volume v0)"},
		{name: "one among others in a volume", change: steps(projected, issued(-day)), points: 20},
		{name: "one of another Secret", change: steps(mount, issued(-day, func(c *certs.IssuedCertificate) { c.Secret = "other" }))},
		{name: "one of an Ingress to other pods", change: steps(serves("api", "http", "app", "api"), ingress("in", "api", "", 80, "tls"), issued(-day))},
		{name: "unknown certificates that nobody uses", change: unread},
		{name: "unknown certificates", change: steps(mount, unread), unknown: "Certificates: forbidden"},
		{name: "unknown Ingresses, and no Service", change: noIngress},
		{name: "unknown Ingresses", change: steps(front, noIngress), unknown: "Ingresses: forbidden"},
		{name: "unknown Services, and a mounted one", points: 20, unknown: "Services: forbidden",
			change: steps(mount, issued(-day), func(r *Rollout) { r.World.Services = gate.Unknown[[]corev1.Service]("forbidden") })},
	}
	for i := range all {
		all[i].nature = gate.Recent
	}
	certificatesCheck.tell(t, all)
}
