package certs

import (
	"testing"
	"time"
)

// TestStand shows how a certificate of cert-manager fares, each beside what differs in one fact.
func TestStand(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	good := IssuedCertificate{NotAfter: now.Add(20 * day), Renewal: now.Add(-10 * day)}
	with := func(change func(*IssuedCertificate)) IssuedCertificate {
		c := good
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		of   IssuedCertificate
		want Standing
	}{
		"nothing is said of it":                    {IssuedCertificate{}, Sound},
		"none was issued":                          {IssuedCertificate{NotReady: true}, Awaited},
		"the next is due, and is coming":           {good, Sound},
		"the next failed":                          {with(func(c *IssuedCertificate) { c.Failed = now }), Overdue},
		"one failed before, and another came":      {with(func(c *IssuedCertificate) { c.Failed = c.Renewal.Add(-day) }), Sound},
		"half of what was left is over":            {with(func(c *IssuedCertificate) { c.NotAfter = now.Add(9 * day) }), Overdue},
		"when the next is due is not said":         {with(func(c *IssuedCertificate) { c.Renewal = time.Time{} }), Sound},
		"its time is over":                         {with(func(c *IssuedCertificate) { c.NotAfter = now.Add(-time.Second) }), RunOut},
		"its time is over, and the next is coming": {with(func(c *IssuedCertificate) { c.NotAfter, c.Renewing = now.Add(-time.Second), true }), RunOut},
	} {
		if got := c.of.Stand(now); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
