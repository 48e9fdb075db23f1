package gate

import (
	"slices"
	"time"
)

// Silence is a person's word that something is known. What is left empty stands for everything.
type Silence struct {
	Namespace string    `json:"namespace,omitempty"`
	Workload  string    `json:"workload,omitempty"` // KIND/NAME
	Symptom   string    `json:"symptom,omitempty"`
	Until     time.Time `json:"until"`
	By        string    `json:"by"`
	Why       string    `json:"why"`
}

// The law: what somebody knows already and wants left alone is left alone, until the time that they named and no longer. It only takes
// away: what is asked at the gate is answered as ever. A silence about a symptom says nothing of what has none.
var silencedRule = rule{
	doc: Doc{ID: "silenced", Since: "v0.3", Severity: Hold, Title: "Silences",
		Text: "While a silence of the Guardrail speaks of the happening, by its namespace, workload and symptom, nothing is done about it and nobody is told of it anew; the Case says so. Answers and marks at the gate are not held up."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		if m.answers() || m.reach == ReachMark {
			return Allow, ""
		}
		if why := r.silenced(m.Facts); why != "" {
			return Hold, why
		}
		return Allow, ""
	},
}

// Silenced says why nothing is to be done or said about facts for now; empty where nothing speaks for that.
func (p Policy) Silenced(f Facts) string {
	for i := range p.Rails {
		if why := p.Rails[i].silenced(f); why != "" {
			return why
		}
	}
	return ""
}

// silenced is the silence that holds longest, in words; empty for none.
func (r *Rail) silenced(f Facts) string {
	if len(r.Silences) > 0 && f.At.IsZero() {
		return "the time is not known, and there are silences"
	}
	var last Silence
	for _, s := range r.Silences {
		if s.about(f) && f.At.Before(s.Until) && s.Until.After(last.Until) {
			last = s
		}
	}
	if last.Until.IsZero() {
		return ""
	}
	return "silenced until " + last.Until.UTC().Format(time.RFC3339) + " by " + last.By + ": " + last.Why
}

func (s Silence) about(f Facts) bool {
	w := f.Subject
	return slices.Contains([]string{"", w.Namespace}, s.Namespace) && slices.Contains([]string{"", w.Kind + "/" + w.Name}, s.Workload) &&
		slices.Contains([]string{"", f.Symptom}, s.Symptom)
}
