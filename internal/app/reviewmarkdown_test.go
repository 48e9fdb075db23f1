package app

import (
	"errors"
	"fmt"
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
