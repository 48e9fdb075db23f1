package notify

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"

	"moorgate.dev/internal/gate"
)

// reasons are what is told, as Events name it.
var reasons = map[string]string{Escalated: "Escalated", Approval: "WaitsForApproval", Acted: "Acted", Healed: "Healed", NotHealed: "NotHealed"}

// event tells on the object itself. Kubernetes counts Events that say the same, and may drop some.
type event struct{ events.EventRecorder }

const eventMost = 900 // bytes of a note; the API server takes 1024

// Send writes an Event about the subject of each Case.
func (e event) Send(_ context.Context, m Message) (Receipt, error) {
	for _, t := range m.Cases {
		kind := corev1.EventTypeNormal
		if asks(t.What) {
			kind = corev1.EventTypeWarning
		}
		text := strings.Join(append([]string{titles[t.What]}, t.lines()...), "; ")
		about := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: t.Subject.Namespace, Name: t.Subject.Name, UID: types.UID(t.Subject.UID)}}
		about.SetGroupVersionKind(schema.GroupVersionKind{Group: t.Subject.Group, Version: t.Subject.Version, Kind: t.Subject.Kind})
		e.Eventf(about, nil, kind, reasons[t.What], "Tell", "%s", gate.OneLine(text, eventMost)+"; case "+t.Case)
	}
	return Receipt{}, nil
}
