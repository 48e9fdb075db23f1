package gate

import "time"

// The law: in a freeze nothing is changed live. The windows come as intervals, worked out elsewhere from schedules and time
// zones; here they are only compared. The end of one is not part of it.
var freezeRule = rule{
	doc: Doc{ID: "freeze", Since: "v0.2", Severity: Hold, Title: "Freeze windows",
		Text: "While a freeze window is open no live action is begun. Pull requests may be opened: people merge them."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		if !m.acts(ReachLive) || len(r.Freezes) == 0 {
			return Allow, ""
		}
		if m.At.IsZero() {
			return Hold, "the time is not known, and there are freeze windows"
		}
		for _, w := range r.Freezes {
			switch {
			case !w.To.After(w.From):
				return Hold, "a freeze window ends before it begins: " + w.Reason
			case !m.At.Before(w.From) && m.At.Before(w.To):
				return Hold, "frozen until " + w.To.UTC().Format(time.RFC3339) + ": " + w.Reason
			}
		}
		return Allow, ""
	},
}
