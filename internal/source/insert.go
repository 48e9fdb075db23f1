package source

import (
	"bytes"
	"errors"
	"strings"

	yaml3 "go.yaml.in/yaml/v3"
)

// mostLines bounds what is inserted or removed: more than that is for a person to write.
const mostLines = 40

// Insert adds a field or an item of a list, which the document does not have, to one document of a file: value is JSON, and
// what leads to it is added with it. The new lines are written in the file's own indentation, quotes, list style and line
// ends, behind what stands beside them, and no other byte changes. Maps and lists in flow style, and places that anchors
// share, are refused. The result is proven. The error is a *Refusal, and the file is then left alone.
func Insert(file []byte, document int, p Path, value any) (Edit, error) {
	value, err := normal(value)
	if err != nil {
		return Edit{}, refuse(NotScalar, "the new value cannot be written")
	}
	c, parent, depth, err := deepest(file, document, p)
	if err != nil {
		return Edit{}, err
	}
	if depth == len(p) {
		return Edit{}, refuse(Duplicate, "%s is in this document already", p)
	}
	piece, err := addition(p, depth, value)
	if err != nil {
		return Edit{}, err
	}
	at, lines, err := written(file, c, parent, p[depth], piece)
	if err != nil {
		return Edit{}, asRefusal(err)
	}
	if len(lines) > mostLines {
		return Edit{}, refuse(Large, "%s takes %d lines, more than %d", p, len(lines), mostLines)
	}
	text := framed(file, at.to, lines)
	out := make([]byte, 0, len(file)+len(text))
	out = append(append(append(out, file[:at.to]...), text...), file[at.to:]...)
	line := at.line + bytes.Count(file[at.from:at.to], []byte("\n"))
	if at.to > 0 && file[at.to-1] != '\n' {
		line++
	}
	e := Edit{Place: Place{Line: line, From: at.to, To: at.to}, Bytes: out, NewText: strings.TrimSpace(strings.Join(lines, "\n"))}
	return e, proveDocument(file, out, document, Add, p, value)
}

// deepest goes down a path as far as the document leads, over nothing that is shared, and checks that lines may be added to
// or taken from the document there.
func deepest(file []byte, document int, p Path) (chunk, *yaml3.Node, int, error) {
	chunks := split(file)
	if document < 0 || document >= len(chunks) {
		return chunk{}, nil, 0, refuse(NotFound, "the file has %d documents, and %d was asked for", len(chunks), document+1)
	}
	c := chunks[document]
	at, err := node(file[c.start:c.end])
	if err != nil {
		return c, nil, 0, refuse(Unreadable, "the document cannot be read: %v", err)
	}
	if at == nil {
		return c, nil, 0, refuse(NotFound, "the document is empty")
	}
	if err := safe(file, c, Place{Line: c.line, From: c.start, To: c.start}); err != nil {
		return c, nil, 0, err
	}
	for i := range p {
		if at.Kind == yaml3.AliasNode || at.Anchor != "" || len(values(at, "<<")) > 0 {
			return c, nil, i, refuse(Alias, "%s is shared with other places by an anchor", p[:i])
		}
		next, err := child(at, p, i)
		var r *Refusal
		switch {
		case errors.As(err, &r) && r.Rule == NotFound:
			return c, at, i, nil
		case err != nil:
			return c, nil, i, err
		}
		at = next
	}
	return c, at, len(p), nil
}

// written is the lines of a new entry of parent, and the lines behind which they stand.
func written(file []byte, c chunk, parent *yaml3.Node, step Step, piece any) (span, []string, error) {
	if parent.Style&yaml3.FlowStyle != 0 {
		return span{}, nil, refuse(Flow, "the place on line %d is written in flow style", c.line+parent.Line-1)
	}
	root, err := node(file[c.start:c.end])
	if err != nil {
		return span{}, nil, refuse(Unreadable, "the document cannot be read: %v", err)
	}
	e := emitter{style: styleOf(root)}
	e.quote = quoteOf(parent)
	n := len(parent.Content)
	switch {
	case n >= 2 && parent.Kind == yaml3.MappingNode && step.Field != "":
		key, value := parent.Content[n-2], parent.Content[n-1]
		if err := e.field(key.Column-1, step.Field, piece); err != nil {
			return span{}, nil, err
		}
		at, ok := entry(file, c, key.Line, key.Column, value.Kind == yaml3.SequenceNode)
		return at, e.lines, certain(ok)
	case n >= 1 && parent.Kind == yaml3.SequenceNode && step.Field == "":
		last := parent.Content[n-1]
		start := lineStart(file, c, last.Line)
		if gap := last.Column - parent.Column; gap < 2 || start < 0 || start+parent.Column > c.end || file[start+parent.Column-1] != '-' {
			return span{}, nil, certain(false)
		}
		if err := e.item(parent.Column-1, last.Column-parent.Column, piece); err != nil {
			return span{}, nil, err
		}
		at, ok := entry(file, c, last.Line, parent.Column, false)
		return at, e.lines, certain(ok)
	}
	return span{}, nil, refuse(NotScalar, "line %d holds nothing that could be added to", c.line+parent.Line-1)
}

func certain(ok bool) error {
	if ok {
		return nil
	}
	return refuse(NotProven, "the place is not certain")
}

// framed joins new lines with the line ends of the file, and keeps a missing last one missing.
func framed(file []byte, at int, lines []string) string {
	end := "\n"
	if i := bytes.IndexByte(file, '\n'); i > 0 && file[i-1] == '\r' {
		end = "\r\n"
	}
	text := strings.Join(lines, end)
	if at > 0 && file[at-1] != '\n' {
		return end + text
	}
	return text + end
}

// Remove takes a field or an item of a list out of one document of a file, with its lines and no other byte. What is the
// only entry of its map or list, or shares its line with the dash of a list, is refused, and so is what Insert refuses.
func Remove(file []byte, document int, p Path) (Edit, error) {
	if len(p) == 0 {
		return Edit{}, refuse(NotScalar, "a whole document is not removed")
	}
	c, parent, depth, err := deepest(file, document, p[:len(p)-1])
	if err != nil {
		return Edit{}, err
	}
	if depth < len(p)-1 {
		return Edit{}, refuse(NotFound, "%s is not in this document", p)
	}
	if _, _, _, err := deepest(file, document, p); err != nil {
		return Edit{}, err
	}
	target, err := child(parent, p, len(p)-1)
	if err != nil {
		return Edit{}, err
	}
	if target.Anchor != "" || target.Kind == yaml3.AliasNode {
		return Edit{}, refuse(Alias, "%s is shared with other places by an anchor", p)
	}
	at, err := lines(file, c, parent, target, p)
	if err != nil {
		return Edit{}, err
	}
	taken := file[at.from:at.to]
	for line := range bytes.Lines(taken) {
		if bytes.Contains(line, []byte("$imagepolicy")) {
			return Edit{}, refuse(Automated, "%s belongs to image automation", p)
		}
	}
	if n := bytes.Count(taken, []byte("\n")); n > mostLines {
		return Edit{}, refuse(Large, "%s takes %d lines, more than %d", p, n, mostLines)
	}
	from := at.from
	if len(taken) > 0 && taken[len(taken)-1] != '\n' { // the last line ends as the file did: without a line end
		from = len(bytes.TrimRight(file[:from], "\r\n"))
	}
	out := append(bytes.Clone(file[:from]), file[at.to:]...)
	e := Edit{Place: Place{Line: at.line, From: from, To: at.to}, Bytes: out, OldText: strings.TrimSpace(string(taken))}
	if target.Kind == yaml3.ScalarNode {
		if e.Old, err = meaning(file[c.start:c.end], p); err != nil {
			return Edit{}, err
		}
	}
	return e, proveDocument(file, out, document, Drop, p, nil)
}

// lines are the lines of one entry of parent.
func lines(file []byte, c chunk, parent, target *yaml3.Node, p Path) (span, error) {
	if parent.Style&yaml3.FlowStyle != 0 {
		return span{}, refuse(Flow, "%s is written in flow style", p)
	}
	entries, line, column := len(parent.Content), target.Line, parent.Column
	if parent.Kind == yaml3.MappingNode {
		entries /= 2
		for i := 0; i+1 < len(parent.Content); i += 2 {
			if parent.Content[i+1] == target {
				line, column = parent.Content[i].Line, parent.Content[i].Column
			}
		}
	}
	if entries < 2 {
		return span{}, refuse(NotProven, "%s is all that its map or list holds, so removing it would leave it empty", p)
	}
	start := lineStart(file, c, line)
	if start < 0 || start+column > c.end || len(bytes.TrimLeft(file[start:start+column-1], " ")) > 0 {
		return span{}, refuse(NotProven, "%s shares its line with what stands before it", p)
	}
	at, ok := entry(file, c, line, column, parent.Kind == yaml3.MappingNode && target.Kind == yaml3.SequenceNode)
	return at, certain(ok)
}

// asRefusal is the refusal that an error is or wraps.
func asRefusal(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return refuse(NotProven, "%v", err)
}
