package forge

import (
	"net/netip"
	"slices"
)

// denied are networks in which no repository lives, and in which clouds answer any process with credentials. Addresses
// that wrap an IPv4 address, and are not unwrapped, are among them.
var denied = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),          // this machine, to some
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba Cloud
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure
	netip.MustParsePrefix("192.0.0.0/24"),       // Oracle Cloud, and protocols of their own
	netip.MustParsePrefix("::/96"),              // IPv4 in an obsolete wrapping
	netip.MustParsePrefix("64:ff9b:1::/48"),     // IPv4 behind a NAT64 of the network's own
	netip.MustParsePrefix("2001::/32"),          // IPv4 behind Teredo
	netip.MustParsePrefix("2002::/16"),          // IPv4 behind 6to4
	netip.MustParsePrefix("fd00:ec2::/32"),      // AWS
	netip.MustParsePrefix("fd20:ce::/32"),       // Google Cloud
}

// nat64 are IPv6 addresses that mean the IPv4 address in their last four bytes.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// allowed reports whether a repository may be read at an address.
func allowed(ip netip.Addr, allowLocal bool) bool {
	ip = ip.WithZone("").Unmap()
	if nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	if ip.IsLoopback() {
		return allowLocal
	}
	return !ip.IsLinkLocalUnicast() && !ip.IsMulticast() && !ip.IsUnspecified() &&
		!slices.ContainsFunc(denied, func(p netip.Prefix) bool { return p.Contains(ip) })
}
