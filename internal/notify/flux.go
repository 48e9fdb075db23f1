package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/redact"
)

// Notice is what people are told of a drift.
type Notice struct {
	About  gate.Ref // the object that the event is about: an Alert of Flux listens to its own kinds only
	Gone   bool     // it is no more
	Reason string   // Drifted, DriftGone
	Text   string
	Case   string // NAMESPACE/NAME
	Cause  string // of a closed list
	Commit string // that it was compared with; empty where there is none
}

const (
	postTimeout = 5 * time.Second // for one event, to the last byte of the answer
	queued      = 256             // events that wait at most
	textMost    = 2000            // bytes of the message; Flux takes 39,000 characters
	valueMost   = 300             // bytes of a value of the metadata, and of a name
)

// What becomes of messages: a closed list.
const (
	Sent    = "sent"
	Failed  = "failed"  // it was refused, or nobody answered in time
	Dropped = "dropped" // of an event of a drift for Flux: the queue was full, or the process ended
	Refused = "refused" // of a message about a Case: the receiver never will take it
	NoSuch  = "no-such-receiver"
)

// Results lists what may become of an event of a drift.
func Results() []string { return []string{Sent, Failed, Dropped} }

// Options are what a Flux must be told; all of them are needed.
type Options struct {
	Address *url.URL // of Address
	Door    *redact.Door
	Now     func() time.Time
	Counted func(result string) // is told what became of each event
	// Troubled is told why an event was not delivered: once, and again only after one was delivered.
	Troubled func(error)
}

// Flux posts events to Flux's notification-controller.
type Flux struct {
	Options
	client   *http.Client
	waiting  chan eventv1.Event
	troubled atomic.Bool
}

// NewFlux makes a Flux. Nothing is posted before Run.
func NewFlux(o Options) *Flux {
	return &Flux{Options: o, waiting: make(chan eventv1.Event, queued), client: newClient()}
}

// Tell queues a notice, and waits for nothing.
func (f *Flux) Tell(n Notice) {
	select {
	case f.waiting <- f.event(n):
	default:
		f.became(Dropped, fmt.Errorf("%d events wait already", queued))
	}
}

// Run posts what is queued, one after another, until ctx ends.
func (f *Flux) Run(ctx context.Context) error {
	defer f.client.CloseIdleConnections()
	for {
		select {
		case <-ctx.Done():
			f.drop()
			return nil
		case e := <-f.waiting:
			if err := f.post(ctx, e); err != nil {
				f.became(Failed, err)
				continue
			}
			f.became(Sent, nil)
		}
	}
}

// drop gives up what waits.
func (f *Flux) drop() {
	for {
		select {
		case <-f.waiting:
			f.became(Dropped, errors.New("the process ends"))
		default:
			return
		}
	}
}

func (f *Flux) became(result string, why error) {
	if why == nil {
		f.troubled.Store(false)
	} else if !f.troubled.Swap(true) {
		f.Troubled(why)
	}
	f.Counted(result)
}

// event is a notice as Flux takes it. Its metadata are named after the group of the object, without which they are left out.
func (f *Flux) event(n Notice) eventv1.Event {
	about := schema.GroupVersionKind{Group: n.About.Group, Version: n.About.Version, Kind: n.About.Kind}
	version, kind := about.ToAPIVersionAndKind()
	e := eventv1.Event{
		InvolvedObject: corev1.ObjectReference{APIVersion: version, Kind: kind, Namespace: n.About.Namespace, Name: clean(f.Door, n.About.Name, valueMost), UID: types.UID(n.About.UID)},
		Severity:       eventv1.EventSeverityError, Reason: n.Reason, Message: clean(f.Door, n.Text, textMost),
		Timestamp: metav1.NewTime(f.Now()), Metadata: map[string]string{}, ReportingController: "moorgate"}
	if n.Gone {
		e.Severity = eventv1.EventSeverityInfo
	}
	for key, value := range map[string]string{"case": n.Case, "cause": n.Cause, eventv1.MetaCommitKey: n.Commit} {
		if value == "" {
			continue
		}
		if n.About.Group != "" {
			key = n.About.Group + "/" + key
		}
		e.Metadata[key] = clean(f.Door, value, valueMost)
	}
	return e
}

// post sends one event, once. Whatever is not of the two hundreds is a failure, a redirect too.
func (f *Flux) post(ctx context.Context, e eventv1.Event) error {
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode an event for Flux: %w", err)
	}
	if err := post(ctx, f.client, f.Address, body, nil); err != nil {
		return fmt.Errorf("post an event to Flux: %w", err)
	}
	return nil
}

// Send posts what is told of a Case as an event about its subject.
func (f *Flux) Send(ctx context.Context, m Message) (Receipt, error) {
	for _, t := range m.Cases {
		n := Notice{About: t.Subject, Gone: !asks(t.What), Reason: reasons[t.What], Text: strings.Join(append([]string{m.Title()}, t.lines()...), "; "), Case: t.Case, Cause: t.Cause}
		if err := f.post(ctx, f.event(n)); err != nil {
			return Receipt{}, err
		}
	}
	return Receipt{}, nil
}
