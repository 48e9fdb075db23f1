package gate

import "testing"

func TestTheMostSparingGuardrailSaysWhenAModelIsAsked(t *testing.T) {
	much := Asking{Ask: AskAlways, Expert: ExpertAlways, CaseTokens: 100, NamespaceTokens: 1000}
	little := Asking{Ask: AskUnsettled, Expert: ExpertUnsure, CaseTokens: 200, NamespaceTokens: 10}
	for _, row := range []struct {
		name  string
		rails []Rail
		want  Asking
	}{
		{"none asks none", nil, Asking{}},
		{"one that says nothing asks none", []Rail{{}}, Asking{}},
		{"one", []Rail{{Asking: much}}, much},
		{"two: each number by itself", []Rail{{Asking: much}, {Asking: little}}, Asking{AskUnsettled, ExpertUnsure, 100, 10}},
		{"one that says nothing beside one that does", []Rail{{Asking: much}, {}}, Asking{}},
		{"one that cannot be read", []Rail{{Asking: much, Unreadable: "bad"}}, Asking{}},
		{"one that cannot be read, after one that can", []Rail{{Asking: much}, {Asking: much, Unreadable: "bad"}}, Asking{}},
	} {
		if got := (Policy{Rails: row.rails}).Asking(); got != row.want {
			t.Errorf("%s: %+v, want %+v", row.name, got, row.want)
		}
	}
}

func TestAskingIsReadAsItIsWritten(t *testing.T) {
	for _, a := range []Ask{AskNever, AskUnsettled, AskAlways} {
		text, _ := a.MarshalText()
		var again Ask
		if err := again.UnmarshalText(text); err != nil || again != a {
			t.Errorf("%s is read as %s, %v", text, again, err)
		}
	}
	for _, e := range []Expert{ExpertNever, ExpertUnsure, ExpertAlways} {
		text, _ := e.MarshalText()
		var again Expert
		if err := again.UnmarshalText(text); err != nil || again != e {
			t.Errorf("%s is read as %s, %v", text, again, err)
		}
	}
	ask, expert := AskAlways, ExpertAlways
	if ask.UnmarshalText([]byte("always")) != nil || ask != AskNever || expert.UnmarshalText([]byte("")) != nil || expert != ExpertNever {
		t.Errorf("an unknown word reads as %s and %s", ask, expert)
	}
}
