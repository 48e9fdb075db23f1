package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"slices"
	"strings"

	"github.com/slack-go/slack"
)

// slackURL is where Slack's Web API is.
const slackURL = "https://slack.com/api/"

// slackPost writes to a channel of Slack, and keeps a message about one Case up to date.
type slackPost struct {
	client  *http.Client
	to      string // the Web API
	token   string // a file
	channel string
	buttons bool
}

// Send posts or updates a message. Slack knows no message that it was sent before, so one that may be a repeat says so.
func (s *slackPost) Send(ctx context.Context, m Message) (Receipt, error) {
	token, err := secret(s.token)
	if err != nil {
		return Receipt{}, &Fault{Err: fmt.Errorf("read the token of Slack: %w", err), Clear: true}
	}
	api := slackClient(s.client, s.to, token)
	options := []slack.MsgOption{slack.MsgOptionText(harmless(m.Title()), false), slack.MsgOptionBlocks(blocks(m, s.buttons)...), slack.MsgOptionDisableMarkdown(),
		slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl(), slack.MsgOptionLinkNames(false)}
	if m.Update {
		channel, at, _ := strings.Cut(m.Earlier, "/")
		if _, _, _, err := api.UpdateMessageContext(ctx, channel, at, options...); err != nil {
			return Receipt{}, slackFault("update a message of Slack", err)
		}
		return Receipt{Message: m.Earlier}, nil
	}
	options = append(options, slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "moorgate", EventPayload: map[string]any{"id": m.ID}}))
	channel, at, err := api.PostMessageContext(ctx, s.channel, options...)
	if err != nil {
		return Receipt{}, slackFault("post to Slack", err)
	}
	if len(m.Cases) > 1 || channel == "" || at == "" {
		return Receipt{}, nil // one about many Cases stays as it is
	}
	return Receipt{Message: channel + "/" + at}, nil
}

func slackClient(client *http.Client, to, token string, more ...slack.Option) *slack.Client {
	return slack.New(token, append(more, slack.OptionHTTPClient(client), slack.OptionAPIURL(to), slack.OptionLog(log.New(io.Discard, "", 0)))...)
}

// What Slack answers that it will answer to the same request again, and after which it may have taken it.
var (
	slackFinal   = []string{"message_not_found", "cant_update_message", "edit_window_closed", "msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_blocks_format", "no_text"}
	slackUnclear = []string{"internal_error", "fatal_error", "request_timeout", "service_unavailable"}
)

// slackFault is what an error of Slack's library means.
func slackFault(what string, err error) error {
	f := &Fault{Err: fmt.Errorf("%s: %w", what, bare(err)), Clear: unsent(err)}
	var limited *slack.RateLimitedError
	var said slack.SlackErrorResponse
	var status slack.StatusCodeError
	switch {
	case errors.As(err, &limited):
		f.Clear, f.After = true, limited.RetryAfter
	case errors.As(err, &said):
		f.Final, f.Clear = slices.Contains(slackFinal, said.Err), !slices.Contains(slackUnclear, said.Err)
	case errors.As(err, &status):
		f.Clear = status.Code < 500
	}
	return f
}
