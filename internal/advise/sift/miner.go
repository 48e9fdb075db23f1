package sift

import "strings"

const (
	maxWords     = 48   // of a line that are compared
	maxTemplates = 4096 // in all
	maxLeaf      = 64   // under one key
	similar      = 6    // tenths of the first line's own words that must be the same
)

// miner tells kinds of lines apart, after the manner of Drain: a tree of fixed depth, here one key, leads to the few templates
// that a line may belong to, and it joins the most similar one. Where a template and its line differ, the template gets a wildcard.
// Its memory is bounded: what comes after that many templates belongs to none.
type miner struct {
	leaves    map[leafKey][]int
	templates []template
	words     [maxWords]uint64
	told      uint64
}

// leafKey holds how many words a line has, its first two that are no wildcards, how bad it is and the exit codes and the like
// that it tells, so that an error never hides among lines that are none.
type leafKey struct {
	words, bad    int
	first, second uint64
	told          uint64 // the numbers that say how something ended
}

type template struct {
	words []uint64
	own   int // words of its first line that were no wildcards
}

func newMiner() *miner { return &miner{leaves: map[leafKey][]int{}} }

// of is the number of the template of a line; -1 where there is no more room.
func (m *miner) of(line string, bad int) int {
	words := m.split(line)
	key := leafKey{words: len(words), bad: bad, told: m.told}
	own := 0
	for _, w := range words {
		if w == wildcard {
			continue
		}
		own++
		switch own {
		case 1:
			key.first = w
		case 2:
			key.second = w
		}
	}
	leaf := m.leaves[key]
	best, most := -1, -1
	for _, id := range leaf {
		if n := same(m.templates[id].words, words); n > most {
			best, most = id, n
		}
	}
	if best >= 0 && 10*most >= similar*max(own, m.templates[best].own) {
		join(m.templates[best].words, words)
		return best
	}
	if len(m.templates) >= maxTemplates || len(leaf) >= maxLeaf {
		return -1
	}
	m.templates = append(m.templates, template{words: append([]uint64(nil), words...), own: own})
	m.leaves[key] = append(leaf, len(m.templates)-1)
	return len(m.templates) - 1
}

// same counts the words that are the same and no wildcards.
func same(a, b []uint64) int {
	n := 0
	for i := range a {
		if a[i] == b[i] && a[i] != wildcard {
			n++
		}
	}
	return n
}

func join(into, words []uint64) {
	for i := range into {
		if into[i] != words[i] {
			into[i] = wildcard
		}
	}
}

const wildcard = 0

// split cuts a line into words, each a hash. A word with a digit in it, or one long and hexadecimal, is a wildcard: a number, an
// id, a time, an address. A number that says how something ended is not.
func (m *miner) split(line string) []uint64 {
	n, start, telling := 0, -1, false
	m.told = 0
	for i := 0; i <= len(line) && n < maxWords; i++ {
		if i < len(line) && !separates[line[i]] {
			if start < 0 {
				start = i
			}
			continue
		}
		if start < 0 {
			continue
		}
		word := line[start:i]
		start = -1
		if m.words[n] = hash(word); varies(word) {
			if telling && len(word) <= 3 {
				m.told = m.told*31 + m.words[n]
			} else {
				m.words[n] = wildcard
			}
		}
		telling = tells(word)
		n++
	}
	return m.words[:n]
}

var separates = func() (t [256]bool) {
	for _, c := range []byte(" \t=,;|()[]{}\"'<>") {
		t[c] = true
	}
	return t
}()

func varies(word string) bool {
	hex := len(word) >= 8
	for i := range len(word) {
		c := word[i]
		if c >= '0' && c <= '9' {
			return true
		}
		hex = hex && (c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' || c == '-')
	}
	return hex
}

// tells is whether the number after the word is part of what a line says, such as an exit code.
func tells(word string) bool {
	word = strings.TrimSuffix(word, ":")
	for _, w := range []string{"code", "status", "exit", "signal", "errno", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0"} {
		if len(word) >= len(w) && strings.EqualFold(word[len(word)-len(w):], w) {
			return true
		}
	}
	return false
}

// hash is FNV-1a: the same on every run, so that the same log is always told in the same way.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h | 1 // never a wildcard
}
