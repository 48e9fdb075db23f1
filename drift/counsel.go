package drift

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// What a change looks like: the causes that the rules find where they are sure, and that a model may name where they are not. The rules'
// own cause stands all the same.
const (
	IntentEmergency  = gate.CauseEmergency
	IntentAccident   = "accident"
	IntentExperiment = "experiment"
	IntentRoutine    = "routine-operation"
)

// Intents lists what a model may say that a change looks like, each with what is meant by it.
func Intents() []gate.Doc {
	return []gate.Doc{
		{ID: IntentEmergency, Title: "An emergency fix", Text: "Somebody changed the cluster on purpose to end or soften an incident; Git should learn of it."},
		{ID: IntentAccident, Title: "An accident", Text: "Nothing speaks for a purpose: the change harms, contradicts what Git says in a way that nobody needs, or was meant for another place."},
		{ID: IntentExperiment, Title: "An experiment", Text: "Somebody tries something out: debug settings, another image tag, a changed command. It should not stay."},
		{ID: IntentRoutine, Title: "A routine operation", Text: "It belongs to running the workload, such as scaling or a restart, and Git need not say it."},
		{ID: gate.CauseOther, Title: "Something else", Text: "None of these, or there is too little to tell."},
	}
}

// The kinds of claim that this face's code checks.
const (
	ClaimManager   = "changed-by"        // FIELD=MANAGER
	ClaimPerson    = "changed-by-person" // FIELD
	ClaimDelivered = "was-delivered"     // FIELD: the live value is what was delivered last
	ClaimTime      = "time-is-known"     // FIELD
)

// Claims lists the kinds of claim that this face's code checks.
func Claims() []string { return []string{ClaimManager, ClaimPerson, ClaimDelivered, ClaimTime} }

// evidenceDrift is what the drifted fields are, as far as they may be shown.
const evidenceDrift = "drift"

const (
	maxOpinions  = 4096
	failuresLast = 10 * time.Minute // after which a model that did not answer is asked again
)

// counsel holds what came of asking models: the next round says the same on the Case as long as the rules see the same.
type counsel struct {
	lock sync.Mutex
	said map[string]heard // by Case
}

// heard is an opinion in which a model had a part, or why it had none, beside that of the rules that it was asked about.
type heard struct {
	rules, both gate.Assessment
	until       time.Time // zero: for as long as the rules see the same
}

// advisor is the advisor on what was seen: what a model said about it too, while the rules see the same; else the rules alone.
func (d *Detector) advisor(caseRef string, l *look) flow.Advisor {
	if d.Beside == nil {
		return d.Beside.Of(intent(l))
	}
	d.counsel.lock.Lock()
	defer d.counsel.lock.Unlock()
	if h, ok := d.counsel.said[caseRef]; ok && reflect.DeepEqual(h.rules, assess(l)) {
		return flow.AdvisorFunc(func(context.Context, flow.Question) gate.Assessment { return h.both })
	}
	return flow.Waiting(intent(l))
}

func (c *counsel) keep(caseRef string, h heard) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.said == nil || len(c.said) >= maxOpinions {
		c.said = map[string]heard{} // at worst a model is asked again
	}
	c.said[caseRef] = h
}

// knows is whether a model was asked about what the rules see, and need not be asked again yet.
func (c *counsel) knows(caseRef string, rules gate.Assessment, now time.Time) bool {
	c.lock.Lock()
	defer c.lock.Unlock()
	h, ok := c.said[caseRef]
	return ok && reflect.DeepEqual(h.rules, rules) && (h.until.IsZero() || now.Before(h.until))
}

// confer has a model asked about a drift, unless it was, and has what comes of it kept on the Case.
func (d *Detector) confer(key client.ObjectKey, l *look, q flow.Question, p gate.Policy) {
	rules := assess(l)
	if asks, _ := flow.Asks(p.Asking(), rules); !asks || d.Beside == nil || d.Aside == nil || d.counsel.knows(q.Case, rules, d.Now()) {
		return
	}
	d.Aside.Do(q.Case, func(ctx context.Context) { d.consult(ctx, key, l, q, p, rules) })
}

// consult asks a model, records what came of it, and says it on the Case.
func (d *Detector) consult(ctx context.Context, key client.ObjectKey, l *look, q flow.Question, p gate.Policy, rules gate.Assessment) {
	q.OffRecord, q.Facts.At = false, d.Now()
	d.brief(&q, l)
	j, recordErr := flow.Judge(ctx, d.Log, q, p, d.Beside.Of(intent(l)))
	h := heard{rules: rules, both: j.Assessment}
	if j.Assessment.Alone != "" {
		h.until = d.Now().Add(failuresLast)
	}
	d.counsel.keep(q.Case, h)
	// Where it fails, the next round says it.
	_ = retry.RetryOnConflict(retry.DefaultRetry, func() error { return d.Cases.Keep(ctx, key, d.tell(l, j, recordErr)) })
}

// brief adds to a question what a model needs to know.
func (d *Detector) brief(q *flow.Question, l *look) {
	e := gate.Evidence{ID: evidenceDrift, Source: "fields of " + l.subject.Kind + "/" + l.subject.Name + " that differ from Git", At: q.Facts.At, Trust: gate.FromAPI}
	q.Claims = map[flow.Claim]gate.Fact[bool]{}
	for i, x := range l.drifts {
		e.Text += l.detail(i) + "\n"
		field := strings.TrimPrefix(strings.TrimPrefix(x.Path.String(), "spec.template."), "spec.")
		if x.Owner.Manager != "" {
			q.Claims[flow.Claim{Kind: ClaimManager, Object: fmt.Sprintf("%s=%s", field, x.Owner.Manager)}] = gate.Known(true)
			q.Claims[flow.Claim{Kind: ClaimPerson, Object: field}] = gate.Known(x.Owner.Party == Person)
		}
		q.Claims[flow.Claim{Kind: ClaimDelivered, Object: field}] = gate.Known(x.Delivered)
		q.Claims[flow.Claim{Kind: ClaimTime, Object: field}] = gate.Known(!x.Owner.Time.IsZero())
	}
	for _, r := range l.intention.held {
		e.Text += "rule " + r.id + ": " + r.law + "\n"
	}
	q.Evidence = d.Door.Evidence(append([]gate.Evidence{e}, q.Evidence...))
	q.Shape = q.Case + "/" + q.Signal.Key
}
