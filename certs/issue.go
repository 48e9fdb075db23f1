package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"time"
)

// terms are how long things last.
type terms struct {
	root      time.Duration // the life of a root
	rootAhead time.Duration // a root is replaced when this much of it is left
	overlap   time.Duration // a new root is trusted for this long before it signs
	leaf      time.Duration // the life of a leaf
	skew      time.Duration // certificates begin this much early, for clocks that are behind
}

const day = 24 * time.Hour

var usual = terms{root: 3650 * day, rootAhead: 365 * day, overlap: day, leaf: 90 * day, skew: time.Hour}

// pair is a certificate with its key. A root that came without its key is trusted but cannot sign: its key is nil.
type pair struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newRoot(t terms, now time.Time) (pair, error) {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "moorgate root " + now.UTC().Format("2006-01-02T15:04:05Z")},
		NotBefore:             now.Add(-t.skew),
		NotAfter:              now.Add(t.root),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	return issue(template, nil)
}

// newLeaf makes a serving certificate. It never outlives its root.
func newLeaf(t terms, root pair, names []string, ips []net.IP, now time.Time) (pair, error) {
	end := now.Add(t.leaf)
	if end.After(root.cert.NotAfter) {
		end = root.cert.NotAfter
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "moorgate"},
		DNSNames:              names,
		IPAddresses:           ips,
		NotBefore:             now.Add(-t.skew),
		NotAfter:              end,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	return issue(template, &root)
}

// issue makes a key and a certificate for it, signed by signer or, without one, by itself.
func issue(template *x509.Certificate, signer *pair) (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, fmt.Errorf("make a key: %w", err)
	}
	template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return pair{}, fmt.Errorf("make a serial number: %w", err)
	}
	parent, signingKey := template, key
	if signer != nil {
		parent, signingKey = signer.cert, signer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signingKey)
	if err != nil {
		return pair{}, fmt.Errorf("sign the certificate of %s: %w", template.Subject.CommonName, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return pair{}, fmt.Errorf("read the certificate just signed: %w", err)
	}
	return pair{cert: cert, key: key}, nil
}
