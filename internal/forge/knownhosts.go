package forge

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // by which known_hosts hides names; no secret is kept by it
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// errStranger is said of a host that known_hosts does not know, or knows by another key.
var errStranger = errors.New("its host is not one that the known_hosts of the Secret knows, or shows another key than that says")

// knownHost is a line of known_hosts: by which key hosts are known.
type knownHost struct {
	names []string
	key   ssh.PublicKey
}

// parseKnown reads known_hosts. A line that revokes a key, or vouches for those of others, is refused: to pass over it would be to
// trust more than was said.
func parseKnown(text []byte) ([]knownHost, error) {
	var all []knownHost
	for rest := text; ; {
		marker, names, key, _, more, err := ssh.ParseKnownHosts(rest)
		switch {
		case errors.Is(err, io.EOF):
			if len(all) == 0 {
				return nil, errors.New("its known_hosts knows no host")
			}
			return all, nil
		case err != nil:
			return nil, errors.New("its known_hosts cannot be read")
		case marker != "":
			return nil, errors.New("its known_hosts has a line with @, and only hosts with their keys are understood")
		}
		all = append(all, knownHost{names, key})
		rest = more
	}
}

// is reports whether a line is about a host. A pattern is about none.
func (k knownHost) is(host string) bool {
	return slices.ContainsFunc(k.names, func(name string) bool {
		hidden, isHidden := strings.CutPrefix(name, "|1|")
		if !isHidden {
			return strings.EqualFold(name, host)
		}
		salt, sum, _ := strings.Cut(hidden, "|")
		key, errKey := base64.StdEncoding.DecodeString(salt)
		want, errSum := base64.StdEncoding.DecodeString(sum)
		h := hmac.New(sha1.New, key)
		_, _ = io.WriteString(h, host)
		return errKey == nil && errSum == nil && hmac.Equal(h.Sum(nil), want)
	})
}

// trusted is nil for a key by which a host is known.
func trusted(known []knownHost, host string, key ssh.PublicKey) error {
	for _, k := range known {
		if k.is(host) && bytes.Equal(k.key.Marshal(), key.Marshal()) {
			return nil
		}
	}
	return errStranger
}

// algorithms are those of the keys by which a host is known, so that it shows one of these.
func algorithms(known []knownHost, host string) []string {
	var all []string
	for _, k := range known {
		if !k.is(host) {
			continue
		}
		if k.key.Type() == ssh.KeyAlgoRSA {
			all = append(all, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		} else {
			all = append(all, k.key.Type())
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
