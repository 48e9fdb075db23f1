package source

import "bytes"

// chunk is one document of a file: the bytes from start up to end, of which the first stands on line (1-based).
type chunk struct {
	start, end, line int
}

// split cuts a file at its document markers. A line that begins with "---" and then a blank or its end can be nothing else
// in YAML, not even inside a block of text, and it belongs to the document that it begins.
func split(b []byte) []chunk {
	var chunks []chunk
	at := chunk{line: 1}
	for start, line := 0, 1; start < len(b); line++ {
		end := len(b)
		if i := bytes.IndexByte(b[start:], '\n'); i >= 0 {
			end = start + i + 1
		}
		if start > at.start && marker(b[start:end]) {
			at.end = start
			chunks = append(chunks, at)
			at = chunk{start: start, line: line}
		}
		start = end
	}
	at.end = len(b)
	return append(chunks, at)
}

func marker(line []byte) bool {
	rest, found := bytes.CutPrefix(line, []byte("---"))
	return found && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0)
}
