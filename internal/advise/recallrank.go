package advise

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"moorgate.dev/internal/flow"
	"moorgate.dev/internal/gate"
)

// Alike returns the memories that may be told about a question, at most three, those that are most like it first: by what has
// structure, then by their words. Of equals the one that is a warning comes first, then the newer.
func Alike(q flow.Question, past []Remembered, now time.Time, oldest time.Duration) []Remembered {
	var kept []Remembered
	for _, m := range past[:min(len(past), recallMost)] {
		if rejects(q, m, now, oldest) == "" && keys(q, m) > 0 {
			kept = append(kept, m)
		}
	}
	type ranked struct {
		Remembered
		keys int
		text float64
	}
	texts := rank(wordsOf(q), kept)
	all := make([]ranked, len(kept))
	for i, m := range kept {
		all[i] = ranked{m, keys(q, m), texts[i]}
	}
	slices.SortStableFunc(all, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.keys, a.keys), cmp.Compare(warns(b.Remembered), warns(a.Remembered)), cmp.Compare(b.text, a.text), b.At.Compare(a.At), cmp.Compare(a.Case, b.Case))
	})
	var best []Remembered
	for _, m := range all[:min(len(all), recallOffered)] {
		best = append(best, m.Remembered)
	}
	return best
}

func warns(m Remembered) int {
	if m.Result == gate.ResultWorsened {
		return 1
	}
	return 0
}

// keys is how much of what has structure is the same; 0 where neither the cause nor what happened is.
func keys(q flow.Question, m Remembered) int {
	s, n := q.Signal, 0
	for _, x := range []struct {
		same   bool
		weight int
	}{{m.Cause == q.Checks.Cause, 8}, {m.Reason == s.Reason, 4}} {
		if x.same {
			n += x.weight
		}
	}
	if n == 0 {
		return 0
	}
	if m.Workload == s.Subject.Name && m.Kind == s.Subject.Kind {
		n += 4
	}
	if m.Key != "" && m.Key == s.Key {
		n += 2
	}
	if m.Kind == s.Subject.Kind {
		n++
	}
	if m.Container != "" && strings.Contains("/"+s.Key+"/", "/"+m.Container+"/") {
		n++
	}
	return n
}

const (
	rankWords = 200 // of each text
	rankK     = 1.2
	rankB     = 0.75
)

// rank is BM25 of the question's words over the memories' findings and summaries.
func rank(query []string, past []Remembered) []float64 {
	docs, in, total := make([]map[string]int, len(past)), map[string]int{}, 0
	lengths := make([]int, len(past))
	for i, m := range past {
		docs[i] = map[string]int{}
		for _, w := range words(strings.Join(append(slices.Clone(m.Findings), m.Summary), " ")) {
			if docs[i][w]++; docs[i][w] == 1 {
				in[w]++
			}
			lengths[i]++
		}
		total += lengths[i]
	}
	scores := make([]float64, len(past))
	if total == 0 {
		return scores
	}
	mean := float64(total) / float64(len(past))
	for i, doc := range docs {
		for _, w := range query {
			f := float64(doc[w])
			if f == 0 {
				continue
			}
			rare := math.Log(1 + (float64(len(past)-in[w])+0.5)/(float64(in[w])+0.5))
			scores[i] += rare * f * (rankK + 1) / (f + rankK*(1-rankB+rankB*float64(lengths[i])/mean))
		}
	}
	return scores
}

// wordsOf are the words of a question, each once.
func wordsOf(q flow.Question) []string {
	var texts []string
	for _, f := range q.Checks.Findings {
		texts = append(texts, f.Text)
	}
	all := words(strings.Join(append(texts, q.Signal.Text, q.Signal.Reason), " "))
	slices.Sort(all)
	return slices.Compact(all)
}

func words(s string) []string {
	all := strings.FieldsFunc(strings.ToLower(s[:min(len(s), 16*rankWords)]), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return all[:min(len(all), rankWords)]
}
