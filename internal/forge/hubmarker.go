package forge

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/google/go-github/v60/github"
)

// marker is what is remembered of a pull request, in its own first line, where people do not see it.
type marker struct {
	Key       string `json:"key"`
	Value     string `json:"value"`
	Content   string `json:"content"` // of the files
	Commit    string `json:"commit"`
	Withdrawn bool   `json:"withdrawn,omitempty"` // closed by us, so that it is nobody's no
}

const markerOpen, markerClose = "<!-- moorgate-drift ", " -->"

// over puts the marker over a body, in place of one that is there.
func (m marker) over(body string) string {
	line, err := json.Marshal(m)
	if err != nil {
		return body // strings and a bool always are JSON
	}
	if strings.HasPrefix(body, markerOpen) {
		_, body, _ = strings.Cut(body, "\n")
	}
	return markerOpen + string(line) + markerClose + "\n" + body
}

// markerIn reads the marker of a body. Only its first line counts: nothing that a pull request quotes can be taken for it.
func markerIn(body string) (marker, bool) {
	line, _, _ := strings.Cut(body, "\n")
	line = strings.TrimSuffix(line, "\r") // GitHub's editor ends lines so
	inside, opens := strings.CutPrefix(line, markerOpen)
	inside, closes := strings.CutSuffix(inside, markerClose)
	var m marker
	if !opens || !closes || json.Unmarshal([]byte(inside), &m) != nil {
		return marker{}, false
	}
	return m, true
}

// trailer ends the message of a commit of ours. It names the commit's tree, so that who amends a commit of ours and keeps its message
// has made it their own.
func (p Proposal) trailer(tree string) string {
	return fmt.Sprintf("Moorgate-Key: %s\nMoorgate-Value: %s\nMoorgate-Tree: %s\n", p.Key, p.ValueHash, tree)
}

var trailers = regexp.MustCompile(`(?m)^Moorgate-Key: ([0-9a-f]{64})\nMoorgate-Value: [0-9a-f]{64}\nMoorgate-Tree: ([0-9a-f]{40})$`)

// madeFor reports whether a commit is one that was made for this key, and nobody changed since.
func madeFor(key string, c *github.Commit) bool {
	m := trailers.FindStringSubmatch(c.GetMessage())
	return m != nil && m[1] == key && m[2] == c.GetTree().GetSHA()
}
