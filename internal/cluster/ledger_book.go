package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

// The keys of the ledger's ConfigMap. Breakers and what humans say have keys of their own, so that a fence can tell who
// changes what.
const (
	keySpent   = "ledger"
	keyBreaker = "breaker." // and a scope
	keyReset   = "reset."   // and a scope
	scopeAll   = "all"
	scopeOf    = "namespace." // and a namespace
)

// The bounds of the ledger. Reserving stops at the smaller ones; what must be written down of what was reserved still fits.
const (
	maxSpent      = 1024      // entries
	maxSpentBytes = 4 << 10   // of one entry
	maxReserve    = 512 << 10 // bytes in all, for one more entry
	maxLedger     = 1 << 20   // bytes in all that are read; the API server stores no more either
	maxTallies    = 256
)

// book is the ledger as it is stored.
type book struct {
	m       *corev1.ConfigMap
	entries []gate.Spent // oldest first
	tallies []gate.Tally
	open    []gate.Breaker
	resets  map[string]reset // by scope
}

// spent is the value of keySpent.
type spent struct {
	Entries []gate.Spent `json:"entries"`
	Tallies []gate.Tally `json:"tallies"`
}

// breaker is the value of a keyBreaker.
type breaker struct {
	Since time.Time `json:"since"`
	Why   string    `json:"why"`
}

// reset is the value of a keyReset: what a human has looked at when closing a breaker.
type reset struct {
	At  time.Time `json:"at"`
	Why string    `json:"why"`
	// Forgiven are the results that open no breaker again, by entry. One that changes afterwards is not forgiven.
	Forgiven map[string]gate.Result `json:"forgiven"`
}

// openBook reads the ledger's ConfigMap. Nothing at all is the ledger of a new installation; anything that is not understood to
// the last byte is an error.
func openBook(m *corev1.ConfigMap) (*book, error) {
	b := &book{m: m, resets: map[string]reset{}}
	if len(m.BinaryData) > 0 {
		return nil, errors.New("it has binary data")
	}
	if n := b.size(); n > maxLedger {
		return nil, fmt.Errorf("it has %d bytes, and there may be %d", n, maxLedger)
	}
	for _, key := range slices.Sorted(maps.Keys(m.Data)) {
		if err := b.read(key, []byte(m.Data[key])); err != nil {
			return nil, fmt.Errorf("its key %s: %w", gate.OneLine(key, 80), err)
		}
	}
	return b, b.check()
}

func (b *book) read(key string, value []byte) error {
	if key == keySpent {
		var s spent
		err := gate.Strict(value, &s)
		b.entries, b.tallies = s.Entries, s.Tallies
		return err
	}
	kind, scope := key, ""
	if i := strings.Index(key, "."); i >= 0 {
		kind, scope = key[:i+1], key[i+1:]
	}
	namespace, err := namespaceOf(scope)
	switch {
	case kind != keyBreaker && kind != keyReset:
		return errors.New("this version of Moorgate does not know it")
	case err != nil:
		return err
	case kind == keyBreaker:
		var s breaker
		err := gate.Strict(value, &s)
		b.open = append(b.open, gate.Breaker{Namespace: namespace, Since: s.Since, Why: gate.OneLine(s.Why, maxText)})
		return err
	}
	var r reset
	err = gate.Strict(value, &r)
	b.resets[scope] = r
	return err
}

// check is what the parts must be besides being readable.
func (b *book) check() error {
	if len(b.entries) > maxSpent || len(b.tallies) > maxTallies {
		return fmt.Errorf("it has %d entries and %d tallies, and there may be %d and %d", len(b.entries), len(b.tallies), maxSpent, maxTallies)
	}
	seen := map[string]bool{}
	for _, s := range b.entries {
		if s.ID == "" || seen[s.ID] || s.At.IsZero() || rank(s.Result) < 0 {
			return fmt.Errorf("the entry %s has no time or no result that this version of Moorgate knows, or is there twice", gate.OneLine(s.ID, 80))
		}
		if s.Forgiven {
			return fmt.Errorf("the entry %s says itself that it is forgiven", gate.OneLine(s.ID, 80))
		}
		seen[s.ID] = true
	}
	counted := map[[2]string]bool{}
	for _, t := range b.tallies {
		key := [2]string{t.Cause, t.Verb}
		if t.Healed < 0 || t.Healed > t.Tried || counted[key] {
			return fmt.Errorf("the tally of %s for %s makes no sense: %d of %d", gate.OneLine(t.Verb, 80), gate.OneLine(t.Cause, 80), t.Healed, t.Tried)
		}
		counted[key] = true
	}
	return nil
}

// ledger is the book as the guardrail reads it.
func (b *book) ledger() gate.Ledger {
	l := gate.Ledger{Entries: slices.Clone(b.entries), Open: b.open}
	for i, s := range l.Entries {
		l.Entries[i].Forgiven = b.forgiven(s)
	}
	return l
}

func (b *book) forgiven(s gate.Spent) bool {
	for _, r := range b.resets {
		if result, there := r.Forgiven[s.ID]; there && result == s.Result {
			return true
		}
	}
	return false
}

// find is where an entry is; -1 if it is not there.
func (b *book) find(id string) int {
	return slices.IndexFunc(b.entries, func(s gate.Spent) bool { return s.ID == id })
}

// prune drops what no rule looks back to any more.
func (b *book) prune(at time.Time) {
	b.entries = slices.DeleteFunc(b.entries, func(s gate.Spent) bool { return at.Sub(s.At) >= gate.LedgerKeeps })
	for scope, r := range b.resets {
		known := slices.ContainsFunc(b.entries, func(s gate.Spent) bool { _, there := r.Forgiven[s.ID]; return there })
		if !known && at.Sub(r.At) >= gate.LedgerKeeps {
			delete(b.resets, scope)
			delete(b.m.Data, keyReset+scope)
		}
	}
}

// keep puts entries and tallies into the ConfigMap.
func (b *book) keep() error {
	slices.SortStableFunc(b.entries, func(x, y gate.Spent) int { return x.At.Compare(y.At) })
	return b.put(keySpent, spent{Entries: b.entries, Tallies: b.tallies})
}

func (b *book) put(key string, value any) error {
	content, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write the ledger's key %s: %w", key, err)
	}
	if b.m.Data == nil {
		b.m.Data = map[string]string{}
	}
	b.m.Data[key] = string(content)
	return nil
}

func (b *book) size() int {
	n := 0
	for key, value := range b.m.Data {
		n += len(key) + len(value)
	}
	return n
}

// scope is how keys name a namespace, or everything where it is empty.
func scope(namespace string) string {
	if namespace == "" {
		return scopeAll
	}
	return scopeOf + namespace
}

func namespaceOf(scope string) (string, error) {
	namespace, found := strings.CutPrefix(scope, scopeOf)
	if scope != scopeAll && (!found || namespace == "") {
		return "", errors.New("it names no scope that this version of Moorgate knows")
	}
	if scope == scopeAll {
		namespace = ""
	}
	return namespace, nil
}
