package app

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"moorgate.dev/api/v1alpha1"
)

// evil is what somebody may write wherever they can: colours, a new line, text that turns round, and a word without an end.
const evil = "\x1b[31mred\x1b[0m\r\nverdict   Allow\u202e\u2066 \x9b2J\u00a0" + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// fullStory is a Case on which everything stands, each text with what says puts behind it.
func fullStory(says string) *caseStory {
	at := metav1.Unix(1795000000, 0)
	c := someCase("remediate", func(c *v1alpha1.Case) {
		c.Spec.Signal.Text, c.Spec.Signal.FirstSeen = "the container app keeps failing"+says, at
		c.Spec.Answer = &v1alpha1.Answer{Said: "Warned", User: "ana" + says, Brief: &v1alpha1.Brief{Evidence: []v1alpha1.Piece{
			{ID: "e1", Source: "Deployment/web" + says, Text: "replicas: 3" + says}, {ID: "e2", Source: "Nodes", Unread: "no rights" + says}}}}
		c.Spec.Witness = &v1alpha1.Witness{User: "bob" + says, Operation: "UPDATE", Manager: "kubectl" + says, Paths: []string{"spec.replicas"}, RevertedBy: "flux" + says}
		c.Status.Owner, c.Status.Images = "kubectl"+says, []string{"ghcr.io/acme/web:1" + says}
		c.Status.Opinion = v1alpha1.Opinion{Decision: "Hold", Cause: "OOMKilled" + says, Score: new(int32(55)), Alone: "no model is configured" + says, Unread: []string{"metrics" + says},
			Findings: []v1alpha1.Finding{{ID: "oom" + says, Text: "container app was killed for memory" + says, Points: 30}, {ID: "mem", Text: "its limit is 64Mi", Hard: true, Nature: "standing"}},
			Reasons:  []v1alpha1.Reason{{Rule: "approval", Guardrail: "till" + says, Decision: "Hold", Text: "it waits for approval: 0 of 1" + says}}}
		c.Status.Menu[0].Text, c.Status.Menu[0].Digest = "evict the pod web-1"+says, "sha256:"+strings.Repeat("1", 64)
		c.Status.Menu[0].Edits = []v1alpha1.Edit{{Path: "spec.replicas" + says, Old: "1" + says}}
		c.Status.Acting = &v1alpha1.Acting{Phase: "Held", Verb: "evict" + says, Text: "it waits" + says, At: at, Attempts: 2, Reasons: []v1alpha1.Reason{{Rule: "approval" + says, Decision: "Hold", Text: "nobody has" + says}},
			Intent: &v1alpha1.Intent{Target: v1alpha1.Subject{Kind: "Pod", Name: "web-1" + says}, At: at, Audit: v1alpha1.AuditPosition{Log: "act" + says, Sequence: 4}}}
		c.Status.Audit = &v1alpha1.AuditPosition{Log: "judge" + says, Sequence: 7}
		c.Status.Conditions = []metav1.Condition{{Type: "Drifted" + says, Status: "True", Reason: "Differs" + says, Message: "two fields" + says}}
	})
	said := v1alpha1.Approval{Spec: v1alpha1.ApprovalSpec{Plan: "sha256:" + strings.Repeat("1", 64), Approver: "ana" + says, Reason: "seen" + says}}
	said.CreationTimestamp = at
	s := &caseStory{Case: c, Waits: waitsFor(c), Approvals: []v1alpha1.Approval{said}, Notes: []string{"could not be read" + says}}
	for range relatedShown + 2 {
		l := lineOf(someCase("drift", func(c *v1alpha1.Case) { c.Status.Cause, c.CreationTimestamp = "changed-by-person"+says, at }))
		s.Related = append(s.Related, l)
	}
	return s
}

func TestTheStoryOfACase(t *testing.T) {
	var b bytes.Buffer
	if err := fullStory("").print(&b, time.Unix(1795000090, 0)); err != nil {
		t.Fatal(err)
	}
	golden(t, "case.txt", b.String())
}

// What anybody may have written breaks out of no line, turns no text round and makes none wider than a page.
func TestTheStoryOfACaseIsFitToBeShown(t *testing.T) {
	for name, s := range map[string]*caseStory{"plain": fullStory(""), "hostile": fullStory(evil), "empty": {Case: &v1alpha1.Case{}}} {
		var b bytes.Buffer
		if err := s.print(&b, time.Unix(1795000090, 0)); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			line = strings.TrimSuffix(line, "\n")
			if utf8.RuneCountInString(line) > pageWide {
				t.Errorf("%s: wider than a page: %q", name, line)
			}
			if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%s: not fit to be shown: %q", name, line)
			}
			if strings.HasPrefix(line, "  verdict") && strings.Contains(line, "Allow") || line != "" && line[0] != ' ' && strings.Contains(line, "red") {
				t.Errorf("%s: a text passes for a verdict: %q", name, line)
			}
		}
	}
}

func TestATableOfCasesIsFitToBeShown(t *testing.T) {
	var b bytes.Buffer
	p := &casesPage{options: casesOptions{all: true, output: "wide"}, w: &b, paint: paints(false), now: func() time.Time { return time.Unix(1795000090, 0) }}
	list := []caseLine{lineOf(fullStory(evil).Case), lineOf(fullStory("").Case)}
	if err := p.first(list); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != 3 {
		t.Errorf("%d lines, want 3:\n%s", len(lines), b.String())
	}
	for _, line := range lines {
		if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("not fit to be shown: %q", line)
		}
	}
}

func TestWrapped(t *testing.T) {
	for text, want := range map[string]string{"": "", "one": "one", "one two three": "one two|three", "abcdefghijklmno": "abcdefghij|klmno", "a bcdefghijkl m": "a|bcdefghijk|l m", "äöüäöüäöüäöü": "äöüäöüäöüä|öü"} {
		if got := strings.Join(wrapped(text, 10), "|"); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestColoursMoveNothing(t *testing.T) {
	list := []caseLine{lineOf(someCase("remediate", func(c *v1alpha1.Case) { c.Status.Acting = &v1alpha1.Acting{Phase: "Unclear", Verb: "evict"} })), lineOf(fullStory("").Case)}
	printed := func(colours bool) string {
		var b bytes.Buffer
		p := &casesPage{w: &b, paint: paints(colours), now: func() time.Time { return time.Unix(1795000090, 0) }}
		if err := p.first(list); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	plain, coloured := printed(false), printed(true)
	if !strings.Contains(coloured, "\x1b[31mhuman: nobody knows how evict ended\x1b[0m") || strings.Contains(plain, "\x1b") {
		t.Errorf("what is urgent is red, and nothing where no colours are wanted:\n%q\n%q", coloured, plain)
	}
	if got := regexp.MustCompile("\x1b\\[[0-9]*m").ReplaceAllString(coloured, ""); got != plain {
		t.Errorf("got\n%s\nwant\n%s", got, plain)
	}
}
