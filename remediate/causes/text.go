package causes

import (
	"fmt"

	"moorgate.dev/internal/gate"
)

const (
	maxReason = 64
	maxText   = 400
)

func sentence(format string, args ...any) string {
	return gate.OneLine(fmt.Sprintf(format, args...), maxText)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
