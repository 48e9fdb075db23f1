// Package probe asks hosts outside of the cluster whether they are there: those on an admin's list, and no others.
//
// The list is a file, and a change of it is followed (Follow); one that makes no sense leaves the list as it was, and says so.
//
// A Prober asks each on a schedule, in the background, and remembers the answer; State answers from memory. What a host is
// asked goes no further than its list entry says: its name is resolved, every address it leads to is looked at, one is dialled
// and looked at again as it is dialled, a TLS handshake follows, and one GET without anything that could prove who asks.
//
// This package never follows a redirect, never uses a proxy, never sends a token, a cookie or an Authorization header, never
// reads the body of an answer, never tells any text that a host sent, and never dials this machine, a link-local or metadata address.
// An answer for one namespace is no answer for another.
package probe
