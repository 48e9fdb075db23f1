package checks

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/certs"
	"moorgate.dev/internal/gate"
)

// The law: the certificates that the pods are reached or serve with are good. Those are cert-manager's, whose Secret is named
// for TLS by an Ingress that leads to these pods, or is mounted by them. One that has expired fails every visitor. One that
// expires within a week although its renewal is due, and that nobody renews, will; and one that its issuer calls not ready
// may.
//
// A certificate that lives shorter than a week is renewed in time as long as its renewal is still to come. One that is being
// issued for the first time is waited for elsewhere: pods do not start without their Secret.
//
// No rollout spoils a certificate: all findings are recent. Certificates that cert-manager does not know are not looked at,
// for nobody here reads a Secret.
var certificatesCheck = Check{
	ID: "certificates", Title: "Certificates are good", Points: pointsExpired, Nature: gate.Recent,
	Law:  "No cert-manager Certificate that the pods mount, or that an Ingress in front of them serves with, has expired, is late to be renewed within a week of its end, or is not ready.",
	look: lookCertificates,
}

// expiresSoon is how long before its end a certificate whose renewal is due is told of.
const expiresSoon = 7 * 24 * time.Hour

func lookCertificates(r Rollout) Result {
	used, out := served(r)
	if len(used) == 0 {
		return out
	}
	all, known := r.World.Certificates.Get()
	if !known {
		out.Unknown = append(out.Unknown, unread("Certificates", r.World.Certificates))
	}
	for _, c := range all {
		where, ok := used[c.Secret]
		if !ok {
			continue
		}
		points, text := ill(c, r.World.At)
		if points > 0 {
			out.Findings = append(out.Findings, found(points, gate.Recent, []string{EvidenceWorkload, EvidenceCertificates},
				"Certificate %s %s (%s)", name(c.Name), text, name(where)))
		}
	}
	return out
}

// ill says what is wrong with a certificate, for no points where nothing is.
func ill(c certs.IssuedCertificate, at time.Time) (int, string) {
	left := c.NotAfter.Sub(at)
	issued := !c.NotAfter.IsZero()
	due := c.Renewal.IsZero() || !c.Renewal.After(at)
	switch {
	case issued && left <= 0:
		return pointsExpired, "has expired " + span(-left) + " ago"
	case issued && left < expiresSoon && due && !c.Renewing:
		return pointsExpires, "expires in " + span(left) + ", and is not being renewed"
	case c.NotReady && (issued || !c.Renewing):
		return pointsExpires, "is not ready: " + name(c.Reason)
	}
	return 0, ""
}

// span writes how long something lasts, in the largest unit that says something.
func span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int(d/(24*time.Hour)))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(d/time.Hour))
	}
	return plural(int(d/time.Minute), "minute")
}

// served are the Secrets that the pods mount, and those with which an Ingress in front of them serves, and where each is named.
func served(r Rollout) (Names, Result) {
	used := Names{}
	for i := range r.New.Template.Spec.Volumes {
		mounted(used, &r.New.Template.Spec.Volumes[i])
	}
	services, known := r.World.Services.Get()
	if !known {
		return used, Result{Unknown: []string{unread("Services", r.World.Services)}}
	}
	reached := reaching(services, r.New.Template.Labels)
	if len(reached) == 0 {
		return used, Result{}
	}
	ingresses, known := r.World.Ingresses.Get()
	if !known {
		return used, Result{Unknown: []string{unread("Ingresses", r.World.Ingresses)}}
	}
	for i := range ingresses {
		route := ingressRoute(&ingresses[i])
		if !leads(route, reached) {
			continue
		}
		for _, secret := range route.TLS {
			used.add(secret, "Ingress "+route.Name)
		}
	}
	return used, Result{}
}

func mounted(used Names, v *corev1.Volume) {
	if v.Secret != nil {
		used.add(v.Secret.SecretName, "volume "+v.Name)
	}
	if v.Projected == nil {
		return
	}
	for _, s := range v.Projected.Sources {
		if s.Secret != nil {
			used.add(s.Secret.Name, "volume "+v.Name)
		}
	}
}

func leads(route Route, reached map[string]*corev1.Service) bool {
	for _, b := range route.Backends {
		if reached[b.Service] != nil {
			return true
		}
	}
	return false
}
