package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"moorgate.dev/internal/gate"
)

// The law: a button holds something up, or shows a command. What comes back from Slack is who pressed what, and no more of it is believed:
// whether they may, and whether there is such a Case and plan, is for whoever serves the Press.

const (
	actionReject  = "moorgate-reject"
	actionSnooze  = "moorgate-snooze-" // and for how long
	actionApprove = "moorgate-approve" // shows how

	pressTime  = 2500 * time.Millisecond // Slack waits for three seconds
	earsRest   = 30 * time.Second        // after a connection that could not be made for good
	earsMost   = 1 << 20                 // bytes of one message from Slack
	pressWords = 600                     // bytes of what is answered to who pressed
)

// The kinds of Press: a closed list.
const (
	PressReject  = "reject"
	PressSnooze  = "snooze"
	PressApprove = "approve"
)

// Press is that somebody pressed a button.
type Press struct {
	Team, User string // ids of Slack
	Kind       string
	Case       string        // NAMESPACE/NAME, as the message says
	Plan       string        // the digest of the plan that the message is about; may be empty
	For        time.Duration // of a snooze
}

// Ears hear the buttons of one app of Slack, over a connection that it makes itself: nothing has to be reached from outside.
type Ears struct {
	client   *http.Client
	to       string // the Web API
	app, bot string // files with tokens
	channels []string
	Pressed  func(ctx context.Context, p Press) (answer string)
	Logger   *slog.Logger
}

// Run hears until ctx ends.
func (e *Ears) Run(ctx context.Context) error {
	for {
		err := e.connect(ctx)
		if ctx.Err() != nil {
			return nil
		}
		e.Logger.Warn("the buttons in Slack are not heard; it is tried again", "error", gate.OneLine(fmt.Sprint(err), 512))
		rest := time.NewTimer(earsRest)
		select {
		case <-ctx.Done():
			rest.Stop()
			return nil
		case <-rest.C:
		}
	}
}

// connect hears until the connection is gone for good.
func (e *Ears) connect(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	app, err := secret(e.app)
	if err != nil {
		return err
	}
	bot, err := secret(e.bot)
	if err != nil {
		return err
	}
	api := slackClient(e.client, e.to, bot, slack.OptionAppLevelToken(app))
	mode := socketmode.New(api, socketmode.OptionDialer(dialer()), socketmode.OptionReadLimit(earsMost), socketmode.OptionLog(log.New(io.Discard, "", 0)))
	ended := make(chan error, 1)
	go func() { ended <- mode.RunContext(ctx) }()
	for {
		select {
		case err := <-ended:
			return err
		case event := <-mode.Events:
			switch event.Type {
			case socketmode.EventTypeConnectionError:
				e.Logger.Warn("the buttons in Slack are not heard: no connection")
			case socketmode.EventTypeInteractive:
				e.hear(ctx, mode, api, event)
			}
		}
	}
}

// hear serves one press. It is acknowledged once it is served, so that Slack shows who pressed where nobody did.
func (e *Ears) hear(ctx context.Context, mode *socketmode.Client, api *slack.Client, event socketmode.Event) {
	if event.Request == nil {
		return
	}
	call, ok := event.Data.(slack.InteractionCallback)
	var press Press
	if ok {
		press, ok = e.press(call)
	}
	answer := ""
	if ok {
		serving, cancel := context.WithTimeout(ctx, pressTime)
		answer = e.Pressed(serving, press)
		cancel()
	}
	if err := mode.AckCtx(ctx, event.Request.EnvelopeID, nil); err != nil {
		e.Logger.Warn("a press in Slack could not be acknowledged", "error", gate.OneLine(err.Error(), 512))
	}
	if answer == "" {
		return
	}
	text := end(harmless(answer), pressWords)
	_, err := api.PostEphemeralContext(ctx, call.Channel.ID, call.User.ID, slack.MsgOptionText(text, false), slack.MsgOptionBlocks(slack.NewSectionBlock(plain(text), nil, nil)), slack.MsgOptionDisableMarkdown())
	if err != nil {
		e.Logger.Warn("who pressed in Slack could not be answered", "error", gate.OneLine(err.Error(), 512))
	}
}

var (
	caseName   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?/[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)
	planDigest = regexp.MustCompile(`^(sha256:[0-9a-f]{64})?$`)
	slackID    = regexp.MustCompile(`^[A-Z0-9]{3,32}$`)
)

// press reads what was pressed. What is not one of our buttons in one of our channels is nothing.
func (e *Ears) press(call slack.InteractionCallback) (Press, bool) {
	pressed := call.ActionCallback.BlockActions
	if call.Type != slack.InteractionTypeBlockActions || len(pressed) != 1 || pressed[0] == nil || !slices.Contains(e.channels, call.Channel.ID) {
		return Press{}, false
	}
	of, plan, _ := strings.Cut(pressed[0].Value, " ")
	p := Press{Team: call.Team.ID, User: call.User.ID, Case: of, Plan: plan}
	if call.User.TeamID != "" {
		p.Team = call.User.TeamID // who presses in a shared channel may be of another company
	}
	if !caseName.MatchString(of) || !planDigest.MatchString(plan) || !slackID.MatchString(p.User) || !slackID.MatchString(p.Team) {
		return Press{}, false
	}
	switch id := pressed[0].ActionID; id {
	case actionReject:
		p.Kind = PressReject
	case actionApprove:
		p.Kind = PressApprove
	case actionSnooze + "1h":
		p.Kind, p.For = PressSnooze, time.Hour
	case actionSnooze + "8h":
		p.Kind, p.For = PressSnooze, 8*time.Hour
	default:
		return Press{}, false
	}
	return p, true
}

// dialer connects over TLS, and without only to what is near. No environment variable says otherwise.
func dialer() *websocket.Dialer {
	secure := tls.Dialer{NetDialer: &net.Dialer{Timeout: postTimeout}, Config: &tls.Config{MinVersion: tls.VersionTLS12}}
	return &websocket.Dialer{HandshakeTimeout: 2 * postTimeout, WriteBufferSize: 32 << 10, NetDialTLSContext: secure.DialContext,
		NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, _, err := net.SplitHostPort(address)
			if err != nil || !near(host) {
				return nil, errors.New("the address that Slack names is without TLS and not near")
			}
			return secure.NetDialer.DialContext(ctx, network, address)
		}}
}
