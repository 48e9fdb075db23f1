package probe

import (
	"errors"
	"net/netip"
	"slices"
)

// never are networks in which clouds answer any process with credentials, and those that wrap an IPv4 address unseen. No
// entry of a list opens them.
var never = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),          // this machine, to some
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba Cloud
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure
	netip.MustParsePrefix("192.0.0.0/24"),       // Oracle Cloud, and protocols of their own
	netip.MustParsePrefix("240.0.0.0/4"),        // reserved, and broadcast
	netip.MustParsePrefix("::/96"),              // IPv4 in an obsolete wrapping
	netip.MustParsePrefix("64:ff9b:1::/48"),     // IPv4 behind a NAT64 of the network's own
	netip.MustParsePrefix("2001::/32"),          // IPv4 behind Teredo
	netip.MustParsePrefix("2002::/16"),          // IPv4 behind 6to4
	netip.MustParsePrefix("fd00:ec2::/32"),      // AWS
	netip.MustParsePrefix("fd20:ce::/32"),       // Google Cloud
}

var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96")  // means the IPv4 address in the last four bytes
	shared = netip.MustParsePrefix("100.64.0.0/10") // of providers, and of some clusters
)

var errAddress = errors.New("its name leads to an address that may not be probed")

// Permit says whether an address may be dialled: never this machine's own, link-local, metadata and multicast ones; those of
// private networks where the entry says so.
func Permit(ip netip.Addr, private bool) error {
	ip = ip.WithZone("").Unmap()
	if nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	switch {
	case !ip.IsValid(), ip.IsUnspecified(), ip.IsLoopback(), ip.IsMulticast(), ip.IsLinkLocalUnicast(),
		slices.ContainsFunc(never, func(p netip.Prefix) bool { return p.Contains(ip) }):
		return errAddress
	case !private && (ip.IsPrivate() || shared.Contains(ip)):
		return errAddress
	}
	return nil
}
