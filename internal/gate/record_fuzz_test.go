package gate

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

// FuzzFact shows that a Fact that was read is written and read again as the same, and that one is known only where there is a
// value and nothing says that it is unknown.
func FuzzFact(f *testing.F) {
	for _, seed := range []string{`{"value":["a"]}`, `{"value":null}`, `{"unknown":"why"}`, `{}`, `null`, `{"value":[],"unknown":"x"}`, `{"VALUE":["a"]}`, `{"value":{"Well":1}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		readAgain[Fact[[]string]](t, data)
		readAgain[Fact[int]](t, data)
		readAgain[Fact[Share]](t, data)
		var n Fact[int]
		if json.Unmarshal(data, &n) != nil {
			return
		}
		if _, known := n.Get(); known && !bytes.ContainsAny(data, "0123456789") {
			t.Fatalf("%s is known as %+v", data, n)
		}
	})
}

// FuzzLedger shows the same of a ledger, and that no ledger at all makes the rules stumble.
func FuzzLedger(f *testing.F) {
	whole, _ := json.Marshal(Ledger{Entries: []Spent{spent(time.Hour, ResultDone)}, Open: []Breaker{{Namespace: "shop", Why: "worse"}}, Cut: true})
	for _, seed := range []string{string(whole), `{}`, `{"entries":null}`, `{"entries":[{"at":"9999-12-31T23:59:59Z"}]}`, `{"entries":[{"id":"a","ID":"b"}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		readAgain[Ledger](t, data)
		var l Ledger
		if Strict(data, &l) != nil {
			return
		}
		facts := facts()
		facts.Ledger = Known(l)
		v := Decide(Policy{Rails: []Rail{rail()}}, opinion(), facts)
		if refused := l.Refuses(Policy{Rails: []Rail{rail()}}, NewSpent(Policy{}, eviction(), ""), now); (v.Decision == Allow) != (refused == nil) {
			t.Fatalf("%s when deciding, %+v when reserving", v.Decision, refused)
		}
		l.Trips(now)
	})
}

// FuzzPolicy shows the same of a policy, and that a policy that was read has one digest.
func FuzzPolicy(f *testing.F) {
	whole, _ := json.Marshal(Policy{Rails: []Rail{rail()}})
	for _, seed := range []string{string(whole), `{}`, `{"rails":[{}]}`, `{"rails":[{"mode":"Automatic","warnBelow":{"value":0}}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		readAgain[Policy](t, data)
		var p, again Policy
		if Strict(data, &p) == nil && (Strict(data, &again) != nil || p.Digest() != again.Digest()) {
			t.Fatal("two digests")
		}
		Decide(p, opinion(), facts())
	})
}

// readAgain reads JSON, and where that can be done writes it and reads it again.
func readAgain[T any](t *testing.T, data []byte) {
	t.Helper()
	var once, twice T
	if Strict(data, &once) != nil {
		return
	}
	b, err := json.Marshal(once)
	if err != nil {
		return // a time beyond the years that JSON can write
	}
	if len(b) > StrictBytes {
		return
	}
	if err := Strict(b, &twice); err != nil {
		t.Fatalf("%s was read, and written as %s: %v", data, b, err)
	}
	if again, _ := json.Marshal(twice); !bytes.Equal(again, b) {
		t.Fatalf("%s reads back as %s", b, again)
	}
}
