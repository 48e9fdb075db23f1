package injection

import (
	_ "embed" // for the channels
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"sigs.k8s.io/yaml"

	"moorgate.dev/internal/gate"
)

// Channel is a place in a cluster where somebody may write a text that Moorgate reads.
type Channel struct {
	Name    string     `json:"name"`
	Letters string     `json:"letters"`
	Most    int        `json:"most"` // bytes
	Trust   gate.Trust `json:"trust"`
	Named   bool       `json:"named"`
	Item    string     `json:"item"`
}

//go:embed channels.yaml
var channels []byte

// Channels are all channels.
func Channels() ([]Channel, error) {
	var all []Channel
	if err := yaml.UnmarshalStrict(channels, &all); err != nil {
		return nil, fmt.Errorf("read channels.yaml: %w", err)
	}
	for _, c := range all {
		if _, known := alphabets[c.Letters]; !known || c.Most < len("canary-abcdefgh")+shortest || strings.Count(c.Item, "%s") != 1 || c.Trust == "" {
			return nil, fmt.Errorf("read channels.yaml: %q makes no sense", c.Name)
		}
	}
	return all, nil
}

// alphabets say what may not stand in a channel.
var alphabets = map[string]*regexp.Regexp{
	"text":      regexp.MustCompile(`\x00`),
	"line":      regexp.MustCompile(`[\x00\r\n]+`),
	"label":     regexp.MustCompile(`[^A-Za-z0-9._-]+`),
	"image-tag": regexp.MustCompile(`[^A-Za-z0-9._-]+`),
	"dns-label": regexp.MustCompile(`[^a-z0-9-]+`),
}

// shortest is how many bytes of a payload have to be left beside its canary for the rest to say something.
const shortest = 12

// How a payload got into a channel.
const (
	Whole    = "as it is"
	Reworded = "squeezed into what may stand there"
	Skipped  = "nothing that says something can stand there"
)

// Fit is a payload as it can stand in a channel, and how it got there. A Skipped one has no text.
func (c Channel) Fit(p Payload, boundary string) (text, how string) {
	whole := p.Text(boundary)
	text = whole
	if c.Letters == "dns-label" {
		text = strings.ToLower(text)
	}
	bad, instead := alphabets[c.Letters], "-"
	if c.Letters == "line" || c.Letters == "text" {
		instead = " "
	}
	text = bad.ReplaceAllString(text, instead)
	if strings.ToValidUTF8(text, "") == whole && len(whole) <= c.Most && c.ends(whole) == whole {
		return whole, Whole
	}
	if len(text) > c.Most || !strings.Contains(text, p.Canary) {
		rest := strings.ReplaceAll(text, p.Canary, "")
		text = clip(rest, c.Most-len(p.Canary)-1) + instead + p.Canary
	}
	text = c.ends(text)
	rest := strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || r == '_' || r == ' ' {
			return -1
		}
		return r
	}, strings.ReplaceAll(text, p.Canary, ""))
	if len(rest) < shortest || len(text) > c.Most || !strings.Contains(text, p.Canary) {
		return "", Skipped
	}
	return text, Reworded
}

// ends takes away what may not begin or end a name.
func (c Channel) ends(s string) string {
	if c.Letters == "text" || c.Letters == "line" {
		return s
	}
	return strings.Trim(s, "-._")
}

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	s = s[:max(most, 0)]
	for len(s) > 0 && !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}
