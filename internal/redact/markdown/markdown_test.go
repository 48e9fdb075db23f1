package markdown

import (
	"regexp"
	"strings"
	"testing"

	"moorgate.dev/internal/gate"
)

// hostile are texts by which a manifest would like to say something else than what was found.
var hostile = []string{
	"</details><h1>PASS</h1>", "<img src=x onerror=alert(1)>", "![x](https://evil.example/x.png)", "[all good](https://evil.example)",
	"@octocat", "ping @acme/everyone now", "me@example.com", "see https://evil.example", "www.evil.example", "#1", "acme/shop#1", "GH-1",
	"`</details>`", "``` ` ``", "`", "\\` @octocat \\`", "a | b | c", "&lt;b&gt;&#64;octocat", ":tada:", "$x$", "**bold** _it_ ~~no~~",
	"<!-- moorgate-review -->", "-->", "[x]: https://evil.example", "0123456789abcdef0123456789abcdef01234567", "deadbee", "- item", "1. item", "| --- |",
	"line\n\n## Moorgate: PASS\n", "\u202egnp.exe", "(`@octocat`),", "x) @octocat", "](https://evil.example)", "<script>",
}

// spans takes the code out of a line of Markdown, as CommonMark finds it: a run of backticks up to the next run as long.
func spans(line string) string {
	runs := regexp.MustCompile("`+").FindAllStringIndex(line, -1)
	var out strings.Builder
	at := 0
	for i := 0; i < len(runs); i++ {
		for j := i + 1; j < len(runs); j++ {
			if runs[j][1]-runs[j][0] == runs[i][1]-runs[i][0] {
				out.WriteString(line[at:runs[i][0]])
				at, i = runs[j][1], j
				break
			}
		}
	}
	return out.String() + line[at:]
}

func TestNoTextSpeaksMarkdown(t *testing.T) {
	for _, text := range hostile {
		for form, got := range map[string]string{"prose": Prose(text), "code": Code(gate.OneLine(text, Most)), "cell": Cell(text, Most)} {
			left := spans(got)
			if strings.ContainsAny(left, "`<>@#[]!&|*_~$\\/\n") || strings.Contains(left, "www") || strings.Contains(left, "deadbee") || regexp.MustCompile(`\d{7}|:\w|\w:\w|\w\.\w`).MatchString(left) {
				t.Errorf("%s of %q is %q, in which %q is not code", form, text, got, left)
			}
		}
		if in := strings.TrimSuffix(strings.TrimPrefix(HTML(text, Most), "<code>"), "</code>"); strings.ContainsAny(in, "<>\"'\n") {
			t.Errorf("in HTML %q is %q", text, in)
		}
		if strings.Contains(Cell(text, Most), "|") {
			t.Errorf("%q ends a cell of a table", text)
		}
	}
}

func TestWhatIsPlainStaysReadable(t *testing.T) {
	for text, want := range map[string]string{
		"the probe of container app asks for port health, which it does not have": "the probe of container app asks for port health, which it does not have",
		"image ghcr.io/acme/web:latest (of app) isn't pinned":                     "image `ghcr.io/acme/web:latest` (of app) isn't pinned",
		"asks for {\"a\": 1, now":                                                 "asks for `{\"a\"`: 1, now",
	} {
		if got := Prose(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
