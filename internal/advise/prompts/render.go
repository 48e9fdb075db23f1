package prompts

import (
	"fmt"
	"slices"
	"strings"

	"moorgate.dev/internal/advise/sift"
	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

const (
	idMax       = 128 // bytes of an id
	lineMax     = 120 // bytes of a name or a reason
	textMax     = 300 // bytes of a sentence of ours that may hold names
	maxMenu     = 32
	maxFindings = 12
	maxLeft     = 12
	framing     = 200 // tokens of headings and of what is said to be left out, at first; corrected where it is more
)

// claimsTried are how many statements are shown, as many as there is room for.
var claimsTried = []int{60, 20, 5, 0}

// Render puts a question into words that cost at most budget tokens by the estimate of sift.Tokens. The boundary fences what others
// wrote: letters and digits, at least 16, and unguessable, so made anew for every call. An error says that the face has no prompt,
// that the boundary is not fit, that the menu is too long, or that the budget does not even hold what is never left out: the rules,
// the subject and the menu.
func Render(q flow.Question, t Terms, budget int, boundary string) (Rendered, error) {
	s, ok := sheets[q.Signal.Face]
	if !ok {
		return Rendered{}, fmt.Errorf("render a question: face %q has no prompt", q.Signal.Face)
	}
	if err := checkBoundary(boundary); err != nil {
		return Rendered{}, err
	}
	if len(q.Facts.Menu) > maxMenu {
		return Rendered{}, fmt.Errorf("render a question: the menu has %d items, and a prompt holds %d", len(q.Facts.Menu), maxMenu)
	}
	r := Rendered{Name: s.name}
	var err error
	if r.System, err = s.system(t); err != nil {
		return Rendered{}, err
	}
	if r.Schema, r.Local, err = schemas(t); err != nil {
		return Rendered{}, err
	}
	room := budget - sift.Tokens(r.System)
	w := wording{q: q, fence: fence{boundary}}
	for _, claims := range claimsTried {
		if w.write(claims, room) {
			r.User, r.Shown, r.Left = w.user, w.shown, w.left
			r.Tokens = sift.Tokens(r.System) + sift.Tokens(r.User)
			return r, nil
		}
	}
	return Rendered{}, fmt.Errorf("render a question: %d tokens do not hold the rules, the subject and the menu, which take %d", budget,
		sift.Tokens(r.System)+sift.Tokens(w.fixed(0)))
}

// wording is the particular part of one question.
type wording struct {
	q     flow.Question
	fence fence
	user  string
	shown map[string]string
	left  []string
}

// write fills in the words in at most room tokens, with as much evidence as that holds; false where it holds not even the rest.
func (w *wording) write(claims, room int) bool {
	fixed := w.fixed(claims)
	if sift.Tokens(fixed) > room {
		return false
	}
	need := sift.Need{Face: w.q.Signal.Face}
	for _, f := range w.q.Checks.Findings {
		need.Cited = append(need.Cited, f.Evidence...)
	}
	for evidence := room - sift.Tokens(fixed) - framing; ; {
		picked, left := sift.Select(need, w.q.Evidence, max(0, evidence))
		var b strings.Builder
		b.WriteString(fixed)
		w.left = left
		if n := len(w.q.Claims) - claims; n > 0 {
			w.left = append(w.left, fmt.Sprintf("%d of %d statements that code checked left out", n, len(w.q.Claims)))
		}
		w.evidence(&b, picked)
		if w.user = b.String(); sift.Tokens(w.user) <= room {
			return true
		}
		if evidence <= 0 {
			return false
		}
		evidence -= max(16, sift.Tokens(w.user)-room)
	}
}

// fixed is all but the evidence.
func (w *wording) fixed(claims int) string {
	var b strings.Builder
	w.subject(&b)
	w.checks(&b)
	w.claims(&b, claims)
	w.menu(&b)
	return b.String()
}

func (w *wording) subject(b *strings.Builder) {
	s := w.q.Signal
	fmt.Fprintf(b, "# Subject\n\n- what: %s\n- happening: %s\n", w.fence.name(s.Subject.String(), 2*idMax), w.fence.name(s.Reason, lineMax))
	if s.Text != "" {
		fmt.Fprintf(b, "- in a sentence: %s\n", w.fence.name(s.Text, textMax))
	}
	if !s.At.IsZero() {
		fmt.Fprintf(b, "- first seen: %s ago\n", age(s.At, w.q.Facts.At))
	}
}

func (w *wording) checks(b *strings.Builder) {
	c := w.q.Checks
	b.WriteString("\n# What the checks found\n\n")
	if c.Cause != "" {
		fmt.Fprintf(b, "- cause: %s\n", w.fence.name(c.Cause, idMax))
	}
	if score, known := c.Score.Get(); known {
		fmt.Fprintf(b, "- score: %d\n", score)
	}
	for _, p := range [][2]string{{"no opinion", c.Silent}, {"not settled", c.Open}} {
		if p[1] != "" {
			fmt.Fprintf(b, "- %s: %s\n", p[0], w.fence.name(p[1], textMax))
		}
	}
	found := gate.Weightiest(c.Findings)
	for _, f := range found[:min(len(found), maxFindings)] {
		fmt.Fprintf(b, "- found (%s, %d points): %s\n", w.fence.name(f.ID, idMax), f.Points, w.fence.name(f.Text, textMax))
	}
	if n := len(found) - maxFindings; n > 0 {
		fmt.Fprintf(b, "- and %d lesser findings\n", n)
	}
	if c.Cause == "" && len(found) == 0 && c.Silent == "" && c.Open == "" {
		b.WriteString("Nothing.\n")
	}
}

// claims writes what code has checked, what is known first.
func (w *wording) claims(b *strings.Builder, most int) {
	if len(w.q.Claims) == 0 || most == 0 {
		return
	}
	var known, unknown []string
	for c, fact := range w.q.Claims {
		said := w.fence.name(c.Kind, idMax) + " " + w.fence.name(c.Object, idMax)
		if value, ok := fact.Get(); ok {
			known = append(known, fmt.Sprintf("- %t: %s", value, said))
		} else {
			unknown = append(unknown, fmt.Sprintf("- unknown: %s (%s)", said, w.fence.name(fact.Why(), lineMax)))
		}
	}
	slices.Sort(known)
	slices.Reverse(known) // what is true tells more than what is not
	slices.Sort(unknown)
	all := slices.Concat(known, unknown)
	fmt.Fprintf(b, "\n# Checked by code\n\n%s\n", strings.Join(all[:min(len(all), most)], "\n"))
}

func (w *wording) menu(b *strings.Builder) {
	b.WriteString("\n# Menu\n\n")
	if len(w.q.Facts.Menu) == 0 {
		b.WriteString("Empty: `choice` is `[]`.\n")
	}
	for _, a := range w.q.Facts.Menu {
		fmt.Fprintf(b, "- `%s` (%s): %s\n", w.fence.name(a.ID, idMax), w.fence.name(a.Verb, idMax), w.fence.name(a.Text, textMax))
	}
}

// evidence writes what was picked, and in words what was not.
func (w *wording) evidence(b *strings.Builder, picked []gate.Evidence) {
	w.shown = map[string]string{}
	b.WriteString("\n# Evidence\n\n")
	unread := 0
	for _, e := range picked {
		if e.Unread != "" {
			unread++
			continue
		}
		text := w.fence.item(b, e, w.q.Facts.At)
		if before, twice := w.shown[e.ID]; twice {
			text = before + "\n" + text
		}
		w.shown[e.ID] = text
	}
	if unread == len(picked) {
		b.WriteString("None could be shown.\n")
	}
	if unread > 0 {
		b.WriteString("\n# What could not be read\n\n")
	}
	for _, e := range picked {
		if e.Unread != "" {
			fmt.Fprintf(b, "- `%s`, %s: %s\n", w.fence.name(e.ID, idMax), w.fence.name(e.Source, lineMax), w.fence.name(e.Unread, lineMax))
		}
	}
	if len(w.left) > 0 {
		b.WriteString("\n# Left out\n\n")
	}
	for i, l := range w.left {
		if i == maxLeft {
			fmt.Fprintf(b, "- and %d more\n", len(w.left)-maxLeft)
			break
		}
		fmt.Fprintf(b, "- %s\n", w.fence.name(l, 2*lineMax))
	}
}
