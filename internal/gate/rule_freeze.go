package gate

import "time"

// The law: in a freeze nothing is changed live. The windows come as intervals, worked out elsewhere from schedules and time
// zones; here they are only compared. The end of one is not part of it.
var freezeRule = rule{
	doc: Doc{ID: "freeze", Since: "v0.2", Severity: Hold, Title: "Freeze windows",
		Text: "While a freeze window is open no live action is begun. Pull requests may be opened: people merge them."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		if !m.acts(ReachLive) {
			return Allow, ""
		}
		if why, _ := m.frozen(r); why != "" {
			return Hold, why
		}
		return Allow, ""
	},
}

// frozen says why this may be a time in which nothing changes; empty if it is none. sure is whether a window is open beyond
// doubt: then the latest end of those that are is told, whatever else is wrong.
func (m *matter) frozen(r *Rail) (why string, sure bool) {
	if len(r.Freezes) > 0 && m.At.IsZero() {
		return "the time is not known, and there are freeze windows", false
	}
	var last Interval
	for _, w := range r.Freezes {
		switch {
		case !w.To.After(w.From):
			why = "a freeze window ends before it begins: " + w.Reason
		case !m.At.Before(w.From) && m.At.Before(w.To) && w.To.After(last.To):
			last, sure = w, true
		}
	}
	if sure {
		why = "frozen until " + last.To.UTC().Format(time.RFC3339) + ": " + last.Reason
	}
	return why, sure
}
