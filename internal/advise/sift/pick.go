package sift

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"moorgate.dev/internal/gate"
)

// Need says what evidence is wanted for.
type Need struct {
	Face gate.Face
	// Cited are the ids that the findings of code rest on: they matter more than others of their class.
	Cited []string
}

// weights say what matters for a question of a face: a rollout is judged by state, an incident by what was said and what happened.
var weights = map[gate.Face]map[gate.Trust]int{
	gate.FaceWebhook:   {gate.FromAPI: 4, gate.FromGit: 3, gate.FromEvent: 2, gate.FromMetric: 2, gate.FromLog: 1},
	gate.FaceDrift:     {gate.FromAPI: 4, gate.FromGit: 4, gate.FromEvent: 2, gate.FromMetric: 1, gate.FromLog: 1},
	gate.FaceRemediate: {gate.FromLog: 4, gate.FromEvent: 3, gate.FromAPI: 3, gate.FromMetric: 2, gate.FromGit: 2},
}

var classNames = map[gate.Trust]string{gate.FromAPI: "API state", gate.FromGit: "Git", gate.FromMetric: "metrics", gate.FromEvent: "events",
	gate.FromLog: "container logs"}

const (
	markCost   = 2  // tokens of the mark before each line
	headerCost = 64 // tokens of what is written around an item, beside its id and its source
	floorCost  = 60 // tokens of text that an item gets before any gets more
	shareOf    = 60 // percent of the budget that one item may take, where there is more than one
	unreadOf   = 25 // percent of the budget for the lines that say what could not be read
	maxName    = 120
)

// Cost is what an item costs as it is shown: its text with a mark before each line, and what is written around it.
func Cost(e gate.Evidence) int {
	n := headerCost + Tokens(Short(e.ID)) + Tokens(Short(e.Source))
	if e.Unread != "" {
		return n + Tokens(Short(e.Unread))
	}
	return n + Tokens(Short(e.Left)) + textCost(e.Text)
}

func textCost(text string) int { return marked(text, markCost) }

// Short is a name or a reason from elsewhere, fit to stand in a line of ours.
func Short(s string) string { return gate.OneLine(s, maxName) }

// Select picks the evidence that a question is asked with, in at most budget tokens by Cost. What could not be read always gets
// its line, as long as that takes no more than a quarter. Of the rest each gets a floor, those that matter most first and of
// equals the newest; what is left is shared by weight, and no item takes more than its share. Logs are reduced by Lines, other
// texts are cut at their end. Picked keeps the order of the evidence. Left says in words what is missing.
func Select(need Need, evidence []gate.Evidence, budget int) (picked []gate.Evidence, left []string) {
	s := selection{need: need, budget: budget, take: make([]bool, len(evidence)), text: make([]int, len(evidence)),
		costs: make([]int, len(evidence)), all: evidence}
	for i, e := range evidence {
		s.costs[i] = textCost(e.Text)
	}
	s.unread()
	s.floors()
	s.share()
	for i, e := range evidence {
		if s.take[i] {
			picked = append(picked, s.reduced(i, e))
		}
	}
	return picked, s.left(picked)
}

type selection struct {
	need          Need
	all           []gate.Evidence
	budget, spent int
	take          []bool
	text          []int // tokens that the text of an item may take
	costs         []int // tokens that all of it would take
}

func (s *selection) unread() {
	room := s.budget * unreadOf / 100
	for i, e := range s.all {
		if e.Unread == "" {
			continue
		}
		if cost := Cost(e); cost <= room {
			s.take[i] = true
			room -= cost
			s.spent += cost
		}
	}
}

// ranked are the items that were read, what matters most first.
func (s *selection) ranked() []int {
	var read []int
	for i, e := range s.all {
		if e.Unread == "" {
			read = append(read, i)
		}
	}
	slices.SortStableFunc(read, func(a, b int) int {
		return cmp.Or(cmp.Compare(s.weight(b), s.weight(a)), s.all[b].At.Compare(s.all[a].At))
	})
	return read
}

func (s *selection) weight(i int) int {
	w := max(1, weights[s.need.Face][s.all[i].Trust])
	if slices.Contains(s.need.Cited, s.all[i].ID) {
		w *= 2
	}
	return w
}

func (s *selection) floors() {
	for _, i := range s.ranked() {
		e := s.all[i]
		fixed := Cost(gate.Evidence{ID: e.ID, Source: e.Source, Left: strings.Repeat("x", maxName)})
		text := min(s.costs[i], floorCost)
		if s.spent+fixed+text > s.budget {
			continue
		}
		s.take[i], s.text[i] = true, text
		s.spent += fixed + text
	}
}

// share hands out what the floors left, by weight, until nobody wants more or nothing is left.
func (s *selection) share() {
	ranked := slices.DeleteFunc(s.ranked(), func(i int) bool { return !s.take[i] })
	most := s.budget
	if len(ranked) > 1 {
		most = s.budget * shareOf / 100
	}
	want := func(i int) int { return max(0, min(s.costs[i], most)-s.text[i]) }
	for {
		total := 0
		for _, i := range ranked {
			if want(i) > 0 {
				total += s.weight(i)
			}
		}
		room := s.budget - s.spent
		if total == 0 || room <= 0 {
			return
		}
		for _, i := range ranked {
			if want(i) == 0 {
				continue
			}
			more := min(want(i), max(1, room*s.weight(i)/total), s.budget-s.spent)
			s.text[i] += more
			s.spent += more
		}
	}
}

// reduced is an item with its text in the tokens that it may take.
func (s *selection) reduced(i int, e gate.Evidence) gate.Evidence {
	if e.Unread != "" || e.Trust != gate.FromLog && s.costs[i] <= s.text[i] {
		return e
	}
	reduce := firstLines
	if e.Trust == gate.FromLog {
		reduce = reduceLog
	}
	whole := e.Text
	var left string
	if e.Text, left = reduce(whole, s.text[i], markCost); textCost(e.Text) > s.text[i] {
		e.Text, left = "", "all of it left out"
	}
	e.Left = joinLeft(left, e.Left)
	if e.Text != whole && e.Size == 0 {
		e.Size = len(whole)
	}
	return e
}

func joinLeft(a, b string) string { return strings.Join(fields(a, b), "; ") }

func firstLines(text string, budget, mark int) (kept, left string) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) == 1 {
		return Cut(text, budget-mark), fmt.Sprintf("cut from %s", bytesOf(len(text)))
	}
	return head(lines, budget, mark, "lines")
}

// left says what is missing, by class: "3 of 5 items of container logs left out: 12 KiB".
func (s *selection) left(picked []gate.Evidence) []string {
	var out []string
	for _, class := range []gate.Trust{gate.FromAPI, gate.FromGit, gate.FromMetric, gate.FromEvent, gate.FromLog, ""} {
		n, lost, size, unread := 0, 0, 0, 0
		for i, e := range s.all {
			if e.Trust != class && (class != "" || classNames[e.Trust] != "") {
				continue
			}
			n++
			switch {
			case s.take[i]:
			case e.Unread != "":
				unread++
			default:
				lost, size = lost+1, size+max(e.Size, len(e.Text))
			}
		}
		name := cmp.Or(classNames[class], "what is of no known class")
		if lost > 0 {
			out = append(out, fmt.Sprintf("%d of %d items of %s left out: %s", lost, n, name, bytesOf(size)))
		}
		if unread > 0 {
			out = append(out, fmt.Sprintf("%d of %d items of %s could not be read and are not named", unread, n, name))
		}
	}
	for _, e := range picked {
		if e.Left != "" {
			out = append(out, Short(e.ID)+": "+Short(e.Left))
		}
	}
	return out
}

func bytesOf(n int) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d bytes", n)
	case n < 1<<20:
		return fmt.Sprintf("%d KiB", (n+1<<9)>>10)
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// fields are those of the texts that are not empty.
func fields(texts ...string) []string {
	return slices.DeleteFunc(texts, func(s string) bool { return s == "" })
}

// head is as many lines as fit, from the first on.
func head(lines []string, budget, mark int, what string) (kept, left string) {
	room := budget + 1
	for i, l := range lines {
		cost := Tokens(l) + 1 + mark
		if cost > room {
			kept = strings.Join(lines[:i], "\n")
			return kept, fmt.Sprintf("%d of %d %s left out", len(lines)-i, len(lines), what)
		}
		room -= cost
	}
	return strings.Join(lines, "\n"), ""
}
