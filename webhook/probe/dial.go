package probe

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"

	"moorgate.dev/internal/gate"
)

const (
	dialsMax  = 3       // addresses of one host that are tried
	headMax   = 4 << 10 // bytes of an answer that are read: its head, and nothing is done with the rest
	interimOf = 4       // answers that only announce another
)

// probe asks once. That an address may not be dialled says nothing about the host: then it is unknown.
func (p *Prober) probe(ctx context.Context, e Entry) gate.Fact[State] {
	failed, err := p.steps(ctx, e)
	if errors.Is(err, errAddress) {
		return gate.Unknown[State](errAddress.Error())
	}
	return gate.Known(State{At: p.now(), Failed: failed})
}

// steps returns in our own words what failed, and the error where an address was refused.
func (p *Prober) steps(ctx context.Context, e Entry) (string, error) {
	addresses, err := p.resolve(ctx, e.Host)
	if err != nil || len(addresses) == 0 {
		return "DNS: " + whyDNS(err), nil
	}
	for _, a := range addresses {
		if err := p.permit(a, e.Private); err != nil {
			return "", err
		}
	}
	conn, err := p.dial(ctx, e, addresses)
	if err != nil {
		return "TCP: " + whyTCP(err), err
	}
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if e.TLS {
		secure := tls.Client(conn, &tls.Config{ServerName: e.Host, MinVersion: tls.VersionTLS12, RootCAs: p.roots, Time: p.now})
		if err := secure.HandshakeContext(ctx); err != nil {
			return "TLS: " + whyTLS(err), nil
		}
		conn = secure
	}
	if e.HTTP == nil {
		return "", nil
	}
	return get(conn, e), nil
}

// dial looks at the address once more at the moment it is dialled, whatever was resolved before.
func (p *Prober) dial(ctx context.Context, e Entry, addresses []netip.Addr) (net.Conn, error) {
	dialer := &net.Dialer{ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return errAddress
		}
		return p.permit(at.Addr(), e.Private)
	}}
	var first error
	for _, a := range addresses[:min(len(addresses), dialsMax)] {
		conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(a.String(), strconv.Itoa(e.Port)))
		if err == nil {
			return conn, nil
		}
		first = cmp.Or(first, err)
	}
	return nil, first
}

// get sends one request on the connection that was made, so that nothing can lead it elsewhere, and reads the status.
func get(conn net.Conn, e Entry) string {
	req := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: e.HTTP.Path}, Host: e.authority(), Close: true,
		Header: http.Header{"User-Agent": {"moorgate"}}}
	if err := req.Write(conn); err != nil {
		return "HTTP: " + whyTCP(err)
	}
	answer := bufio.NewReader(io.LimitReader(conn, headMax))
	for range interimOf {
		resp, err := http.ReadResponse(answer, req)
		if err != nil {
			return "HTTP: no answer that makes sense"
		}
		_ = resp.Body.Close() // nobody reads it, and the connection ends anyway
		if resp.StatusCode >= http.StatusOK {
			if !e.HTTP.well(resp.StatusCode) {
				return fmt.Sprintf("HTTP: status %d", resp.StatusCode)
			}
			return ""
		}
	}
	return "HTTP: no answer that makes sense"
}

// authority is the host as a request names it.
func (e Entry) authority() string {
	if e.TLS && e.Port == 443 || !e.TLS && e.Port == 80 {
		if strings.Contains(e.Host, ":") {
			return "[" + e.Host + "]"
		}
		return e.Host
	}
	return net.JoinHostPort(e.Host, strconv.Itoa(e.Port))
}

func whyDNS(err error) string {
	var dns *net.DNSError
	switch {
	case err == nil, errors.As(err, &dns) && dns.IsNotFound:
		return "no such host"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &dns) && dns.IsTimeout:
		return "no answer in time"
	}
	return "the name could not be resolved"
}

func whyTCP(err error) string {
	var late net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &late) && late.Timeout():
		return "no answer in time"
	}
	return "no connection"
}

func whyTLS(err error) string {
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	var other x509.HostnameError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate has expired, or is not valid yet"
	case errors.As(err, &unknown):
		return "nobody known has signed the certificate"
	case errors.As(err, &other):
		return "the certificate is for another name"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	return "the handshake failed"
}
