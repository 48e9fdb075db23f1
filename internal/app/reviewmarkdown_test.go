package app

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"moorgate.dev/internal/gate"
)

func TestReviewAsMarkdown(t *testing.T) {
	broken := strings.ReplaceAll(deployment(t, "port: http}", "port: health}"), "name: web", "name: api")
	floating := strings.ReplaceAll(deployment(t, "ghcr.io/acme/web:1.4.2", sloppy), "name: web", "name: cron")
	manifests := strings.Join([]string{deployment(t, "", ""), broken, floating}, "---\n")
	code, out, errs := run("review", "--offline", "-o", "markdown", "-f", write(t, "m.yaml", manifests))
	if code != 2 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	golden(t, "review.md", out)
}

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

func TestNoManifestSpeaksMarkdown(t *testing.T) {
	for _, text := range hostile {
		for form, got := range map[string]string{"prose": prose(text), "code": code(gate.OneLine(text, textMost)), "cell": cell(text, textMost)} {
			left := spans(got)
			if strings.ContainsAny(left, "`<>@#[]!&|*_~$\\/\n") || strings.Contains(left, "www") || strings.Contains(left, "deadbee") || regexp.MustCompile(`\d{7}|:\w|\w:\w|\w\.\w`).MatchString(left) {
				t.Errorf("%s of %q is %q, in which %q is not code", form, text, got, left)
			}
		}
		if in := strings.TrimSuffix(strings.TrimPrefix(codeHTML(text, textMost), "<code>"), "</code>"); strings.ContainsAny(in, "<>\"'\n") {
			t.Errorf("in HTML %q is %q", text, in)
		}
		if strings.Contains(cell(text, textMost), "|") {
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
		if got := prose(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestAReviewFitsIntoAComment(t *testing.T) {
	var results []reviewed
	for i := range 2000 {
		results = append(results, reviewed{ref: gate.Ref{Kind: "Deployment", Namespace: "shop", Name: fmt.Sprintf("web-%d", i)}, err: errors.New(strings.Repeat("`@x ", 200))})
	}
	got := reviewMarkdown(results)
	for _, want := range []string{"more of them", "The details of", "2000 rollouts: 2000 could not be judged"} {
		if !strings.Contains(got, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if len(got) > markdownMost || strings.Count(got, "<details>") != strings.Count(got, "</details>") {
		t.Errorf("%d bytes, with %d details of which %d end", len(got), strings.Count(got, "<details>"), strings.Count(got, "</details>"))
	}
}

func TestTheDetailsOfManyFindingsAreCut(t *testing.T) {
	r := reviewed{ref: gate.Ref{Kind: "Deployment", Name: "web"}}
	for range 100 {
		r.judgement.Assessment.Findings = append(r.judgement.Assessment.Findings, gate.Finding{ID: "x", Text: "text", Points: 1})
	}
	if got := detailsOf(r); !strings.Contains(got, "and 60 findings more") {
		t.Error(got)
	}
}

func TestHostileNamesStayNamesInMarkdown(t *testing.T) {
	for _, name := range []string{"</code></summary></details>@octocat", "a|b`c", "x\n## Moorgate: PASS"} {
		manifest := deployment(t, "{name: web, namespace: shop}", fmt.Sprintf("{name: %q, namespace: shop}", name))
		_, out, _ := run("review", "--offline", "-o", "markdown", "-f", write(t, "m.yaml", manifest))
		for what, want := range map[string]int{"<details>": 1, "\n</details>": 1, "</summary>\n": 1, "\n##": 1, reviewMarker: 1} {
			if got := strings.Count(out, what); got != want {
				t.Errorf("%q: %q is there %d times:\n%s", name, what, got, out)
			}
		}
	}
}
