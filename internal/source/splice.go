package source

import (
	"bytes"
	"encoding/json"
	"strings"

	yaml3 "go.yaml.in/yaml/v3"
)

// Edit is a file with one value changed.
type Edit struct {
	Place          // of the old value
	Bytes   []byte // the whole new file
	Old     any    // the value as it was: a JSON scalar
	OldText string // the field and its value as they were written: image: "shop/web:1.4"
	NewText string // and as they are written now
}

// Splice changes one scalar in one document of a file to a JSON scalar: a string, a bool or a number. The quotes stay as
// they were where they can. The result has been proven: read again by two parsers, it differs in this one value alone.
// The error is a *Refusal, and the file is then left alone.
func Splice(file []byte, document int, p Path, value any) (Edit, error) {
	c, leaf, place, err := locate(file, document, p)
	if err != nil {
		return Edit{}, err
	}
	if err := safe(file, c, place); err != nil {
		return Edit{}, err
	}
	candidates, err := spellings(leaf, value)
	if err != nil {
		return Edit{}, err
	}
	was := string(file[place.From:place.To])
	old, err := meaning(file[c.start:c.end], p)
	if err == nil && same(old, value) {
		return Edit{Place: place, Bytes: bytes.Clone(file), Old: old, OldText: key(p) + was, NewText: key(p) + was}, nil
	}
	var why error
	for _, text := range candidates {
		out := make([]byte, 0, len(file)+len(text))
		out = append(append(append(out, file[:place.From]...), text...), file[place.To:]...)
		if err := prove(file, out, document, p, value); err != nil {
			why = err
			continue
		}
		e := Edit{Place: place, Bytes: out, OldText: key(p) + was, NewText: key(p) + text}
		e.Old, err = meaning(file[c.start:c.end], p)
		return e, err
	}
	return Edit{}, why
}

// meaning is the scalar at a path as Kubernetes tools read it: an unquoted no is false to them.
func meaning(document []byte, p Path) (any, error) {
	asJSON, err := toJSON(document)
	if err != nil {
		return nil, refuse(Unreadable, "the document cannot be read: %v", err)
	}
	root, err := node(asJSON)
	if err != nil {
		return nil, refuse(Unreadable, "the document cannot be read: %v", err)
	}
	leaf, err := descend(root, p)
	if err != nil {
		return nil, err
	}
	var v any
	if err := leaf.Decode(&v); err != nil {
		return nil, refuse(Unreadable, "%s cannot be read", p) // the parser's own words may quote it
	}
	if n, isInt := v.(int); isInt {
		return int64(n), nil // as Kubernetes has it
	}
	return v, nil
}

func key(p Path) string {
	if len(p) == 0 || p[len(p)-1].Field == "" {
		return "- "
	}
	return p[len(p)-1].Field + ": "
}

// safe refuses documents in which a change of bytes could mean more than it says.
func safe(file []byte, c chunk, place Place) error {
	document := file[c.start:c.end]
	if bytes.Contains(file, []byte("{{")) {
		return refuse(Templated, "the file holds {{, so it is a template")
	}
	if generated(file) {
		return refuse(Generated, "the file says that a tool writes it")
	}
	if err := owned(file, c, place); err != nil {
		return err
	}
	root, err := node(document)
	if err != nil {
		return refuse(Unreadable, "the document cannot be read: %v", err)
	}
	if len(values(root, "sops")) > 0 {
		return refuse(Encrypted, "the document is encrypted by SOPS")
	}
	if line := duplicate(root); line > 0 {
		return refuse(Duplicate, "the document has a key twice in one place, again on line %d", c.line+line-1)
	}
	return nil
}

// duplicate is the line of a key that stands in its map already, or zero.
func duplicate(n *yaml3.Node) int {
	seen := map[string]bool{}
	for i, child := range n.Content {
		if n.Kind == yaml3.MappingNode && i%2 == 0 && child.Kind == yaml3.ScalarNode {
			if seen[child.Value] {
				return child.Line
			}
			seen[child.Value] = true
		}
		if line := duplicate(child); line > 0 {
			return line
		}
	}
	return 0
}

// spellings are the ways to write a value, the most like the old one first. Which of them means the value is for the proof
// to say: an unquoted 1 is a number, an unquoted "no" is false to some.
func spellings(old *yaml3.Node, value any) ([]string, error) {
	var encoded bytes.Buffer
	e := json.NewEncoder(&encoded)
	e.SetEscapeHTML(false)
	switch value.(type) {
	case string, bool, int, int32, int64, float64:
	default:
		return nil, refuse(NotScalar, "the new value is not a string, a bool or a number")
	}
	if err := e.Encode(value); err != nil {
		return nil, refuse(NotScalar, "the new value cannot be written: %v", err)
	}
	double := strings.TrimSuffix(encoded.String(), "\n")
	text, isText := value.(string)
	if !isText {
		return []string{double}, nil
	}
	for _, sign := range []string{"{{", "${", "$imagepolicy"} {
		if strings.Contains(text, sign) {
			return nil, refuse(Templated, "the new value holds %s, which tools that read the file may act on", sign)
		}
	}
	single := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	switch {
	case old.Style&yaml3.SingleQuotedStyle != 0:
		return []string{single, double}, nil
	case old.Style&yaml3.DoubleQuotedStyle != 0:
		return []string{double}, nil
	}
	return []string{text, double}, nil
}
