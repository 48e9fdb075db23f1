package sift

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// TestTokensAgainstCounts holds the estimate against counts made once with o200k_base, the tokenizer of current OpenAI models.
func TestTokensAgainstCounts(t *testing.T) {
	for _, c := range counted {
		most := 2 * c.tokens
		if len(c.text) > utf8.RuneCountInString(c.text) {
			most *= 2 // other scripts cost older tokenizers far more than this one
		}
		if got := Tokens(c.text); 100*got < 97*c.tokens || got > most {
			t.Errorf("%d, counted %d: %q", got, c.tokens, c.text)
		}
	}
}

func TestTokensInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := Clean(rapid.String().Draw(t, "a")), Clean(rapid.String().Draw(t, "b"))
		if both := Tokens(a + "\n" + b); both > Tokens(a)+Tokens(b)+1 {
			t.Fatalf("%d > %d + %d + 1: %q %q", both, Tokens(a), Tokens(b), a, b)
		}
		if Tokens(a) > AtMost(a) {
			t.Fatal("the estimate is above what is possible")
		}
		budget := rapid.IntRange(0, 40).Draw(t, "budget")
		if cut := Cut(a, budget); Tokens(cut) > budget || !strings.HasPrefix(a, strings.TrimSuffix(cut, ellipsis)) {
			t.Fatalf("%q cut to %q", a, cut)
		}
	})
}
