package webhook

import (
	"regexp"

	"moorgate.dev/internal/gate"
)

// forbidden is the word that makes GitOps tools delete and recreate an object when they read it in an error.
var forbidden = regexp.MustCompile(`(?i)(im)(mutable)`)

// plain makes a text fit for an answer of at most n bytes, with the forbidden word broken.
func plain(s string, n int) string {
	return gate.OneLine(forbidden.ReplaceAllString(gate.OneLine(s, 2*n), "$1-$2"), n)
}
