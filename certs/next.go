package certs

import (
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"time"
)

// maxRoots bounds how many roots are kept, should clocks jump about.
const maxRoots = 4

// wish is what a certificate has to serve for.
type wish struct {
	terms terms
	names []string
	ips   []net.IP
}

// next is the state that follows s at the instant now, and why it differs from s; no reason means that s is good as it is.
// It depends on nothing else but the randomness in new keys.
func (w wish) next(s stored, now time.Time) (stored, []string, error) {
	roots, why, err := w.nextRoots(s.roots, now)
	if err != nil {
		return s, nil, err
	}
	n := stored{roots: roots, leaf: s.leaf}
	if problem := w.problem(s.leaf, roots, now); problem != "" {
		why = append(why, problem)
		if n.leaf, err = newLeaf(w.terms, signer(roots, w.terms, now), w.names, w.ips, now); err != nil {
			return s, nil, err
		}
	}
	return n, why, nil
}

// nextRoots drops roots whose time is over and those that nothing can hang on any more, and adds one where the newest that
// can sign is about to end, or where none can.
func (w wish) nextRoots(roots []pair, now time.Time) ([]pair, []string, error) {
	var why []string
	kept := slices.DeleteFunc(slices.Clone(roots), func(r pair) bool {
		return Health(r.cert, now) == Expired || w.superseded(r, roots, now)
	})
	if len(kept) < len(roots) {
		why = append(why, fmt.Sprintf("%d of %d roots are of no use any more", len(roots)-len(kept), len(roots)))
	}
	usable := canSign(kept, now)
	switch {
	case len(usable) == 0:
		why = append(why, "there is no root that can sign")
	case now.Before(newest(usable).cert.NotAfter.Add(-w.terms.rootAhead)):
		return kept, why, nil
	default:
		why = append(why, "the root ends on "+newest(usable).cert.NotAfter.UTC().Format(time.DateOnly))
	}
	root, err := newRoot(w.terms, now)
	if err != nil {
		return nil, nil, err
	}
	kept = append(kept, root)
	if extra := len(kept) - maxRoots; extra > 0 {
		kept = kept[extra:]
	}
	return kept, why, nil
}

// superseded reports whether a newer root has signed for so long that every leaf of this one has ended.
func (w wish) superseded(r pair, roots []pair, now time.Time) bool {
	return slices.ContainsFunc(canSign(roots, now), func(other pair) bool {
		return other.cert.NotBefore.After(r.cert.NotBefore) && now.After(settledAt(other, w.terms).Add(w.terms.leaf))
	})
}

// problem says why a leaf cannot stay, or "".
func (w wish) problem(leaf pair, roots []pair, now time.Time) string {
	if state := Health(leaf.cert, now); state != Fresh {
		return "the certificate is " + state.String()
	}
	trusted := x509.NewCertPool()
	for _, root := range roots {
		trusted.AddCert(root.cert)
	}
	if _, err := leaf.cert.Verify(x509.VerifyOptions{Roots: trusted, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}); err != nil {
		return "the certificate is not from one of our roots"
	}
	for _, name := range w.names {
		if leaf.cert.VerifyHostname(name) != nil {
			return "the certificate is not for " + name
		}
	}
	for _, ip := range w.ips {
		if leaf.cert.VerifyHostname(ip.String()) != nil {
			return "the certificate is not for " + ip.String()
		}
	}
	return ""
}

// signer is the root that signs: the newest that has been trusted for long enough, or, where none has, the oldest that can.
func signer(roots []pair, t terms, now time.Time) pair {
	usable := canSign(roots, now)
	settled := slices.DeleteFunc(slices.Clone(usable), func(r pair) bool { return now.Before(settledAt(r, t)) })
	if len(settled) > 0 {
		return newest(settled)
	}
	return usable[0]
}

// settledAt is when everybody can be taken to trust a root.
func settledAt(root pair, t terms) time.Time { return root.cert.NotBefore.Add(t.skew + t.overlap) }

func canSign(roots []pair, now time.Time) []pair {
	return slices.DeleteFunc(slices.Clone(roots), func(r pair) bool {
		state := Health(r.cert, now)
		return r.key == nil || state == NotYet || state == Expired
	})
}

func newest(roots []pair) pair {
	return slices.MaxFunc(roots, func(a, b pair) int { return a.cert.NotBefore.Compare(b.cert.NotBefore) })
}
