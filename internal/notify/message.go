package notify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
)

// The law: every text of a message passed the door, is on one line and has an end before any sender sees it. A sender makes it harmless
// where it is shown.

// Message is what a receiver is told.
type Message struct {
	ID      string // the same for every try
	Cluster string
	At      time.Time
	What    string
	Again   bool   // it may have been sent before
	Earlier string // where an earlier message about it stands
	Update  bool   // that one is changed, and none is sent
	Cases   []Told // one, or many in one message
	More    int    // of which no word is said here
}

// Told is what is told of one Case.
type Told struct {
	UID      types.UID `json:"uid"`
	Case     string    `json:"case"` // NAMESPACE/NAME
	What     string    `json:"what"`
	Face     string    `json:"face"`
	Subject  gate.Ref  `json:"-"`
	Object   string    `json:"subject"` // KIND/NAME
	Cause    string    `json:"cause,omitempty"`
	Saw      string    `json:"saw,omitempty"`
	Findings []string  `json:"findings,omitempty"`
	Reasons  []string  `json:"reasons,omitempty"`
	Chosen   string    `json:"chosen,omitempty"`
	Acting   string    `json:"acting,omitempty"`
	Plan     string    `json:"plan,omitempty"`
	Brakes   []string  `json:"brakes,omitempty"`
	Approve  string    `json:"approve,omitempty"` // a command
	Reject   string    `json:"reject,omitempty"`  // a command
	Look     string    `json:"look,omitempty"`    // a command
}

const (
	lineMost  = 300 // bytes of one line of a message
	linesMost = 6   // lines of one kind
	brief     = 20  // Cases that a message for people names
)

// tell is what is told of a Case.
func tell(door *redact.Door, k *v1alpha1.Case, v view) Told {
	line := func(text string) string { return clean(door, text, lineMost) }
	of := k.Namespace + "/" + k.Name
	s := k.Spec.Subject
	t := Told{UID: k.UID, Case: line(of), What: v.What, Face: line(k.Spec.Signal.Face), Object: line(s.Kind + "/" + s.Name), Cause: line(k.Status.Cause), Saw: line(k.Spec.Signal.Text),
		Subject: gate.Ref{Group: s.Group, Version: s.Version, Kind: s.Kind, Namespace: k.Namespace, Name: s.Name, UID: s.UID},
		Look:    line("kubectl get case -n " + k.Namespace + " " + k.Name + " -o yaml")}
	for _, f := range k.Status.Findings {
		t.Findings = append(t.Findings, line(f.Text))
	}
	reasons := k.Status.Reasons
	if a := k.Status.Acting; a != nil {
		t.Acting, reasons = line(a.Phase+": "+a.Text), a.Reasons
	}
	for _, r := range reasons {
		t.Reasons = append(t.Reasons, line(r.Text+" ("+r.Rule+")"))
	}
	for _, b := range k.Status.Brakes {
		text := "rejected by " + b.User
		if b.Kind == v1alpha1.BrakeSnooze {
			text = "snoozed by " + b.User
			if b.Until != nil {
				text += " until " + b.Until.UTC().Format(time.RFC3339)
			}
		}
		t.Brakes = append(t.Brakes, line(text))
	}
	t.Findings, t.Reasons = t.Findings[:min(len(t.Findings), linesMost)], t.Reasons[:min(len(t.Reasons), linesMost)]
	if c, ok := chosen(k); ok {
		t.Chosen = line(c.ID + ": " + c.Text)
		if c.Reach == gate.ReachLive.String() || c.Reach == gate.ReachGit.String() {
			t.Plan = line(c.Digest)
			t.Reject = line("moorgate reject " + of)
		}
		if v.What == Approval {
			t.Approve = line("moorgate approve " + of)
		}
	}
	return t
}

// clean is text without secrets, on one line. What does not print goes first, so that nothing hides a secret from the door, and what is
// too long goes last, so that the door sees secrets whole.
func clean(door *redact.Door, text string, most int) string {
	return gate.OneLine(door.Text(gate.OneLine(text, len(text))), most)
}

// titles are how what is told begins.
var titles = map[string]string{Escalated: "People are needed", Approval: "Waits for approval", Acted: "Was done", Healed: "Is over", NotHealed: "Did not help", "": "Nothing to do now"}

// Title is a message in one line.
func (m Message) Title() string {
	if len(m.Cases) != 1 || m.More > 0 {
		return fmt.Sprintf("%d Cases at once%s", len(m.Cases)+m.More, m.where())
	}
	t := m.Cases[0]
	namespace, _, _ := strings.Cut(t.Case, "/")
	return fmt.Sprintf("%s: %s in %s%s", titles[t.What], t.Object, namespace, m.where())
}

func (m Message) where() string {
	if m.Cluster == "" {
		return ""
	}
	return " (" + m.Cluster + ")"
}

// lines are what a message about one Case says, in paragraphs.
func (t Told) lines() []string {
	var all []string
	add := func(label, text string) {
		if text != "" {
			all = append(all, label+text)
		}
	}
	add("Cause: ", t.Cause)
	add("Seen: ", t.Saw)
	for _, f := range t.Findings {
		add("- ", f)
	}
	add("Chosen: ", t.Chosen)
	add("Acting: ", t.Acting)
	for _, r := range t.Reasons {
		add("Because ", r)
	}
	for _, b := range t.Brakes {
		add("It is ", b)
	}
	return all
}

// digest is what a message about many Cases says: how many of what, and the first of them.
func (m Message) digest() []string {
	count := map[string]int{}
	for _, t := range m.Cases {
		count[t.What]++
	}
	var parts, all []string
	for _, what := range Whats() {
		if count[what] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[what], what))
		}
	}
	all = append(all, strings.Join(parts, ", "))
	for _, t := range m.Cases[:min(len(m.Cases), brief)] {
		all = append(all, fmt.Sprintf("- %s: %s, %s %s", t.What, t.Object, t.Case, t.Cause))
	}
	if rest := len(m.Cases) + m.More - brief; rest > 0 {
		all = append(all, fmt.Sprintf("and %d more: kubectl get cases -A lists all", rest))
	}
	return all
}

// text is what a message says, in lines.
func (m Message) text() []string {
	if len(m.Cases) == 1 && m.More == 0 {
		return m.Cases[0].lines()
	}
	return m.digest()
}

// severe is whether something is wrong now.
func (m Message) severe() bool {
	return slices.ContainsFunc(m.Cases, func(t Told) bool { return asks(t.What) })
}
