package sift

import "strings"

// traceEnd is where the stack trace that begins at line i ends, and i where none does. Runtimes known: the JVM, .NET and Node ("at"
// frames), Ruby ("from"), Python, Go, Rust. A time that the container runtime puts before each line is looked past.
func traceEnd(lines []string, i int) int {
	first := bare(lines[i])
	switch {
	case strings.HasPrefix(first, "Traceback (most recent call last)"):
		return pythonEnd(lines, i)
	case strings.HasPrefix(first, "panic: "), strings.HasPrefix(first, "fatal error: "), isGoroutine(first):
		return goEnd(lines, i)
	case strings.HasPrefix(first, "thread '") && strings.Contains(first, "panicked at"):
		return rustEnd(lines, i)
	}
	return frameEnd(lines, i)
}

// frameEnd ends a trace of frames that are told by how they begin; its first line is the one before them.
func frameEnd(lines []string, i int) int {
	end := i + 1
	if !isFrame(bare(lines[i])) { // or else the log begins within a trace
		if i+1 >= len(lines) || !isFrame(bare(lines[i+1])) && !isLink(bare(lines[i+1])) {
			return i
		}
		end++
	}
	for ; end < len(lines); end++ {
		line := bare(lines[end])
		if isFrame(line) || isLink(line) {
			continue
		}
		// A line of a nested message, where frames go on right after it.
		if end+1 < len(lines) && isLink(bare(lines[end-1])) && isFrame(bare(lines[end+1])) {
			continue
		}
		break
	}
	return end
}

func isFrame(line string) bool {
	rest := strings.TrimLeft(line, " \t")
	if rest == line {
		return false
	}
	return strings.HasPrefix(rest, "at ") || strings.HasPrefix(rest, "from ") && strings.Contains(rest, ":")
}

// isLink is whether the line stands between the frames of one trace.
func isLink(line string) bool {
	rest := strings.TrimLeft(line, " \t")
	for _, p := range []string{"Caused by: ", "Suppressed: ", "--- End of ", "---> ", "[CIRCULAR REFERENCE", "[cause]: "} {
		if strings.HasPrefix(rest, p) {
			return true
		}
	}
	return strings.HasPrefix(rest, "... ") && (strings.HasSuffix(rest, " more") || strings.HasSuffix(rest, " common frames omitted"))
}

func pythonEnd(lines []string, i int) int {
	end := i + 1
	for end < len(lines) && indented(bare(lines[end])) {
		end++
	}
	if end < len(lines) {
		end++ // the exception itself
	}
	// One raised while another was handled belongs to it.
	for j := end; j < len(lines) && j < end+3; j++ {
		line := bare(lines[j])
		if strings.HasPrefix(line, "During handling of the above exception") || strings.HasPrefix(line, "The above exception was the direct cause") {
			for k := j + 1; k < len(lines) && k < j+3; k++ {
				if strings.HasPrefix(bare(lines[k]), "Traceback ") {
					return pythonEnd(lines, k)
				}
			}
		}
		if line != "" {
			break
		}
	}
	return end
}

func goEnd(lines []string, i int) int {
	end := i + 1
	for end < len(lines) && goPart(lines, end) {
		end++
	}
	for end > i+1 && bare(lines[end-1]) == "" {
		end--
	}
	if end == i+1 {
		return i // one line that says panic is a line
	}
	return end
}

func goPart(lines []string, i int) bool {
	line := bare(lines[i])
	if line == "" || indented(line) || isGoroutine(line) {
		return true
	}
	for _, p := range []string{"[signal ", "created by ", "runtime stack:", "exit status "} {
		if strings.HasPrefix(line, p) {
			return true
		}
	}
	if i+1 >= len(lines) {
		return false
	}
	next := bare(lines[i+1])
	return indented(next) && strings.Contains(next, ".go:")
}

func isGoroutine(line string) bool {
	return strings.HasPrefix(line, "goroutine ") && strings.HasSuffix(line, "]:")
}

func rustEnd(lines []string, i int) int {
	end, backtrace := i+1, false
	for ; end < len(lines) && end < i+400; end++ {
		line := bare(lines[end])
		if strings.HasPrefix(line, "stack backtrace:") {
			backtrace = true
			continue
		}
		if strings.HasPrefix(line, "note: ") || backtrace && indented(line) || !backtrace && end == i+1 && line != "" && !strings.HasPrefix(line, "thread '") {
			continue
		}
		break
	}
	return end
}

func indented(line string) bool { return line != "" && (line[0] == ' ' || line[0] == '\t') }

// bare is the line without a time that was put before it.
func bare(line string) string {
	if len(line) < 21 || line[4] != '-' || line[7] != '-' || line[10] != 'T' {
		return line
	}
	for i := 0; i < 4; i++ {
		if line[i] < '0' || line[i] > '9' {
			return line
		}
	}
	stamp, rest, ok := strings.Cut(line, " ")
	if !ok || len(stamp) > 35 || stamp[len(stamp)-1] != 'Z' && !strings.ContainsRune(stamp[19:], '+') {
		return line
	}
	return rest
}
