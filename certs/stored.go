package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// The files in a Store, named as cert-manager names them in its Secrets. ca.crt and ca.key hold one block for each root.
const (
	fileRoots    = "ca.crt"
	fileRootKeys = "ca.key"
	fileLeaf     = "tls.crt"
	fileLeafKey  = "tls.key"
)

const (
	blockCertificate = "CERTIFICATE"
	blockKey         = "PRIVATE KEY"
)

// stored is what a Store holds: the roots, oldest first, and the leaf.
type stored struct {
	roots []pair
	leaf  pair
}

// parse reads what a Store holds. What cannot be read is left out: the next state is made from what is left.
func parse(files map[string][]byte) stored {
	var s stored
	keys := parseKeys(files[fileRootKeys])
	for _, cert := range parseCertificates(files[fileRoots]) {
		if cert.IsCA {
			s.roots = append(s.roots, pair{cert: cert, key: keyOf(cert, keys)})
		}
	}
	for _, cert := range parseCertificates(files[fileLeaf]) {
		if key := keyOf(cert, parseKeys(files[fileLeafKey])); key != nil {
			s.leaf = pair{cert: cert, key: key}
			break
		}
	}
	return s
}

func parseCertificates(content []byte) []*x509.Certificate {
	var certs []*x509.Certificate
	for _, der := range blocks(content, blockCertificate) {
		if cert, err := x509.ParseCertificate(der); err == nil {
			certs = append(certs, cert)
		}
	}
	return certs
}

func parseKeys(content []byte) []*ecdsa.PrivateKey {
	var keys []*ecdsa.PrivateKey
	for _, der := range blocks(content, blockKey) {
		parsed, err := x509.ParsePKCS8PrivateKey(der)
		if key, ok := parsed.(*ecdsa.PrivateKey); err == nil && ok {
			keys = append(keys, key)
		}
	}
	return keys
}

func blocks(content []byte, kind string) [][]byte {
	var found [][]byte
	for {
		block, rest := pem.Decode(content)
		if block == nil {
			return found
		}
		if block.Type == kind {
			found = append(found, block.Bytes)
		}
		content = rest
	}
}

func keyOf(cert *x509.Certificate, keys []*ecdsa.PrivateKey) *ecdsa.PrivateKey {
	public, ok := cert.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return nil
	}
	for _, key := range keys {
		if key.PublicKey.Equal(public) {
			return key
		}
	}
	return nil
}

// files writes the state as a Store holds it.
func (s stored) files() (map[string][]byte, error) {
	var rootKeys bytes.Buffer
	for _, root := range s.roots {
		if root.key == nil {
			continue
		}
		if err := writeKey(&rootKeys, root.key); err != nil {
			return nil, err
		}
	}
	var leafKey bytes.Buffer
	if err := writeKey(&leafKey, s.leaf.key); err != nil {
		return nil, err
	}
	return map[string][]byte{
		fileRoots:    s.rootsPEM(),
		fileRootKeys: rootKeys.Bytes(),
		fileLeaf:     pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: s.leaf.cert.Raw}),
		fileLeafKey:  leafKey.Bytes(),
	}, nil
}

func writeKey(to *bytes.Buffer, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("write a private key: %w", err)
	}
	to.Write(pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: der}))
	return nil
}

// rootsPEM is every root, for a caBundle.
func (s stored) rootsPEM() []byte {
	var all []byte
	for _, root := range s.roots {
		all = append(all, pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: root.cert.Raw})...)
	}
	return all
}

// tls is the leaf as a TLS server presents it.
func (s stored) tls() *tls.Certificate {
	return &tls.Certificate{Certificate: [][]byte{s.leaf.cert.Raw}, PrivateKey: s.leaf.key, Leaf: s.leaf.cert}
}
