package source

import (
	"bytes"

	yaml3 "go.yaml.in/yaml/v3"
)

// span is a run of whole lines: its bytes begin at from and end before to, and the first stands on line (1-based).
type span struct {
	from, to, line int
}

// lineStart is where a line of a document begins, counted from 1, or -1.
func lineStart(file []byte, c chunk, line int) int {
	start := c.start
	for range line - 1 {
		i := bytes.IndexByte(file[start:c.end], '\n')
		if i < 0 {
			return -1
		}
		start += i + 1
	}
	return start
}

// entry is the lines of one entry of a block map or list: the line on which it begins, and all below that are indented
// deeper than column (from 1). Blank lines and comments at its end that are not indented deeper are not of it. list
// reports that the value is a list whose dashes may stand in the column itself.
func entry(file []byte, c chunk, line, column int, list bool) (span, bool) {
	from := lineStart(file, c, line)
	if from < 0 {
		return span{}, false
	}
	at := from
	to := at
	for first := true; at < c.end; first = false {
		end := c.end
		if i := bytes.IndexByte(file[at:c.end], '\n'); i >= 0 {
			end = at + i + 1
		}
		text := bytes.TrimRight(file[at:end], " \t\r\n")
		indent := len(text) - len(bytes.TrimLeft(text, " "))
		dash := list && indent == column-1 && (bytes.HasPrefix(text[indent:], []byte("- ")) || string(text[indent:]) == "-")
		switch {
		case first || len(text) > 0 && (indent >= column || dash):
			to = end
		case len(text) > 0 && text[indent] != '#':
			return span{from: from, to: to, line: c.line + line - 1}, true
		}
		at = end
	}
	return span{from: from, to: to, line: c.line + line - 1}, true
}

// style is how a document is written.
type style struct {
	step   int  // blanks that a map is indented by below its key
	dashes int  // blanks that the dash of a list is indented by below its key
	quote  byte // around text that needs no quotes: ' or " where all text beside it has them, else zero
}

// styleOf reads the style of a document from the first places that show it.
func styleOf(root *yaml3.Node) style {
	s := style{step: -1, dashes: -1}
	var walk func(n *yaml3.Node)
	walk = func(n *yaml3.Node) {
		for i := 0; n.Kind == yaml3.MappingNode && n.Style&yaml3.FlowStyle == 0 && i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			deeper := value.Column - key.Column
			switch {
			case value.Style&yaml3.FlowStyle != 0 || value.Line == key.Line || deeper < 0:
			case value.Kind == yaml3.MappingNode && s.step < 0 && deeper > 0:
				s.step = deeper
			case value.Kind == yaml3.SequenceNode && s.dashes < 0:
				s.dashes = deeper
			}
		}
		for _, child := range n.Content {
			walk(child)
		}
	}
	walk(root)
	if s.step < 0 {
		s.step = 2
	}
	if s.dashes < 0 {
		s.dashes = 0
	}
	return s
}

// quoteOf is the quote that all text of a map or list has that stands beside what is added, or zero.
func quoteOf(n *yaml3.Node) byte {
	var quote byte
	seen, mixed := false, false
	var walk func(n *yaml3.Node, depth int)
	walk = func(n *yaml3.Node, depth int) {
		for i, child := range n.Content {
			if child.Kind != yaml3.ScalarNode && depth > 0 {
				walk(child, depth-1)
			}
			if child.Kind != yaml3.ScalarNode || child.ShortTag() != "!!str" || n.Kind == yaml3.MappingNode && (i%2 == 0 || n.Content[i-1].Value == "name") {
				continue
			}
			var q byte
			switch {
			case child.Style&yaml3.SingleQuotedStyle != 0:
				q = '\''
			case child.Style&yaml3.DoubleQuotedStyle != 0:
				q = '"'
			}
			mixed = mixed || seen && q != quote
			quote, seen = q, true
		}
	}
	depth := 0 // the entries of a map; of a list also those of its items
	if n.Kind == yaml3.SequenceNode {
		depth = 1
	}
	walk(n, depth)
	if mixed {
		return 0
	}
	return quote
}
