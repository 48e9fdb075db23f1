package prompts

import (
	"embed"
	"fmt"
	"strings"

	"moorgate.dev/internal/gate"
)

// A file that was released never changes: a change of words is a new version, with a new file.
//
//go:embed *.md answer.schema.json
var files embed.FS

// sheet is what a question of a face is asked with.
type sheet struct {
	name   string // with its version
	rules  string
	scored string // what the score is of, in words
}

var sheets = map[gate.Face]sheet{
	gate.FaceWebhook:   {"readiness@1", "rules@1", "the rollout"},
	gate.FaceDrift:     {"intent@1", "rules@1", "the action chosen first"},
	gate.FaceRemediate: {"incident@1", "rules@1", "the action chosen first"},
}

// system is the static part of a question: the same bytes for the same face and terms.
func (s sheet) system(t Terms) (string, error) {
	body, err := files.ReadFile(s.name + ".md")
	if err != nil {
		return "", fmt.Errorf("read prompt %s: %w", s.name, err)
	}
	rules, err := files.ReadFile(s.rules + ".md")
	if err != nil {
		return "", fmt.Errorf("read the rules of prompt %s: %w", s.name, err)
	}
	text := strings.Replace(string(body), "{{rules}}", strings.TrimSpace(string(rules)), 1)
	return strings.NewReplacer("{{causes}}", causeList(t.Causes), "{{claims}}", claimList(t.Claims), "{{scored}}", s.scored).Replace(text), nil
}

func causeList(causes []Cause) string {
	if len(causes) == 0 {
		return "This question has no causes: `cause` is `\"\"`."
	}
	lines := make([]string, len(causes))
	for i, c := range causes {
		lines[i] = fmt.Sprintf("- `%s`: %s", c.ID, c.Title)
		if c.Text != "" {
			lines[i] += ". " + c.Text
		}
	}
	return strings.Join(lines, "\n")
}

func claimList(kinds []string) string {
	if len(kinds) == 0 {
		return "There are none: `claim` is always `null`."
	}
	return "`" + strings.Join(kinds, "`, `") + "`"
}
