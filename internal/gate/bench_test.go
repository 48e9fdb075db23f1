package gate

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// BenchmarkDecide measures a verdict on a rollout: two Guardrails, six findings.
func BenchmarkDecide(b *testing.B) {
	p := Policy{Rails: []Rail{rail(), rail()}}
	a, f := opinion(), facts()
	a.Choice, a.Findings = []string{"admit"}, make([]Finding, 6)
	b.ReportAllocs()
	for b.Loop() {
		Decide(p, a, f)
	}
}

// BenchmarkDecideToAct measures a verdict on an eviction under two Guardrails, with a ledger of 200 entries and an approval,
// up to its Permit.
func BenchmarkDecideToAct(b *testing.B) {
	p := Policy{Rails: []Rail{rail(), rail()}}
	a, f := opinion(), facts()
	var l Ledger
	for i := range 200 {
		s := spent(time.Duration(200-i)*7*time.Minute, ResultHealed)
		s.Namespace, s.Workload = fmt.Sprint("n", i%40), WorkloadKey(Ref{Group: "apps", Kind: "Deployment", Namespace: fmt.Sprint("n", i%40), Name: "web"})
		l.Entries = append(l.Entries, s)
	}
	f.Ledger, f.Approvals = Known(l), Known([]Approval{word("ana", eviction())})
	for i := range p.Rails {
		p.Rails[i].Budgets.Total.Actions = 50
	}
	if _, ok := Decide(p, a, f).Permit(); !ok {
		b.Fatal("no permit")
	}
	b.ReportAllocs()
	for b.Loop() {
		Decide(p, a, f)
	}
}

// BenchmarkReadFacts measures how facts come back from a record, as a replay of many reads them.
func BenchmarkReadFacts(b *testing.B) {
	f := facts()
	f.Ledger = Known(Ledger{Entries: []Spent{spent(time.Hour, ResultDone), spent(time.Minute, ResultHealed)}})
	text, err := json.Marshal(f)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var read Facts
		if err := json.Unmarshal(text, &read); err != nil {
			b.Fatal(err)
		}
	}
}
