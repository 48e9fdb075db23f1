package notify

import (
	"cmp"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/tools/events"

	"moorgate.dev/internal/redact"
)

// Senders makes what sends to each receiver, by name.
func (r *Receivers) Senders(door *redact.Door, now func() time.Time, recorder events.EventRecorder) map[string]Sender {
	all := map[string]Sender{}
	for _, x := range r.Receivers {
		to, _ := Address(cmp.Or(x.URL, pagerDutyURL)) // check has seen that it can be read
		switch x.Kind {
		case KindSlack:
			all[x.Name] = &slackPost{client: newClient(), to: x.slackAPI(), token: x.BotTokenFile, channel: x.Channel, buttons: x.AppTokenFile != ""}
		case KindPagerDuty:
			all[x.Name] = &pagerDuty{client: newClient(), to: to, routingKey: x.RoutingKeyFile}
		case KindWebhook:
			all[x.Name] = &webhook{client: newClient(), to: to, secret: x.SecretFile, now: now}
		case KindFlux:
			all[x.Name] = NewFlux(Options{Address: to, Door: door, Now: now})
		case KindEvent:
			all[x.Name] = event{recorder}
		}
	}
	return all
}

// slackAPI is where the Web API is, with a slash at its end.
func (x Receiver) slackAPI() string {
	if x.URL == "" {
		return slackURL
	}
	to := url.URL{}
	if u, err := Address(x.URL); err == nil {
		to = *u
	}
	return strings.TrimSuffix(to.String(), "/") + "/"
}

// Ears makes what hears the buttons, one for each app of Slack.
func (r *Receivers) Ears(logger *slog.Logger) []*Ears {
	var all []*Ears
	for _, x := range r.Receivers {
		if x.Kind != KindSlack || x.AppTokenFile == "" {
			continue
		}
		i := slices.IndexFunc(all, func(e *Ears) bool { return e.app == x.AppTokenFile && e.to == x.slackAPI() })
		if i < 0 {
			i = len(all)
			all = append(all, &Ears{client: newClient(), to: x.slackAPI(), app: x.AppTokenFile, bot: x.BotTokenFile, Logger: logger})
		}
		all[i].channels = append(all[i].channels, x.Channel)
	}
	return all
}
