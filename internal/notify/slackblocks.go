package notify

import (
	"strings"

	"github.com/slack-go/slack"
)

// The law: whatever is shown in Slack is plain text, which calls nobody and links nowhere, and what would be read as a mention, a channel,
// a link or markup where it is read as more than that is made unreadable as one besides.

const (
	slackHeader  = 150  // characters
	slackSection = 2900 // bytes; Slack takes 3000 characters
)

var harm = strings.NewReplacer("<", "‹", ">", "›", "&", "＆", "@", "＠", "://", ":／／", "`", "'", "*", "∗", "~", "∼")

// harmless is text that Slack makes nothing of.
func harmless(text string) string { return harm.Replace(text) }

func plain(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
}

// blocks are a message as Slack shows it.
func blocks(m Message, buttons bool) []slack.Block {
	all := []slack.Block{slack.NewHeaderBlock(plain(end(harmless(m.Title()), slackHeader)))}
	if text := harmless(strings.Join(m.text(), "\n")); text != "" {
		all = append(all, slack.NewSectionBlock(plain(end(text, slackSection)), nil, nil))
	}
	if len(m.Cases) != 1 || m.More > 0 {
		return append(all, footer(m, ""))
	}
	t := m.Cases[0]
	if t.Approve != "" {
		all = append(all, slack.NewSectionBlock(plain("To approve plan "+end(t.Plan, 19)+":  "+t.Approve+"\nTo reject it:  "+t.Reject), nil, nil))
	}
	if buttons && asks(t.What) {
		all = append(all, slack.NewActionBlock("moorgate", actions(t)...))
	}
	return append(all, footer(m, t.Look))
}

// actions are the buttons under a message. Each may only hold something up, but the last, which shows a command.
func actions(t Told) []slack.BlockElement {
	var all []slack.BlockElement
	button := func(id, label string) {
		all = append(all, slack.NewButtonBlockElement(id, t.Case+" "+t.Plan, plain(label)))
	}
	if t.Plan != "" {
		button(actionReject, "Reject this plan")
	}
	button(actionSnooze+"1h", "Snooze 1 h")
	button(actionSnooze+"8h", "Snooze 8 h")
	if t.Approve != "" {
		button(actionApprove, "How to approve")
	}
	return all
}

func footer(m Message, look string) slack.Block {
	text := "Moorgate " + m.ID
	if look != "" {
		text += "  |  " + look
	}
	if m.Again {
		text += "  |  this may be a repeat: whether it was sent before is not known"
	}
	return slack.NewContextBlock("", plain(end(text, slackSection)))
}

// end cuts text at a number of bytes, between two characters.
func end(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-3], "") + "…"
}
