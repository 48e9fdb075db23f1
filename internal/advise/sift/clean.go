package sift

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean takes out of a line what does not show or shows something else: control characters, ANSI colours, what turns the
// direction of text or hides it, and bytes that are no text. Of a line that was written over with carriage returns the last state
// stays. Tabs stay.
func Clean(line string) string {
	line = strings.TrimRight(line, "\r\n \t")
	if plain(line) {
		return line
	}
	if i := strings.LastIndexByte(line, '\r'); i >= 0 {
		line = line[i+1:]
	}
	var b strings.Builder
	b.Grow(len(line))
	for i := 0; i < len(line); {
		if line[i] == '\x1b' {
			i += escape(line[i:])
			continue
		}
		r, size := utf8.DecodeRuneInString(line[i:])
		if r == '\n' || r == '\u2028' || r == '\u2029' || r == '\u0085' || r == '\v' || r == '\f' {
			r = ' ' // a line stays a line
		}
		if visible(r, size) {
			b.WriteRune(r)
		}
		i += size
	}
	return strings.TrimRight(b.String(), " \t")
}

func plain(line string) bool {
	for i := range len(line) {
		if c := line[i]; c >= utf8.RuneSelf || c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

func visible(r rune, size int) bool {
	switch {
	case r == utf8.RuneError && size <= 1:
		return false
	case r == '\t':
		return true
	case unicode.Is(unicode.Variation_Selector, r) || r == '\u034f' || r == '\u115f' || r == '\u1160' || r == '\u3164' || r == '\uffa0':
		return false // letters and marks by their class, and nothing to see
	}
	return r == ' ' || unicode.IsPrint(r)
}

// escape is the length of the ANSI sequence that s begins with.
func escape(s string) int {
	if len(s) < 2 {
		return 1
	}
	switch s[1] {
	case '[': // colours and cursor: up to a letter
		for i := 2; i < len(s); i++ {
			if s[i] >= 0x40 && s[i] <= 0x7e {
				return i + 1
			}
			if s[i] < 0x20 {
				return i
			}
		}
		return len(s)
	case ']': // titles and links: up to a bell or the end of string
		for i := 2; i < len(s); i++ {
			if s[i] == '\a' {
				return i + 1
			}
			if s[i] == '\x1b' {
				return min(i+2, len(s))
			}
		}
		return len(s)
	}
	return 2
}
