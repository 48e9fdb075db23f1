package cluster

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

const entry = `{"id":"a","at":"2026-11-26T12:00:00Z","guardrails":["g"],"namespace":"n","workload":"w","verb":"evict","target":"t"}`

func TestOpenBook(t *testing.T) {
	spent := func(entries, tallies string) map[string]string {
		return map[string]string{keySpent: `{"entries":[` + entries + `],"tallies":[` + tallies + `]}`}
	}
	for _, c := range []struct {
		name   string
		values map[string]string
		wrong  string // empty: it is understood
	}{
		{"a new installation's", nil, ""},
		{"one with entries and tallies", spent(entry, `{"cause":"c","verb":"v","tried":3,"healed":2}`), ""},
		{"one with open breakers", map[string]string{"breaker.all": `{"since":"2026-11-26T12:00:00Z","why":"w"}`, "breaker.namespace.all": `{"since":"2026-11-26T12:00:00Z","why":"w"}`}, ""},
		{"one with a reset", map[string]string{"reset.namespace.shop": `{"at":"2026-11-26T12:00:00Z","why":"w","forgiven":{"a":"worsened"}}`}, ""},
		{"not JSON", map[string]string{keySpent: "entries"}, "invalid character"},
		{"nothing", map[string]string{keySpent: ""}, "EOF"},
		{"null", map[string]string{keySpent: "null"}, "it is null"},
		{"a list", map[string]string{keySpent: "[]"}, "cannot unmarshal array"},
		{"cut short", map[string]string{keySpent: `{"entries":[` + entry}, "EOF"},
		{"with something behind", map[string]string{keySpent: `{} {}`}, "comes after"},
		{"a field that is there twice", map[string]string{keySpent: `{"entries":[` + entry + `],"entries":[]}`}, `"entries" is there twice`},
		{"a field of an entry that is there twice", spent(strings.Replace(entry, `"verb"`, `"id":"b","verb"`, 1), ""), `$.entries[0]: the key "id" is there twice`},
		{"a field that is not known", map[string]string{keySpent: `{"spent":[]}`}, `"spent"`},
		{"a field that is there twice in two cases", map[string]string{keySpent: `{"entries":[],"Entries":[]}`}, `"Entries"`},
		{"a time that is none", spent(strings.Replace(entry, "2026-11-26T12:00:00Z", "yesterday", 1), ""), "yesterday"},
		{"an entry without a time", spent(`{"id":"a"}`, ""), "has no time"},
		{"an entry without an id", spent(strings.Replace(entry, `"id":"a",`, "", 1), ""), "has no time"},
		{"an entry that is there twice", spent(entry+","+entry, ""), "there twice"},
		{"a result that is not known", spent(strings.Replace(entry, `"verb"`, `"result":"splendid","verb"`, 1), ""), "no result"},
		{"an entry that forgives itself", spent(strings.Replace(entry, `"verb"`, `"forgiven":true,"verb"`, 1), ""), "forgiven"},
		{"too many entries", spent(many(maxSpent+1), ""), "1025 entries"},
		{"more healed than tried", spent("", `{"cause":"c","verb":"v","tried":1,"healed":2}`), "makes no sense"},
		{"a tally that is there twice", spent("", `{"cause":"c","verb":"v","tried":1,"healed":1},{"cause":"c","verb":"v","tried":1,"healed":1}`), "makes no sense"},
		{"a key that is not known", map[string]string{"other": "{}"}, "does not know it"},
		{"a key like one of ours", map[string]string{"ledger.old": "{}"}, "does not know it"},
		{"a breaker of no scope", map[string]string{"breaker.": "{}"}, "no scope"},
		{"a breaker of a namespace without a name", map[string]string{"breaker.namespace.": "{}"}, "no scope"},
		{"a breaker that is not understood", map[string]string{"breaker.all": `{"until":"tomorrow"}`}, `"until"`},
		{"a reset that is not understood", map[string]string{"reset.all": `x`}, "invalid character"},
		{"a reset that forgives one twice", map[string]string{"reset.all": `{"at":"2026-11-26T12:00:00Z","why":"","forgiven":{"a":"worsened","a":"unknown"}}`}, `$.forgiven: the key "a" is there twice`},
		{"too long", map[string]string{keySpent: "{" + strings.Repeat(" ", maxLedger) + "}"}, "and there may be"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := openBook(&corev1.ConfigMap{Data: c.values})
			if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("got %v, want %q", err, c.wrong)
			}
		})
	}
	if _, err := openBook(&corev1.ConfigMap{BinaryData: map[string][]byte{keySpent: []byte("{}")}}); err == nil {
		t.Error("binary data was passed over")
	}
}

func many(n int) string {
	var entries []string
	for i := range n {
		entries = append(entries, strings.Replace(entry, `"id":"a"`, fmt.Sprintf(`"id":"%d"`, i), 1))
	}
	return strings.Join(entries, ",")
}

// What is understood is understood the same way after it was written again, and never holds more than it may.
func FuzzOpenBook(f *testing.F) {
	f.Add([]byte(`{"ledger":"{\"entries\":[],\"tallies\":[]}"}`))
	for _, values := range []map[string]string{
		{keySpent: `{"entries":[` + entry + `],"tallies":[{"cause":"c","verb":"v","tried":3,"healed":2}]}`, "breaker.all": `{"since":"2026-11-26T12:00:00Z","why":"w"}`},
		{"breaker.namespace.shop": `{"since":"2026-11-26T12:00:00+25:00","why":"\u0000"}`, "reset.all": `{"at":"2026-11-26T12:00:00Z","why":"w","forgiven":{"a":"worsened"}}`},
	} {
		content, err := json.Marshal(values)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		var values map[string]string
		if json.Unmarshal(content, &values) != nil {
			return
		}
		b, err := openBook(&corev1.ConfigMap{Data: values})
		if err != nil {
			return
		}
		before := b.ledger()
		if len(before.Entries) > maxSpent || len(b.tallies) > maxTallies {
			t.Fatalf("%d entries, %d tallies", len(before.Entries), len(b.tallies))
		}
		if err := b.keep(); err != nil {
			return // such as a year past 9999
		}
		again, err := openBook(b.m)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if after := again.ledger(); len(after.Entries) != len(before.Entries) || !reflect.DeepEqual(after.Open, before.Open) || len(again.tallies) != len(b.tallies) {
			t.Fatalf("%+v became %+v", before, after)
		}
	})
}

func TestMoment(t *testing.T) {
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name        string
		date        string
		own         time.Time
		early, late time.Time
		unknown     bool
		apart       bool
	}{
		{"the same", "Thu, 26 Nov 2026 12:00:00 GMT", noon, noon, noon, false, false},
		{"the server is ahead", "Thu, 26 Nov 2026 12:00:30 GMT", noon, noon, noon.Add(30 * time.Second), false, false},
		{"the process is ahead", "Thu, 26 Nov 2026 11:59:30 GMT", noon, noon.Add(-30 * time.Second), noon, false, false},
		{"a minute apart", "Thu, 26 Nov 2026 12:01:00 GMT", noon, noon, noon.Add(time.Minute), false, false},
		{"more than a minute ahead", "Thu, 26 Nov 2026 12:01:01 GMT", noon, noon, noon.Add(61 * time.Second), false, true},
		{"more than a minute behind", "Thu, 26 Nov 2026 11:58:59 GMT", noon, noon.Add(-61 * time.Second), noon, false, true},
		{"no Date", "", noon, noon, noon, true, false},
		{"a Date that is none", "soon", noon, noon, noon, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := momentOf(c.date, c.own)
			if !m.early().Equal(c.early) || !m.late().Equal(c.late) || (m.why != "") != c.unknown || (m.apart() != "") != c.apart {
				t.Errorf("early %s, late %s, unknown %q, apart %q", m.early(), m.late(), m.why, m.apart())
			}
			if c.apart && (!strings.Contains(m.apart(), "2026-11-26T12:00:00Z") || strings.Count(m.apart(), "2026-11-26T1") != 2) {
				t.Errorf("it does not say both times: %s", m.apart())
			}
		})
	}
}

func TestBookIsBoundedAndPruned(t *testing.T) {
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	of := func(n int) gate.Budget { return gate.Budget{Actions: n, Window: 24 * time.Hour} }
	p := gate.Policy{Rails: []gate.Rail{{Name: "g", Restraint: gate.Restraint{Attempts: 1 << 20}, Budgets: gate.Budgets{Total: of(1 << 20), Namespace: of(1 << 20), Workload: of(1 << 20)}}}}
	l := &Ledger{}
	fill := func(t *testing.T, each gate.Spent) (*book, int, *gate.Reason) {
		t.Helper()
		b, err := openBook(&corev1.ConfigMap{})
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; ; n++ {
			each.ID, each.At, each.Target = fmt.Sprint(n), noon, fmt.Sprint(n)
			refused, err := l.enter(b, p, each, moment{server: noon, own: noon})
			if err != nil {
				t.Fatal(err)
			}
			if refused != nil {
				b.entries = b.entries[:n]
				if err := b.keep(); err != nil {
					t.Fatal(err)
				}
				return b, n, refused
			}
		}
	}
	t.Run("by entries", func(t *testing.T) {
		b, n, refused := fill(t, gate.Spent{Guardrails: []string{"g"}, Verb: "evict"})
		if n != maxSpent || refused.Rule != "ledger" || !strings.Contains(refused.Text, "full") || b.size() > maxReserve {
			t.Errorf("%d entries of %d bytes, refused %+v", n, b.size(), refused)
		}
		for _, after := range []struct {
			since time.Duration
			kept  int
		}{{24 * time.Hour, maxSpent}, {24*time.Hour + time.Minute, maxSpent}, {24*time.Hour + time.Minute + time.Second, 1}} {
			m := moment{server: noon.Add(after.since), own: noon.Add(after.since + time.Minute)}
			if _, err := l.enter(b, p, gate.Spent{ID: "new", At: m.late()}, m); err != nil {
				t.Fatal(err)
			}
			if got := min(len(b.entries), maxSpent); got != after.kept {
				t.Errorf("after %s %d entries are kept, want %d", after.since, got, after.kept)
			}
			b.entries = b.entries[:min(len(b.entries), maxSpent)]
		}
	})
	t.Run("by bytes, with room for what came of them", func(t *testing.T) {
		b, n, refused := fill(t, gate.Spent{Guardrails: []string{strings.Repeat("g", 2000)}, Verb: "evict"})
		if n >= maxSpent || refused.Rule != "ledger" || b.size() > maxReserve {
			t.Errorf("%d entries of %d bytes, refused %+v", n, b.size(), refused)
		}
		for i := range b.entries {
			b.entries[i].Result = gate.ResultIneffective
		}
		for i := range maxTallies + 10 {
			b.count(gate.Spent{Cause: strings.Repeat("c", 100) + fmt.Sprint(i), Verb: "pull-request"})
		}
		if err := b.keep(); err != nil || len(b.tallies) != maxTallies || b.size() > maxLedger*3/4 {
			t.Errorf("%d bytes, %d tallies (%v)", b.size(), len(b.tallies), err)
		}
	})
	t.Run("one entry", func(t *testing.T) {
		if _, n, refused := fill(t, gate.Spent{Workload: strings.Repeat("w", maxSpentBytes)}); n != 0 || refused.Rule != "ledger" {
			t.Errorf("%d entries, refused %+v", n, refused)
		}
	})
}

func BenchmarkOpenBook(b *testing.B) {
	for _, n := range []int{10, maxSpent} {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
			m := &corev1.ConfigMap{Data: map[string]string{keySpent: `{"entries":[` + many(n) + `],"tallies":[]}`}}
			for b.Loop() {
				book, err := openBook(m)
				if err == nil {
					err = book.keep()
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
