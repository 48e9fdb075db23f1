package sift

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkLinesHostile has logs made to be slow: kinds of lines that all lead to one leaf, and traces that begin and never go on.
func BenchmarkLinesHostile(b *testing.B) {
	var kinds strings.Builder
	for i := 0; kinds.Len() < 5<<20; i++ {
		kinds.WriteString("a b")
		for j := range 44 {
			fmt.Fprintf(&kinds, " %c%c%c", 'g'+i%19, 'g'+(i/19+j)%19, 'g'+(i/361)%19)
		}
		kinds.WriteByte('\n')
	}
	for name, log := range map[string]string{
		"one leaf":       kinds.String(),
		"panics":         strings.Repeat("panic: x\n", 5<<20/9),
		"chains":         strings.Repeat("Traceback (most recent call last):\nE\nDuring handling of the above exception, x\n", 5<<20/80),
		"goroutines":     strings.Repeat("goroutine 1 [x]:\n", 5<<20/17),
		"causes":         strings.Repeat("x\nCaused by: y\n", 5<<20/15),
		"letters":        strings.Repeat("a\n", 5<<19),
		"one long line":  strings.Repeat("e", 5<<20),
		"broken colours": strings.Repeat("\x1b[", 5<<19),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(log)))
			for b.Loop() {
				Lines(log, 2000)
			}
		})
	}
}
