package remediate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/certs"
	"moorgate.dev/internal/gate"
	"moorgate.dev/remediate/causes"
)

// The law: a certificate that cert-manager is to keep is unfit where its time is over, where its renewal is overdue, or where none was
// issued for a long while; a while, where issuing it failed. What it says of itself is read, never the certificate or its key. Where there
// is no cert-manager there is nothing to be unfit.
var certificateWard = foreign(schema.GroupVersionKind{Group: "cert-manager.io", Version: "v1", Kind: "Certificate"}, causes.CertificateUnfit, certificateSigns,
	func(u *unstructured.Unstructured) []causes.Condition { return conditionsIn(u, unclassed) })

func certificateSigns(u *unstructured.Unstructured, now time.Time, patience time.Duration) bool {
	c, err := certs.Issued(u)
	if err != nil {
		return false // what cannot be read shows nothing
	}
	switch c.Stand(now) {
	case certs.RunOut, certs.Overdue:
		return true
	case certs.Awaited:
		wait := enduring * patience
		if !c.Failed.IsZero() {
			wait = patience
		}
		return now.Sub(c.Since) >= wait
	}
	return false
}

// certificate reads who is asked for a certificate, and what became of asking last.
func (e eye) certificate(ctx context.Context, w *causes.World) error {
	if len(w.Stuck()) == 0 {
		return nil
	}
	ref := w.Stuck()[0].Ref
	u := certificateWard.one()
	if err := e.owners.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, u); err != nil {
		if refused(err) {
			return nil
		}
		return fmt.Errorf("read %s: %w", ref, err)
	}
	c, err := certs.Issued(u.(*unstructured.Unstructured))
	if err != nil {
		return nil // said when it was looked for signs: it shows none
	}
	fact := &causes.Certificate{Stand: c.Stand(w.At), NotAfter: c.NotAfter, Issuer: gate.OneLine(c.Issuer.Kind+"/"+c.Issuer.Name, maxField),
		There: gate.Unknown[bool]("it is nobody's that is looked for"), Ready: gate.Unknown[bool]("it is nobody's that is looked for")}
	if err := e.issuer(ctx, fact, c.Issuer, ref.Namespace); err != nil {
		return err
	}
	if fact.Asked, err = e.asked(ctx, ref); err != nil {
		return err
	}
	evidence := gate.Evidence{ID: causes.EvidenceIssuance, Source: "issuance of " + ref.Kind + "/" + ref.Name, At: w.At, Trust: gate.FromAPI}
	if asked, known := fact.Asked.Get(); known {
		evidence.Text = fmt.Sprintf("%s; the newest request: %s", fact.Issuer, orNone([]string{string(asked)}))
	} else {
		evidence.Unread = fact.Asked.Why()
	}
	w.Certificate, w.Evidence = fact, append(w.Evidence, evidence)
	return nil
}

// issuer looks for an issuer of cert-manager's own.
func (e eye) issuer(ctx context.Context, fact *causes.Certificate, is certs.Issuer, namespace string) error {
	if is.Group != certificateWard.kind.Group || impossible(is.Name) {
		return nil
	}
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(certificateWard.kind.GroupVersion().WithKind(is.Kind))
	if is.Kind == "ClusterIssuer" {
		namespace = ""
	}
	err := e.owners.Get(ctx, client.ObjectKey{Namespace: namespace, Name: is.Name}, u)
	switch {
	case err == nil:
		fact.There = gate.Known(true)
		for _, c := range conditionsIn(u, unclassed) {
			if c.Type == "Ready" {
				fact.Ready = gate.Known(c.Status == "True")
			}
		}
	case client.IgnoreNotFound(err) == nil:
		fact.There = gate.Known(false)
	case refused(err):
		fact.There = gate.Unknown[bool](refusal(err))
	default:
		return fmt.Errorf("read %s, which is asked for a certificate: %w", fact.Issuer, err)
	}
	return nil
}

// asked is what became of the newest request for a certificate.
func (e eye) asked(ctx context.Context, ref gate.Ref) (gate.Fact[causes.Asked], error) {
	requests, unread, err := e.beneath(ctx, certificateWard.kind.GroupVersion().WithKind("CertificateRequest"), ref.Namespace, ref.UID)
	if err != nil || unread != "" {
		return gate.Unknown[causes.Asked](unread), err
	}
	if len(requests) == 0 {
		return gate.Known(causes.NotAsked), nil
	}
	newest := slices.MaxFunc(requests, func(a, b unstructured.Unstructured) int {
		return a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time)
	})
	fate := causes.AskedWaits
	for _, c := range conditionsIn(&newest, unclassed) {
		switch {
		case c.Type == "Denied" && c.Status == "True":
			return gate.Known(causes.AskedDenied), nil
		case c.Type == "InvalidRequest" && c.Status == "True", c.Type == "Ready" && c.Status == "False" && c.Reason == "Failed":
			fate = causes.AskedFailed
		case c.Type == "Ready" && c.Status == "True":
			return gate.Known(causes.Answered), nil
		}
	}
	orders, _, err := e.beneath(ctx, schema.GroupVersionKind{Group: "acme.cert-manager.io", Version: "v1", Kind: "Order"}, ref.Namespace, string(newest.GetUID()))
	for i := range orders {
		switch state, _, _ := unstructured.NestedString(orders[i].Object, "status", "state"); state {
		case "invalid", "errored", "expired":
			fate = causes.OrderFailed
		}
	}
	return gate.Known(fate), err
}

// beneath are the objects of a kind that are owned by another. A kind that is absent has none.
func (e eye) beneath(ctx context.Context, kind schema.GroupVersionKind, namespace, uid string) (all []unstructured.Unstructured, unread string, err error) {
	of := foreign(kind, "", nil, nil)
	err = e.each(ctx, &of, namespace, func(o client.Object) error {
		if u, ok := o.(*unstructured.Unstructured); ok && ownedByUID(u, uid) {
			all = append(all, *u)
		}
		return nil
	})
	if err != nil && refused(err) {
		return nil, "reading " + kind.Kind + "s: " + refusal(err), nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("list every %s in namespace %s: %w", kind.Kind, namespace, err)
	}
	return all, "", nil
}
