package gate

import "testing"

func TestAgreement(t *testing.T) {
	agree := func(n Fact[int], choice string) func(*Rail, *Assessment, *Facts) {
		return func(_ *Rail, a *Assessment, _ *Facts) { a.Agreement, a.Choice = n, []string{choice} }
	}
	below := func(n Fact[int]) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, _ *Assessment, _ *Facts) { r.AgreementBelow = n }
	}
	weigh(t, "agreement", []weighed{
		{"as much as is asked for", agree(Known(70), "act"), Allow, ""},
		{"less than is asked for", agree(Known(69), "act"), Hold, "agreement 69 is below 70"},
		{"less than is asked for to propose", agree(Known(69), "propose"), Hold, "agreement 69 is below 70"},
		{"not known", agree(Unknown[int]("one look only"), "act"), Hold, "one look only"},
		{"makes no sense", agree(Known(101), "act"), Hold, "101"},
		{"is not needed for an annotation", agree(Fact[int]{}, "mark"), Allow, ""},
		{"no threshold", below(Fact[int]{}), Hold, "there is no agreementBelow"},
		{"a threshold that makes no sense", below(Known(-1)), Hold, "agreementBelow: -1"},
	})
}

func TestReversible(t *testing.T) {
	weigh(t, "reversible", []weighed{
		{"can be taken back", func(*Rail, *Assessment, *Facts) {}, Allow, ""},
		{"cannot be taken back", func(_ *Rail, _ *Assessment, f *Facts) { f.Menu[0].Undo = "" }, Hold, "evict cannot be taken back"},
		{"may be irreversible", func(r *Rail, _ *Assessment, f *Facts) { f.Menu[0].Undo, r.Actions[0].Irreversible = "", true }, Allow, ""},
		{"another action may be irreversible", func(r *Rail, _ *Assessment, f *Facts) { f.Menu[0].Undo, r.Actions[2].Irreversible = "", true }, Hold, "cannot"},
		{"another kind may be irreversible", func(r *Rail, _ *Assessment, f *Facts) {
			f.Menu[0].Undo = ""
			r.Actions = []Permitted{{Verb: "evict", Kinds: []string{"Job"}, Irreversible: true}, {Verb: "evict"}}
		}, Hold, "cannot"},
		{"a pull request can be closed", func(_ *Rail, a *Assessment, f *Facts) { a.Choice, f.Menu[1].Undo = []string{"propose"}, "" }, Allow, ""},
	})
}
