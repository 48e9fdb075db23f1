package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// screen prints for an audience, with colours where there is a terminal and NO_COLOR is not set.
type screen struct {
	w      io.Writer
	colour bool
}

func newScreen(f *os.File) *screen {
	return &screen{w: f, colour: term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""}
}

func (s *screen) paint(code, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s *screen) heading(text string) { fmt.Fprintf(s.w, "\n%s\n", s.paint("1;36", "── "+text)) }

func (s *screen) say(format string, args ...any) {
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		fmt.Fprintln(s.w, "   "+line)
	}
}

func (s *screen) command(text string) { fmt.Fprintln(s.w, s.paint("1", "   $ "+text)) }

func (s *screen) output(line string) {
	code := "0"
	switch {
	case strings.HasPrefix(line, "Error"):
		code = "31"
	case strings.HasPrefix(line, "Warning"):
		code = "33"
	}
	fmt.Fprintln(s.w, "     "+s.paint(code, line))
}
