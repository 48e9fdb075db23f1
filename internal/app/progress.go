package app

import (
	"fmt"
	"io"
	"os"
	"time"
)

const progressEvery = 200 * time.Millisecond

// progress shows a count on one line of a terminal while something takes long. Anywhere else it shows nothing.
type progress struct {
	w     io.Writer // nil: no terminal
	what  string
	next  time.Time
	shown bool
}

func newProgress(w io.Writer, what string) *progress {
	p := &progress{what: what, next: time.Now().Add(progressEvery)}
	if f, ok := w.(*os.File); ok && isTerminal(f) {
		p.w = w
	}
	return p
}

func (p *progress) at(n int) {
	if p.w == nil || n%256 != 0 || time.Now().Before(p.next) {
		return
	}
	p.shown, p.next = true, time.Now().Add(progressEvery)
	_, _ = fmt.Fprintf(p.w, "\r%d %s read", n, p.what)
}

// slowly shows what is being waited for, where each step may take a while.
func (p *progress) slowly(doing string) {
	if p.w == nil || time.Now().Before(p.next) {
		return
	}
	p.shown, p.next = true, time.Now().Add(progressEvery)
	_, _ = fmt.Fprintf(p.w, "\r\x1b[K%s", shown(doing))
}

// clear takes the line away.
func (p *progress) clear() {
	if p.shown {
		_, _ = fmt.Fprint(p.w, "\r\x1b[K")
	}
}
