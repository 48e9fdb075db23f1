package source

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	yaml3 "go.yaml.in/yaml/v3"
)

// candidate is a place in the files that may make a rendered value, and what it is dyed with to see whether it does.
type candidate struct {
	file     string
	document int
	path     Path // empty where the place is no scalar of its own
	line     int
	from, to int
	text     string // what stands there once it is dyed
	dye      any    // what the part of the rendered value then is
	part     Part
	refusal  *Refusal // why the place is not edited even if it makes the value
	near     bool     // it has the name of the rendered field, so it is tried first
}

// hunt collects the candidates for one rendered value.
type hunt struct {
	value any
	word  string // the value as text
	last  string // the name of the rendered field
	found []candidate
}

// candidates are all places of the files that hold the value, or a part of it where it is an image, in the order of the
// files. Scalars that variables fill in are among them, whatever they hold now.
func candidates(files map[string][]byte, value any, p Path) []candidate {
	h := hunt{value: value, word: fmt.Sprint(value)}
	if names := p.Fields(); len(names) > 0 {
		h.last = names[len(names)-1]
	}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		b := files[file]
		if len(b) > 1<<20 || !bytes.Contains(b, []byte("${")) && !h.mentioned(b) {
			continue
		}
		if ext := path.Ext(file); ext != ".yaml" && ext != ".yml" && ext != ".json" && path.Base(file) != "Kustomization" {
			h.foreign(file, b)
			continue
		}
		for i, c := range split(b) {
			root, err := node(b[c.start:c.end])
			if err == nil && root != nil {
				h.walk(page{file: file, bytes: b, chunk: c, document: i}, root, nil, 0)
			}
		}
	}
	return h.found
}

func (h *hunt) mentioned(b []byte) bool {
	for _, p := range h.parts() {
		if word := *p.word; word != "" && bytes.Contains(b, []byte(word)) {
			return true
		}
	}
	return false
}

type wordOf struct {
	part Part
	word *string
}

// parts are the value and, where it is an image, its parts.
func (h *hunt) parts() []wordOf {
	parts := []wordOf{{WholeValue, &h.word}}
	if h.last == "image" {
		i := parseImage(h.word)
		parts = append(parts, wordOf{ImageTag, &i.tag}, wordOf{ImageName, &i.name}, wordOf{ImageDigest, &i.digest})
	}
	return parts
}

// page is the document that is walked through.
type page struct {
	file     string
	bytes    []byte
	chunk    chunk
	document int
}

func (h *hunt) walk(at page, n *yaml3.Node, p Path, keyColumn int) {
	p = p[:len(p):len(p)]
	switch n.Kind {
	case yaml3.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if name := n.Content[i].Value; name != "" {
				h.walk(at, n.Content[i+1], append(p, Step{Field: name}), n.Content[i].Column)
			}
		}
	case yaml3.SequenceNode:
		for i, item := range n.Content {
			h.walk(at, item, append(p, Step{Index: &i}), n.Column)
		}
	case yaml3.ScalarNode:
		h.scalar(at, n, p, keyColumn)
	}
}

func (h *hunt) scalar(at page, n *yaml3.Node, p Path, keyColumn int) {
	c := candidate{file: at.file, document: at.document, path: p, line: at.chunk.line + n.Line - 1}
	names := p.Fields()
	if len(names) > 0 {
		last := names[len(names)-1]
		c.near = last == h.last || slices.Contains([]string{"value", "newTag", "newName", "digest", "count"}, last)
	}
	generator := slices.Contains(names, "configMapGenerator") || slices.Contains(names, "secretGenerator")
	switch {
	case n.Style&(yaml3.LiteralStyle|yaml3.FoldedStyle) != 0:
		if s, ok := entry(at.bytes, at.chunk, n.Line, keyColumn, false); ok && strings.Contains(n.Value, h.word) {
			c.from, c.to, c.refusal = s.from, s.to, refuse(Block, "it stands in a block of text")
			h.within(c, at.bytes)
		}
		return
	case generator && strings.Contains(n.Value, h.word):
		c.refusal = refuse(Generated, "kustomize makes the object out of it")
		if place, ok := h.token(at, n); ok {
			c.from, c.to = place.From, place.To
			h.within(c, at.bytes)
		}
		return
	}
	place, ok := h.token(at, n)
	if !ok {
		return
	}
	c.from, c.to = place.From, place.To
	for _, x := range h.parts() {
		if *x.word != "" && n.Value == *x.word {
			c.part = x.part
			h.dyed(c, n)
		}
	}
	if strings.Contains(n.Value, "${") {
		c.refusal = refuse(Templated, "it holds ${, which is filled in from elsewhere")
		h.dyed(c, n)
	}
}

// token is the place of a scalar, behind its anchor where it has one.
func (h *hunt) token(at page, n *yaml3.Node) (Place, bool) {
	bare := *n
	if n.Anchor != "" {
		bare.Column += len("&" + n.Anchor + " ") // more blanks are not certain, and then it is no candidate
	}
	place, err := token(at.bytes, at.chunk, &bare, nil)
	return place, err == nil
}

// dyed adds a candidate with a value of the type that its scalar has, which nothing else in the files is likely to have.
func (h *hunt) dyed(c candidate, n *yaml3.Node) {
	unique := fmt.Sprintf("zq7k%d", len(h.found))
	c.dye, c.text = any(unique), unique
	switch was := h.value.(type) {
	case bool:
		c.dye = !was
	case int64:
		c.dye = was + 10007 + int64(len(h.found))
	case float64:
		c.dye = was + 10007 + float64(len(h.found))
	case string:
		if h.last == "image" && c.part == WholeValue { // a dyed name would no longer be the one that images: looks for
			i := parseImage(was)
			i.tag, i.digest = unique, ""
			c.dye = i.String()
		}
	}
	if c.part == WholeValue {
		c.text = fmt.Sprint(c.dye)
	}
	switch {
	case n.Style&yaml3.SingleQuotedStyle != 0:
		c.text = "'" + c.text + "'"
	case n.Style&yaml3.DoubleQuotedStyle != 0:
		c.text = `"` + c.text + `"`
	}
	h.found = append(h.found, c)
}

// within adds a candidate that holds the value as part of a longer text.
func (h *hunt) within(c candidate, file []byte) {
	unique := fmt.Sprintf("zq7k%d", len(h.found))
	if _, isText := h.value.(string); !isText {
		unique = fmt.Sprint(10007 + len(h.found))
	}
	if _, isBool := h.value.(bool); isBool {
		unique = fmt.Sprint(h.value != true)
	}
	if c.text = strings.ReplaceAll(string(file[c.from:c.to]), h.word, unique); h.word != "" {
		h.found = append(h.found, c)
	}
}

// foreign adds a file that is no YAML, of which a generator may make an object.
func (h *hunt) foreign(file string, b []byte) {
	if bytes.Contains(b, []byte(h.word)) {
		h.within(candidate{file: file, line: 1, to: len(b), refusal: refuse(Generated, "kustomize makes the object out of the whole file")}, b)
	}
}
