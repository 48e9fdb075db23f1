package drift

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"moorgate.dev/internal/source/chart"
)

// The bounds of what Helm stored of a release, as it lies and unpacked.
const (
	mostStored   = 2 << 20
	mostUnpacked = 32 << 20
)

// release is what Helm stored of one revision of a release, as far as it matters here.
type release struct {
	chart.Release
	Info struct {
		Status string `json:"status"`
	} `json:"info"`
}

// releaseOf reads what stands under the key release of a Secret of Helm: JSON, in gzip unless it is old, in base64. No error says what
// it holds, because manifests hold Secrets.
func releaseOf(stored []byte) (release, error) {
	if len(stored) > mostStored {
		return release{}, fmt.Errorf("it is longer than %d MiB", mostStored>>20)
	}
	packed := make([]byte, base64.StdEncoding.DecodedLen(len(stored)))
	n, err := base64.StdEncoding.Decode(packed, stored)
	if err != nil {
		return release{}, errors.New("it is not of the form in which Helm stores releases")
	}
	packed = packed[:n]
	if bytes.HasPrefix(packed, []byte{0x1f, 0x8b, 0x08}) {
		if packed, err = unpacked(packed); err != nil {
			return release{}, err
		}
	}
	var r release
	if json.Unmarshal(packed, &r) != nil || r.Name == "" || r.Version < 1 {
		return release{}, errors.New("it is not of the form in which Helm stores releases")
	}
	return r, nil
}

func unpacked(packed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, errors.New("it cannot be unpacked")
	}
	b, err := io.ReadAll(io.LimitReader(z, mostUnpacked+1))
	switch {
	case len(b) > mostUnpacked:
		return nil, fmt.Errorf("it unpacks to more than %d MiB", mostUnpacked>>20)
	case err != nil:
		return nil, errors.New("it cannot be unpacked")
	}
	return b, nil
}
