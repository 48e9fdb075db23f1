package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// pagerDutyURL is where events of version 2 are taken.
const pagerDutyURL = "https://events.pagerduty.com/v2/enqueue"

// pagerDuty opens an incident when people are needed, and ends it when what it is about is over. It acknowledges none: that is people's.
// The key of an incident follows from its Case, so that PagerDuty knows one that was sent twice.
type pagerDuty struct {
	client     *http.Client
	to         *url.URL
	routingKey string // a file
}

type pagerDutyEvent struct {
	RoutingKey string            `json:"routing_key"`
	Action     string            `json:"event_action"`
	DedupKey   string            `json:"dedup_key"`
	Client     string            `json:"client,omitempty"`
	Payload    *pagerDutyPayload `json:"payload,omitempty"`
}

type pagerDutyPayload struct {
	Summary   string            `json:"summary"` // 1024 characters
	Source    string            `json:"source"`
	Severity  string            `json:"severity"`
	Timestamp string            `json:"timestamp"`
	Component string            `json:"component,omitempty"`
	Group     string            `json:"group,omitempty"`
	Class     string            `json:"class,omitempty"`
	Details   map[string]string `json:"custom_details,omitempty"`
}

// Send opens or ends an incident.
func (p *pagerDuty) Send(ctx context.Context, m Message) (Receipt, error) {
	ends := !m.severe()
	if ends && m.Cases[0].What != Healed {
		return Receipt{Message: m.Earlier}, nil // people are at it, or Moorgate is: neither opens an incident nor ends one
	}
	key, err := secret(p.routingKey)
	if err != nil {
		return Receipt{}, &Fault{Err: fmt.Errorf("read the routing key: %w", err), Clear: true}
	}
	e := pagerDutyEvent{RoutingKey: key, Action: "resolve", DedupKey: "moorgate/" + m.Earlier}
	if !ends {
		e.Action, e.Client, e.Payload = "trigger", "Moorgate", payload(m)
	}
	body, err := json.Marshal(e)
	if err != nil {
		return Receipt{}, &Fault{Err: err, Final: true, Clear: true}
	}
	if err := post(ctx, p.client, p.to, body, nil); err != nil {
		return Receipt{}, fmt.Errorf("%s an incident of PagerDuty: %w", e.Action, err)
	}
	if ends {
		return Receipt{}, nil
	}
	return Receipt{Message: m.Earlier}, nil
}

func payload(m Message) *pagerDutyPayload {
	details := map[string]string{"text": strings.Join(m.text(), "\n"), "id": m.ID}
	p := &pagerDutyPayload{Summary: m.Title(), Source: cmp.Or(m.Cluster, "moorgate"), Severity: "warning", Timestamp: m.At.UTC().Format(time.RFC3339), Class: Storm, Details: details}
	if len(m.Cases) == 1 && m.More == 0 {
		t := m.Cases[0]
		p.Component, p.Class = t.Object, t.What
		p.Group, _, _ = strings.Cut(t.Case, "/")
		for name, command := range map[string]string{"approve": t.Approve, "reject": t.Reject, "look": t.Look} {
			if command != "" {
				details[name] = command
			}
		}
		if t.What == NotHealed || t.What == Escalated {
			p.Severity = "error"
		}
	}
	return p
}
