package gate

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestOneLine(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"keeps what prints", "Größe 3 → 5", "Größe 3 → 5"},
		{"takes escape sequences apart", "a\x1b[31mb", "a [31mb"},
		{"keeps it on one line", "a\r\n\tb", "a   b"},
		{"drops characters that turn text", "a\u202eb\u2066c", "abc"},
		{"drops characters that hide", "pass\u200bword", "password"},
		{"drops broken encoding", "a\xffb", "ab"},
		{"cuts", strings.Repeat("x", 50), strings.Repeat("x", 37) + "…"},
		{"cuts between characters", strings.Repeat("é", 30), strings.Repeat("é", 18) + "…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := OneLine(tt.text, 40); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestOneLineWhereItIsTight(t *testing.T) {
	for _, row := range []struct {
		text  string
		limit int
		want  string
	}{{"abcd", 4, "abcd"}, {"abcde", 4, "a…"}, {"abcd", 3, "…"}, {"abcd", 2, ""}, {"abcd", 0, ""}, {"ab", 2, "ab"}, {"éé", 3, "…"}, {"ééé", 5, "é…"},
		{strings.Repeat(" ", 76) + "abcde", 3, "abc"[:0]}, {strings.Repeat(" ", 73) + "abcde", 3, "abc"}, {strings.Repeat("\u200b", 20) + "abcdef", 3, "…"}} {
		if got := OneLine(row.text, row.limit); got != row.want {
			t.Errorf("%q in %d: %q, want %q", row.text, row.limit, got, row.want)
		}
	}
}

func TestOneLineIsAlwaysFitToBeShown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(0, 60).Draw(t, "limit")
		got := OneLine(rapid.String().Draw(t, "text"), limit)
		if len(got) > limit || !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%q (%d bytes, limit %d)", got, len(got), limit)
		}
	})
}
