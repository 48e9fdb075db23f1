package remediate

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"moorgate.dev/internal/gate"
)

const (
	maxNote  = 2048
	maxField = 253
)

// Trigger is what is kept of a Warning event: that somebody should look at an object. It is bounded, whatever was sent.
type Trigger struct {
	Namespace, Kind, Name, UID string
	Container                  string // as the event says; live state says which container it is
	Reason                     string
	Note                       string    // hostile text, printable and cut; nothing decides on it or repeats it
	Count                      int       // how often it happened, at least; never below 1
	At                         time.Time // when it happened last, as far as the event says
}

// Read takes what matters from an event of either API: the old recorder counts and stamps first and last, the new one
// leaves count 0 and these stamps null and writes eventTime and, on repetition, a series.
func Read(e *corev1.Event) Trigger {
	t := Trigger{
		Namespace: gate.OneLine(e.Namespace, maxField),
		Kind:      gate.OneLine(e.InvolvedObject.Kind, maxField),
		Name:      gate.OneLine(e.InvolvedObject.Name, maxField),
		UID:       gate.OneLine(string(e.InvolvedObject.UID), maxField),
		Container: containerIn(e.InvolvedObject.FieldPath),
		Reason:    gate.OneLine(e.Reason, maxField),
		Note:      gate.OneLine(e.Message, maxNote),
		Count:     max(1, int(e.Count)),
	}
	stamps := []time.Time{e.LastTimestamp.Time, e.EventTime.Time, e.CreationTimestamp.Time}
	if e.Series != nil {
		t.Count = max(t.Count, int(e.Series.Count))
		stamps = append([]time.Time{e.Series.LastObservedTime.Time}, stamps...)
	}
	for _, at := range stamps {
		if !at.IsZero() {
			t.At = at
			break
		}
	}
	return t
}

// containerIn reads the container's name from a field path: spec.containers{app}.
func containerIn(path string) string {
	_, rest, found := strings.Cut(path, "{")
	name, _, closed := strings.Cut(rest, "}")
	if !found || !closed || !strings.HasPrefix(path, "spec.") {
		return ""
	}
	return gate.OneLine(name, maxField)
}

// ours is whether the trigger makes somebody look. Its reason does not matter: what an event says is read from live state, and
// whoever writes events holds back the rare reasons of an object that has a frequent one.
func (t Trigger) ours() bool {
	return t.Name != "" && (t.Kind == podKind.Kind || wardOf(t.Kind) != nil)
}
