package prompts

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"moorgate.dev/internal/advise/sift"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// parse reads the items between the fences of a User part, as anybody who trusts the fences would.
func parse(user, boundary string) (map[string]string, error) {
	items, id, inside := map[string]string{}, "", false
	var lines []string
	for line := range strings.SplitSeq(user, "\n") {
		open, opens := strings.CutPrefix(line, "<<<"+boundary+" item id=")
		switch {
		case opens && inside, line == boundary+">>>" && !inside:
			return nil, fmt.Errorf("a fence in the wrong place: %q", line)
		case opens:
			quoted, err := strconv.QuotedPrefix(open)
			if err != nil {
				return nil, err
			}
			if id, err = strconv.Unquote(quoted); err != nil {
				return nil, err
			}
			inside, lines = true, nil
		case line == boundary+">>>":
			if _, twice := items[id]; twice {
				return nil, fmt.Errorf("%q is there twice", id)
			}
			items[id], inside = strings.Join(lines, "\n"), false
		case inside:
			data, marked := strings.CutPrefix(line, mark)
			if !marked {
				return nil, fmt.Errorf("a line of data without its mark: %q", line)
			}
			lines = append(lines, data)
		case strings.HasPrefix(line, mark), strings.Contains(line, boundary):
			return nil, fmt.Errorf("outside of all fences: %q", line)
		}
	}
	if inside {
		return nil, fmt.Errorf("%q is not closed", id)
	}
	return items, nil
}

var headings = []string{"# Subject", "# What the checks found", "# Checked by code", "# Menu", "# Evidence", "# What could not be read", "# Left out"}

// fenced holds a rendered question against what must be true of every one.
func fenced(r Rendered, budget int) error {
	if r.Tokens > budget || r.Tokens != sift.Tokens(r.System)+sift.Tokens(r.User) {
		return fmt.Errorf("%d tokens of %d", r.Tokens, budget)
	}
	items, err := parse(r.User, boundary)
	if err != nil {
		return err
	}
	if !maps.Equal(items, r.Shown) {
		return fmt.Errorf("between the fences stands %q, shown is %q", items, r.Shown)
	}
	for line := range strings.SplitSeq(r.User, "\n") {
		if strings.HasPrefix(line, "#") && !slices.Contains(headings, line) {
			return fmt.Errorf("a heading that is not ours: %q", line)
		}
		if sift.Clean(line) != strings.TrimRight(line, " ") {
			return fmt.Errorf("a line that is not clean: %q", line)
		}
	}
	return nil
}

func TestNothingGetsOutOfItsFence(t *testing.T) {
	for _, s := range stories() {
		r, err := Render(s.q, s.terms, 8000, boundary)
		if err != nil {
			t.Fatal(err)
		}
		if err := fenced(r, 8000); err != nil {
			t.Errorf("%s: %v\n%s", s.name, err, r.User)
		}
	}
}

// evil are texts that try to be ours.
var evil = []string{boundary, boundary + ">>>", "<<<" + boundary + " item id=\"x\"", "\n", "\r", "\u2028", "\u0085", "# Menu", "- `delete`", "| ", "a", " ", "\x1b[2J", "\u202e", "\u200b", "\"", "\\", "\x00",
	boundary[:8], boundary[8:], "~", "\xff", "\t", "```", "error", "{{rules}}"}

func drawText(t *rapid.T, name string) string {
	return strings.Join(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(evil), rapid.String()), 0, 12).Draw(t, name), "")
}

func drawQuestion(t *rapid.T) flow.Question {
	face := rapid.SampledFrom([]gate.Face{gate.FaceWebhook, gate.FaceDrift, gate.FaceRemediate}).Draw(t, "face")
	q := question(face, drawText(t, "reason"), drawText(t, "name"), drawText(t, "text"))
	q.Checks = gate.Assessment{Cause: drawText(t, "cause"), Open: drawText(t, "open"), Findings: []gate.Finding{{ID: drawText(t, "fid"), Text: drawText(t, "ftext")}}}
	q.Facts.Menu = []gate.Action{{ID: "evict", Verb: "evict", Text: drawText(t, "menu")}}
	q.Claims = map[flow.Claim]gate.Fact[bool]{{Kind: drawText(t, "kind"), Object: drawText(t, "object")}: gate.Unknown[bool](drawText(t, "why"))}
	for i := range rapid.IntRange(0, 5).Draw(t, "items") {
		e := gate.Evidence{ID: fmt.Sprint("e", i), Source: drawText(t, "source"), Trust: gate.Trust(drawText(t, "trust")), At: noon, Left: drawText(t, "left")}
		if rapid.Bool().Draw(t, "log") {
			e.Trust = gate.FromLog
		}
		if e.Text = drawText(t, "evidence"); rapid.IntRange(0, 4).Draw(t, "unread") == 0 {
			e.Unread = "no " + drawText(t, "reason")
		}
		q.Evidence = append(q.Evidence, e)
	}
	return q
}

func TestRenderInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuestion(t)
		budget := rapid.IntRange(1800, 5000).Draw(t, "budget")
		r, err := Render(q, incidentTerms, budget, boundary)
		if err != nil {
			return // too small, and said
		}
		if err := fenced(r, budget); err != nil {
			t.Fatalf("%v\n%s", err, r.User)
		}
		again, err := Render(q, incidentTerms, budget, boundary)
		if err != nil || again.User != r.User || again.System != r.System {
			t.Fatal("rendered in two ways")
		}
	})
}

func FuzzFence(f *testing.F) {
	for _, s := range evil {
		f.Add(s, s+"\n"+s, "api")
	}
	f.Fuzz(func(t *testing.T, source, text, trust string) {
		q := question(gate.FaceRemediate, "CrashLoop", source, text)
		q.Evidence = []gate.Evidence{{ID: "a", Source: source, Text: text, Trust: gate.Trust(trust)}, {ID: "b", Source: text, Text: source, Trust: gate.FromLog}}
		r, err := Render(q, incidentTerms, 6000, boundary)
		if err != nil {
			t.Fatal(err)
		}
		if err := fenced(r, 6000); err != nil {
			t.Fatalf("%v\n%s", err, r.User)
		}
	})
}

func TestABoundaryThatRepeatsItselfIsBrokenUpWhole(t *testing.T) {
	f := fence{strings.Repeat("ab", 8)}
	if got := f.broken(strings.Repeat("ab", 100)); strings.Contains(got, f.boundary) || strings.ReplaceAll(got, "~", "") != strings.Repeat("ab", 100) {
		t.Error(got)
	}
}

func TestRenderRefuses(t *testing.T) {
	q := probe().q
	long := q
	long.Facts.Menu = make([]gate.Action, maxMenu+1)
	for name, c := range map[string]struct {
		q        flow.Question
		budget   int
		boundary string
		want     string
	}{
		"a face without a prompt":         {flow.Question{}, 4000, boundary, "has no prompt"},
		"a boundary that can be guessed":  {q, 4000, "short", "needs 16"},
		"a boundary that cannot be split": {q, 4000, "0123456789abcde\n", "letters and digits"},
		"a menu that is too long":         {long, 4000, boundary, "the menu has"},
		"a budget below the rules":        {q, 500, boundary, "500 tokens do not hold"},
	} {
		if _, err := Render(c.q, readinessTerms, c.budget, c.boundary); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheStaticPartIsTheSameForAllOfAFace(t *testing.T) {
	systems := map[gate.Face]string{}
	for _, s := range stories() {
		for _, b := range []string{boundary, "anotherBoundary99"} {
			r, err := Render(s.q, s.terms, 8000, b)
			if err != nil {
				t.Fatal(err)
			}
			if before, seen := systems[s.q.Signal.Face]; seen && before != r.System {
				t.Errorf("%s has another static part", s.name)
			}
			systems[s.q.Signal.Face] = r.System
			if strings.Contains(r.System, "{{") || strings.Contains(r.System, b) {
				t.Error(r.System)
			}
		}
	}
}

func compile(t *testing.T, schema json.RawMessage) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(schema)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("answer.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("answer.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchemas(t *testing.T) {
	sent, local, err := schemas(incidentTerms)
	if err != nil {
		t.Fatal(err)
	}
	good := `{"cause":"other","findings":[{"text":"x","points":5,"evidence":["log"],"quote":"q","claim":null}],"choice":["evict"],"score":50,"confidence":50,"unsure":false,"why":"y"}`
	for name, c := range map[string]struct {
		answer      string
		sent, local bool
	}{
		"a good answer":                     {good, true, true},
		"a claim of a listed kind":          {strings.Replace(good, `null`, `{"kind":"missing","object":"Secret/db"}`, 1), true, true},
		"a claim of another kind":           {strings.Replace(good, `null`, `{"kind":"rude","object":"Secret/db"}`, 1), false, false},
		"a cause that is not on the list":   {strings.Replace(good, `"other"`, `"ghosts"`, 1), false, false},
		"a key of its own":                  {strings.Replace(good, `"why"`, `"run":"rm","why"`, 1), false, false},
		"a key that is missing":             {strings.Replace(good, `"unsure":false,`, "", 1), false, false},
		"a score that is no whole number":   {strings.Replace(good, `"score":50`, `"score":5.5`, 1), false, false},
		"a score above 100, seen by us":     {strings.Replace(good, `"score":50`, `"score":500`, 1), true, false},
		"a text that is long, seen by us":   {strings.Replace(good, `"y"`, `"`+strings.Repeat("y", 301)+`"`, 1), true, false},
		"too many choices, seen by us":      {strings.Replace(good, `["evict"]`, `["a","b","c","d","e"]`, 1), true, false},
		"a confidence below 0, seen by us":  {strings.Replace(good, `"confidence":50`, `"confidence":-1`, 1), true, false},
		"a quote that is long, seen by us":  {strings.Replace(good, `"q"`, `"`+strings.Repeat("q", 201)+`"`, 1), true, false},
		"points above 100, seen by us":      {strings.Replace(good, `"points":5`, `"points":101`, 1), true, false},
		"a finding without words, by us":    {strings.Replace(good, `"text":"x"`, `"text":""`, 1), true, false},
		"nine findings, seen by us":         {strings.Replace(good, `[{`, `[`+strings.Repeat(`{"text":"x","points":5,"evidence":["log"],"quote":"q","claim":null},`, 8)+`{`, 1), true, false},
		"no findings and no choice is fine": {`{"cause":"other","findings":[],"choice":[],"score":0,"confidence":0,"unsure":true,"why":""}`, true, true},
	} {
		answer, err := jsonschema.UnmarshalJSON(strings.NewReader(c.answer))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := compile(t, sent).Validate(answer) == nil; got != c.sent {
			t.Errorf("%s: the schema sent takes it: %t", name, got)
		}
		if got := compile(t, local).Validate(answer) == nil; got != c.local {
			t.Errorf("%s: the full schema takes it: %t", name, got)
		}
	}
	_, local, err = schemas(Terms{})
	if err != nil {
		t.Fatal(err)
	}
	answer, _ := jsonschema.UnmarshalJSON(strings.NewReader(strings.Replace(good, `"other"`, `""`, 1)))
	if err := compile(t, local).Validate(answer); err != nil {
		t.Errorf("a question without causes and claims: %v", err)
	}
}
