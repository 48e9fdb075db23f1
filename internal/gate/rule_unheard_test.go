package gate

import "testing"

func TestUnheard(t *testing.T) {
	waiting := func(on OnPending, advised bool, why string) func(*Rail, *Assessment, *Facts) {
		return func(r *Rail, a *Assessment, f *Facts) {
			a.Choice = []string{"admit"}
			r.OnPending, r.DenyAdvised, f.Unheard = on, advised, why
		}
	}
	weigh(t, "unheard", []weighed{
		{"kept out until a model was heard", waiting(PendingDeny, true, "a model is being asked"), Deny, "no model has been heard yet: a model is being asked"},
		{"nobody is waited for", waiting(PendingDeny, true, ""), Allow, ""},
		{"a client that waits is not refused", waiting(PendingRetry, true, "a model is being asked"), Allow, ""},
		{"let in meanwhile", waiting(PendingWarn, true, "a model is being asked"), Allow, ""},
		{"a model may not deny here", waiting(PendingDeny, false, "a model is being asked"), Allow, ""},
	})
}
