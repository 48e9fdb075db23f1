package sift

import "strings"

// How bad a line sounds.
const (
	calm = iota
	warned
	failed
)

// What a line holds in any case of letters that says that something failed, and what only warns.
var (
	failWords = []string{"error", "fail", "fatal", "panic", "exception", "denied", "refused", "killed", "oom", "cannot", "can't", "could not", "unable",
		"not found", "no such", "missing", "invalid", "unauthorized", "forbidden", "timeout", "timed out", "deadline", "unreachable", "x509",
		"crash", "abort", "segfault", "sigsegv", "sigabrt", "no space", "critical", "corrupt", "traceback", "caused by", "unhealthy", "evicted"}
	warnWords = []string{"warn", "retry", "deprecat", "slow", "back-off", "backoff"}
)

// badness looks a line over once: at each beginning of a word it tries only the words with that letter.
func badness(line string) int {
	worst := calm
	for i := range len(line) {
		c := line[i] | 0x20
		words := byLetter[c]
		if words == nil || i > 0 && isLetter(line[i-1]) && !(line[i-1] >= 'a' && line[i] < 'a') && !midword[c] {
			continue
		}
		for _, w := range words {
			if len(line)-i >= len(w.text) && strings.EqualFold(line[i:i+len(w.text)], w.text) {
				if w.bad == failed {
					return failed
				}
				worst = w.bad
			}
		}
	}
	if serverError(line) {
		return failed
	}
	return worst
}

type badWord struct {
	text string
	bad  int
}

var byLetter = func() (t [256][]badWord) {
	for bad, words := range [][]string{warned: warnWords, failed: failWords} {
		for _, w := range words {
			t[w[0]] = append(t[w[0]], badWord{w, bad})
		}
	}
	return t
}()

// midword are the letters of words that count within another: IOException is told by its capital, outofmemoryerror is not.
var midword = [256]bool{'e': true}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// serverError is whether an access log's line ends a request with 5xx.
func serverError(line string) bool {
	i := strings.Index(line, "HTTP/")
	if i < 0 {
		return false
	}
	_, rest, _ := strings.Cut(line[i:], " ")
	return len(rest) >= 3 && rest[0] == '5' && rest[1] >= '0' && rest[1] <= '9' && rest[2] >= '0' && rest[2] <= '9'
}
