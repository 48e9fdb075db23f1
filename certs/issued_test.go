package certs

import (
	"reflect"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func TestWhatACertificateSaysIsRead(t *testing.T) {
	end := time.Date(2026, 3, 8, 12, 0, 0, 0, time.UTC)
	nobody, ours := Issuer{Group: "cert-manager.io", Kind: "Issuer"}, Issuer{Group: "cert-manager.io", Kind: "ClusterIssuer", Name: "ours"}
	for name, tt := range map[string]struct {
		manifest string
		want     IssuedCertificate
	}{
		"one that was issued": {`{metadata: {name: shop}, spec: {secretName: tls, dnsNames: [shop.example], issuerRef: {kind: ClusterIssuer, name: ours}}, status: {notAfter: "2026-03-08T12:00:00Z",
			renewalTime: "2026-03-07T12:00:00Z", conditions: [{type: Ready, status: "True", reason: Ready}]}}`,
			IssuedCertificate{Name: "shop", Secret: "tls", Hosts: []string{"shop.example"}, NotAfter: end, Renewal: end.Add(-24 * time.Hour), Issuer: ours}},
		"one that is not ready": {`{metadata: {name: shop}, spec: {secretName: tls}, status: {conditions: [{type: Ready, status: "False", reason: Failed}]}}`,
			IssuedCertificate{Name: "shop", Secret: "tls", NotReady: true, Reason: "Failed", Issuer: nobody}},
		"one that is being issued": {`{metadata: {name: shop}, spec: {secretName: tls}, status: {conditions: [{type: Issuing, status: "True"}, {type: Ready, status: "Unknown"}]}}`,
			IssuedCertificate{Name: "shop", Secret: "tls", Renewing: true, Issuer: nobody}},
		"one that nobody has looked at": {`{metadata: {name: shop}, spec: {secretName: tls}}`, IssuedCertificate{Name: "shop", Secret: "tls", Issuer: nobody}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Issued(certificate(t, tt.manifest))
			got.NotAfter, got.Renewal = got.NotAfter.UTC(), got.Renewal.UTC()
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

func TestACertificateThatMakesNoSenseIsNotRead(t *testing.T) {
	for _, manifest := range []string{`{metadata: {name: shop}, spec: nonsense}`, `{metadata: {name: shop}, status: {notAfter: tomorrow}}`} {
		if got, err := Issued(certificate(t, manifest)); err == nil {
			t.Errorf("%s was read as %+v", manifest, got)
		}
	}
}

func certificate(t *testing.T, manifest string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(manifest), &u.Object); err != nil {
		t.Fatal(err)
	}
	return u
}
