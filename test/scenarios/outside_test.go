package scenarios

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"moorgate.dev/webhook/probe"
)

// outsider is a host outside of the cluster as an admin lists it: external/bank, which is well, and external/bank-down, which says
// that it is out of service. Loopback is never probed, so it has an address of this machine's own; what is sent there never leaves
// the machine.
type outsider struct {
	server   *http.Server
	listener net.Listener
}

const listed = `
probes:
  - {name: bank, host: "%[1]s", port: %[2]d, http: {path: /well}, private: true, every: 5s, namespaces: ["*"]}
  - {name: bank-down, host: "%[1]s", port: %[2]d, http: {path: /down}, private: true, every: 5s, namespaces: ["*"]}
`

// newOutsider returns nil on a machine that has no address but loopback.
func newOutsider() (*outsider, error) {
	address, err := ownAddress()
	if err != nil || !address.IsValid() {
		return nil, err
	}
	l, err := net.Listen("tcp", net.JoinHostPort(address.String(), "0"))
	if err != nil {
		return nil, fmt.Errorf("be a host outside of the cluster: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/well", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/down", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	o := &outsider{listener: l, server: &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}}
	go func() { _ = o.server.Serve(l) }()
	return o, nil
}

func ownAddress() (netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Addr{}, fmt.Errorf("look for an address of this machine: %w", err)
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && probe.Permit(p.Addr(), true) == nil {
			return p.Addr(), nil
		}
	}
	return netip.Addr{}, nil
}

// list writes the admin's file.
func (o *outsider) list(dir string) (string, error) {
	at := o.listener.Addr().(*net.TCPAddr).AddrPort()
	path := filepath.Join(dir, "probes.yaml")
	if err := os.WriteFile(path, fmt.Appendf(nil, listed, at.Addr(), at.Port()), 0o600); err != nil {
		return "", fmt.Errorf("list the probes: %w", err)
	}
	return path, nil
}

func (o *outsider) close() {
	if o != nil {
		_ = o.server.Close()
	}
}

// asksOutside is whether a story is about a host outside that is probed.
func (s story) asksOutside() bool { return strings.Contains(s.parts["change.yaml"], "external/bank") }
