package webhook

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// forbidden is the word that makes GitOps tools delete and recreate an object when they read it in an error.
var forbidden = regexp.MustCompile(`(?i)(im)(mutable)`)

// plain makes a text fit for an answer of at most n bytes: names in it come from strangers and the answer reaches terminals.
// What does not print becomes a space, the forbidden word is broken, and the cut falls between characters.
func plain(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
	s = forbidden.ReplaceAllString(strings.TrimSpace(s), "$1-$2")
	if len(s) <= n {
		return s
	}
	end := n - len("…")
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
