package forge

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// guarded is an HTTP transport that refuses addresses which no repository has. It looks at the address that is dialled, so
// after names were resolved and redirects followed. It uses no proxy: a proxy would hide that address.
func guarded(allowLocal bool) *http.Transport {
	return &http.Transport{DialContext: dialer(allowLocal).DialContext, ForceAttemptHTTP2: true, DisableKeepAlives: true,
		TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: 1 << 20}
}

// dialer is what connects to those addresses alone.
func dialer(allowLocal bool) *net.Dialer {
	return &net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return refuse("the address makes no sense")
		}
		if !allowed(at.Addr(), allowLocal) {
			return refuse("the address %s is not allowed", at.Addr())
		}
		return nil
	}}
}

// capped fails a response whose body is longer than limit bytes.
type capped struct {
	next  http.RoundTripper
	limit int64
}

func (c capped) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = &meter{ReadCloser: resp.Body, left: c.limit, limit: c.limit}
	return resp, nil
}

type meter struct {
	io.ReadCloser
	left, limit int64
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	if m.left -= int64(n); m.left < 0 {
		return 0, refuse("the repository sends more than the %d MiB that may be downloaded", m.limit>>20)
	}
	return n, err
}

// maxObjects bounds the objects of one commit: each costs memory, however short it is.
const maxObjects = 200_000

var errPack = refuse("its pack cannot be read")

// weigh refuses a pack of too many objects, or one that would unpack to more than limit bytes, before anything is unpacked. An object says its size; a
// delta says the size of what it makes.
func weigh(pack []byte, limit int64) error {
	tooMuch := refuse("the repository unpacks to more than the allowed %d MiB", limit>>20)
	scanner := packfile.NewScanner(bytes.NewReader(pack))
	_, objects, err := scanner.Header()
	if err != nil {
		return errPack
	}
	if objects > maxObjects {
		return refuse("the repository has more than the allowed %d objects", maxObjects)
	}
	var total int64
	for range objects {
		header, err := scanner.NextObjectHeader()
		if err != nil {
			return errPack
		}
		if header.Length < 0 || header.Length > limit {
			return tooMuch
		}
		total += header.Length
		var start prefix
		if _, _, err := scanner.NextObject(&start); err != nil {
			return errPack
		}
		if header.Type.IsDelta() {
			makes, err := start.makes()
			if err != nil {
				return err
			}
			if makes > limit {
				return tooMuch
			}
			total += makes
		}
		if total > limit {
			return tooMuch
		}
	}
	return nil
}

// prefix keeps the first bytes of a delta, where two sizes stand: of what it starts from and of what it makes.
type prefix struct {
	b []byte
}

func (p *prefix) Write(b []byte) (int, error) {
	if room := 2*binary.MaxVarintLen64 - len(p.b); room > 0 {
		p.b = append(p.b, b[:min(room, len(b))]...)
	}
	return len(b), nil
}

func (p *prefix) makes() (int64, error) {
	_, n := binary.Uvarint(p.b)
	if n <= 0 {
		return 0, errPack
	}
	size, n := binary.Uvarint(p.b[n:])
	if n <= 0 || size > 1<<62 {
		return 0, errPack
	}
	return int64(size), nil
}
