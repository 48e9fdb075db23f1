package gate

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// OneLine makes a text from a stranger fit to be shown: what does not print, such as control characters and those that turn or
// hide text, becomes a space or goes, and the rest is cut to at most limit bytes at a character's boundary. Names, messages
// and file names reach terminals, Cases and messages only through here.
func OneLine(s string, limit int) string {
	s = s[:min(len(s), 4*limit+64)] // the rest would not be shown anyhow
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if len(s) <= limit {
		return s
	}
	if limit < len("…") {
		return ""
	}
	end := limit - len("…")
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
