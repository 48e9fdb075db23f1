package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/kubernetes"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"moorgate.dev/internal/cluster"
	"moorgate.dev/internal/notify"
)

const (
	receiversUsage = "file that lists who is told when people are needed, and what came of it: Slack, PagerDuty, webhooks, Flux, Events (moorgate judge --help shows one); a Guardrail names which of them (spec.escalation.receivers); without a file nobody is told"
	usersUsage     = "file that says which user of Slack is which user of Kubernetes; who is in it and may approve plans may reject and snooze from Slack (moorgate judge --help shows one); without it buttons show commands"

	tellEvery = 5 * time.Second
)

// notifyHelp is how the two files look.
const notifyHelp = `--receivers FILE lists who is told when people are needed, and what came of it. Tokens and keys stand in files of their own, relative to
this one, which are read anew for each message:

  cluster: prod-eu                          # how people know this cluster
  receivers:
  - {name: oncall, kind: pagerduty, routingKeyFile: pd-key, tell: [escalated, not-healed, storm]}
  - {name: chat, kind: slack, channel: C0123456789, botTokenFile: slack-bot, appTokenFile: slack-app,
     tell: [escalated, approval, acted, healed, not-healed, storm]}
  - {name: bus, kind: webhook, url: https://bus.example.com/moorgate, secretFile: bus-secret, tell: [escalated, healed]}
  - {name: flux, kind: flux, url: http://notification-controller.flux-system.svc.cluster.local./, tell: [escalated]}
  - {name: events, kind: event, tell: [escalated, approval]}
  default: [oncall, events]                 # where no Guardrail that applies names any (spec.escalation.receivers)
  pace: {wait: 30s, single: 5, interval: 5m, repeat: 4h}

What lasts for 30 s is told. Of more than 5 Cases in 5 minutes a receiver gets one message (storm), and then has rest for 5 minutes; who is
needed is told again after 4 h. What was told stands on the Case (status.told): what does not get there is tried again for a day, under the
same id. Who is killed in between leaves a claim, and what it was about is told once more after 2 minutes: under the same key to PagerDuty,
under the same id to a webhook, and in Slack with the words that it may be a repeat.

A webhook gets CloudEvents 1.0 (structured JSON) with the header Moorgate-Signature: t=SECONDS,v1=HEX. HEX is the HMAC-SHA256 under the
shared secret of SECONDS, a dot and the body as it came. Compare in constant time, refuse what is older than 5 minutes, and pass over an id
that you have seen.

An app of Slack needs the scope chat:write and, for buttons, Socket Mode with an app token of scope connections:write; nothing has to be
reached from outside. A button rejects the plan or snoozes the Case, which only ever holds something up; to approve, it shows the command.
--slack-users FILE says who is who. The API server is asked whether that user may approve (the verb approve on the Case, and create on
approvals), and nobody else's press does anything:

  team: T0123456789
  users:
  - {slack: U0123456789, user: ana@example.com, groups: [shop-oncall]}`

func (o *options) checkNotify() error {
	var errs []error
	var err error
	if o.receivers != "" {
		if o.told, err = notify.ReadReceivers(o.receivers); err != nil {
			errs = append(errs, fmt.Errorf("--receivers: %w", err))
		}
	}
	if o.slackUsers != "" {
		if _, err := readSlackUsers(o.slackUsers); err != nil {
			errs = append(errs, err)
		}
		if o.receivers == "" {
			errs = append(errs, errors.New("--slack-users is given without --receivers, so there are no buttons"))
		}
	}
	return errors.Join(errs...)
}

// addNotify has people told, and heard where they press buttons. Without a file it still says where a Guardrail names somebody.
func (p *process) addNotify(mgr ctrl.Manager) error {
	live, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme()})
	if err != nil {
		return fmt.Errorf("prepare to tell people: %w", err)
	}
	config := p.told
	if config == nil {
		config = &notify.Receivers{}
	}
	outbox := &notify.Outbox{Config: *config, Book: cluster.Told{Cached: mgr.GetCache(), Live: live}, Named: cluster.Guardrails{Reader: mgr.GetCache()}.Receivers,
		Senders: config.Senders(p.door(), time.Now, mgr.GetEventRecorder("moorgate")), Door: p.door(), Now: time.Now, Logger: p.logger.With("face", "notify"),
		Counted: func(kind, result string) { p.metrics.notifications.WithLabelValues(kind, result).Inc() }, Every: tellEvery}
	if err := mgr.Add(manager.RunnableFunc(outbox.Run)); err != nil {
		return fmt.Errorf("prepare to tell people: %w", err)
	}
	api, err := kubernetes.NewForConfig(mgr.GetConfig())
	if err != nil {
		return fmt.Errorf("prepare to hear buttons: %w", err)
	}
	d := &desk{users: p.slackUsers, api: api, live: live, log: p.log, cases: cluster.Cases{Client: live, Now: time.Now}, now: time.Now}
	for _, ears := range config.Ears(p.logger.With("face", "notify")) {
		ears.Pressed = d.serve
		if err := mgr.Add(manager.RunnableFunc(func(ctx context.Context) error { return ears.Run(ctx) })); err != nil {
			return fmt.Errorf("prepare to hear buttons: %w", err)
		}
	}
	return nil
}
