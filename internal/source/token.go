package source

import (
	"bytes"
	"strings"

	yaml3 "go.yaml.in/yaml/v3"
)

// token finds the bytes of a scalar: they must read exactly as the parser says, or the place is not certain.
func token(file []byte, c chunk, n *yaml3.Node, p Path) (Place, error) {
	switch {
	case n.Style&(yaml3.LiteralStyle|yaml3.FoldedStyle) != 0:
		return Place{}, refuse(Block, "%s is a block of text", p)
	case n.Style&yaml3.TaggedStyle != 0:
		return Place{}, refuse(Tagged, "%s has a tag of its own, %s", p, n.Tag)
	}
	start := c.start
	for range n.Line - 1 {
		i := bytes.IndexByte(file[start:c.end], '\n')
		if i < 0 {
			return Place{}, refuse(NotProven, "the place of %s is not certain", p)
		}
		start += i + 1
	}
	rest := string(file[start:c.end])
	if i := strings.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	column := 1
	for i := range rest {
		if column == n.Column {
			length, ok := scan(rest[i:], n)
			if !ok {
				break
			}
			return Place{Line: c.line + n.Line - 1, From: start + i, To: start + i + length}, nil
		}
		column++
	}
	return Place{}, refuse(Block, "%s spans lines, or its place is not certain", p)
}

// scan measures the scalar at the beginning of a line's rest.
func scan(s string, n *yaml3.Node) (int, bool) {
	switch {
	case n.Style&yaml3.SingleQuotedStyle != 0:
		want := "'" + strings.ReplaceAll(n.Value, "'", "''") + "'"
		return len(want), strings.HasPrefix(s, want)
	case n.Style&yaml3.DoubleQuotedStyle != 0:
		for i := 1; i < len(s) && s[0] == '"'; i++ {
			switch s[i] {
			case '\\':
				i++
			case '"':
				return i + 1, true
			}
		}
		return 0, false
	}
	return len(n.Value), n.Value != "" && strings.HasPrefix(s, n.Value)
}
