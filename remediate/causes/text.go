package causes

import (
	"fmt"
	"strings"
	"unicode"
)

const (
	maxReason = 64
	maxText   = 400
)

// Clean keeps what can be printed on one line, in at most limit bytes and whole characters: names and reasons come from
// strangers, and this text reaches terminals.
func Clean(s string, limit int) string {
	if len(s) > 2*limit {
		s = s[:2*limit]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	if len(s) <= limit {
		return s
	}
	end := 0
	for i := range s {
		if i > limit-len("…") {
			break
		}
		end = i
	}
	return s[:end] + "…"
}

func sentence(format string, args ...any) string { return Clean(fmt.Sprintf(format, args...), maxText) }

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
