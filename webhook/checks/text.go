package checks

import (
	"fmt"
	"strings"
	"unicode"

	"moorgate.dev/internal/gate"
)

const (
	textMax  = 110 // characters of a finding's sentence: it must fit a warning line together with its prefix
	nameMax  = 40  // characters of one name within it
	namesMax = 3   // names that a list spells out
)

// found makes a finding. Names come from hostile manifests, so its text holds printable characters only, on one line.
func found(points int, nature gate.Nature, evidence []string, format string, args ...any) gate.Finding {
	return gate.Finding{Points: points, Nature: nature, Evidence: evidence, Text: cut(clean(fmt.Sprintf(format, args...)), textMax)}
}

// clean drops whatever could move a terminal's cursor or hide text: control, format and unassigned characters.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}

func cut(s string, limit int) string {
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return s
}

// name writes one name from a manifest for a sentence.
func name(s string) string { return cut(clean(s), nameMax) }

// names joins a few names for a sentence and counts the rest.
func names(all []string) string {
	short := make([]string, 0, namesMax)
	for i, n := range all {
		if i == namesMax {
			return fmt.Sprintf("%s and %d more", strings.Join(short, ", "), len(all)-namesMax)
		}
		short = append(short, name(n))
	}
	return strings.Join(short, ", ")
}

// unread says that a Fact is unknown, and why.
func unread[T any](what string, f gate.Fact[T]) string { return clean(what + ": " + f.Why()) }

// plural writes a count with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
