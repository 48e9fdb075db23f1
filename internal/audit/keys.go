package audit

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

const (
	keyName   = "key"  // the private key, where the log keeps one of its own
	keysName  = "keys" // the verifier keys of all that ever signed, a line each, newest last
	keysMax   = 64 << 10
	pemOfKeys = "PRIVATE KEY"
)

// ParseSigner reads an Ed25519 private key as `openssl genpkey -algorithm ed25519` writes it: PKCS #8 in PEM.
func ParseSigner(b []byte) (crypto.Signer, error) {
	block, rest := pem.Decode(b)
	if block == nil || block.Type != pemOfKeys || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("read a signing key: this is not one PEM block of type %s", pemOfKeys)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("read a signing key: this is no key in PKCS #8") // the cause might quote it
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read a signing key: it is a %T, and an Ed25519 key is needed", key)
	}
	return private, nil
}

// VerifierKeys returns the keys that the log in dir says its checkpoints were signed with, newest last.
func VerifierKeys(dir string) ([]string, error) {
	b, err := readSmall(filepath.Join(dir, keysName), keysMax)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the verifier keys of audit log %s: %w", dir, err)
	}
	keys := strings.Fields(string(b))
	for _, k := range keys {
		if _, err := note.NewVerifier(k); err != nil {
			return nil, fmt.Errorf("read the verifier keys of audit log %s: %w", dir, err)
		}
	}
	return keys, nil
}

// lastSigned is the log that the newest of the keys signs for: the id of one that was begun and holds no record yet.
func lastSigned(keys []string) string {
	if len(keys) == 0 {
		return ""
	}
	name, _, _ := strings.Cut(keys[len(keys)-1], "+")
	if id := strings.TrimPrefix(name, originPrefix); validID(id) {
		return id
	}
	return ""
}

// noteSigner signs notes with any Ed25519 key that crypto knows how to use.
type noteSigner struct {
	note.Verifier
	key crypto.Signer
}

func (s noteSigner) Sign(msg []byte) ([]byte, error) {
	return s.key.Sign(rand.Reader, msg, crypto.Hash(0))
}

// newNotary finds or makes the key of a log, and writes down its public half. turned names the key that signed before, if
// that was another.
func newNotary(dir, log string, o Options) (n *notary, turned string, err error) {
	key := o.Signer
	if key == nil {
		if key, err = ownSigner(dir, o.fsync); err != nil {
			return nil, "", err
		}
	}
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, "", fmt.Errorf("the signer's key is a %T, and an Ed25519 key is needed", key.Public())
	}
	vkey, err := note.NewEd25519VerifierKey(originPrefix+log, public)
	if err != nil {
		return nil, "", fmt.Errorf("name the verifier key: %w", err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, "", fmt.Errorf("read back the verifier key: %w", err)
	}
	turned, err = rememberKey(dir, vkey, o.fsync)
	return &notary{dir: dir, log: log, signer: noteSigner{v, key}, vkey: vkey, now: o.Now, fsync: o.fsync}, turned, err
}

// ownSigner reads the key that lies beside the log, or makes one.
func ownSigner(dir string, fsync func(*os.File) error) (crypto.Signer, error) {
	b, err := readSmall(filepath.Join(dir, keyName), keysMax)
	if err == nil {
		return ParseSigner(b)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read the signing key: %w", err)
	}
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("encode the signing key: %w", err)
	}
	if err := replaceFile(dir, keyName, pem.EncodeToMemory(&pem.Block{Type: pemOfKeys, Bytes: der}), fsync); err != nil {
		return nil, fmt.Errorf("write the signing key: %w", err)
	}
	return private, nil
}

// rememberKey adds a verifier key to those that signed before, if it is not the last of them.
func rememberKey(dir, vkey string, fsync func(*os.File) error) (turned string, err error) {
	keys, err := VerifierKeys(dir)
	if err != nil {
		return "", err
	}
	if n := len(keys); n > 0 {
		if keys[n-1] == vkey {
			return "", nil
		}
		turned = keys[n-1]
	}
	keys = append(slices.DeleteFunc(keys, func(k string) bool { return k == vkey }), vkey)
	if err := replaceFile(dir, keysName, []byte(strings.Join(keys, "\n")+"\n"), fsync); err != nil {
		return "", fmt.Errorf("write the verifier key: %w", err)
	}
	return turned, nil
}
