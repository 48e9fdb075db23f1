package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	yaml3 "go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

// scalars lists the path of every scalar of a document, with its decoded value, the way that paths are written here.
func scalars(n *yaml3.Node, p Path, found func(Path, *yaml3.Node)) {
	p = p[:len(p):len(p)]
	switch n.Kind {
	case yaml3.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value != "" {
				scalars(n.Content[i+1], append(p, Step{Field: n.Content[i].Value}), found)
			}
		}
	case yaml3.SequenceNode:
		for i, item := range n.Content {
			scalars(item, append(p, Step{Index: &i}), found)
		}
	case yaml3.ScalarNode:
		found(p, n)
	}
}

// checkSplice is the promise: for every scalar and every value, either a Refusal, or a file that differs in the bytes of
// that scalar alone and reads as the old tree with that one value.
func checkSplice(t interface {
	Fatalf(string, ...any)
}, file []byte, document int, p Path, value any) {
	e, err := Splice(file, document, p, value)
	if err != nil {
		var r *Refusal
		if !errors.As(err, &r) {
			t.Fatalf("%s: %v is no refusal", p, err)
		}
		return
	}
	tail := file[e.To:]
	if !bytes.HasPrefix(e.Bytes, file[:e.From]) || !bytes.HasSuffix(e.Bytes, tail) || len(e.Bytes) < e.From+len(tail) {
		t.Fatalf("%s: bytes outside of %d to %d changed", p, e.From, e.To)
	}
	before, after := tree(file, document), tree(e.Bytes, document)
	if n := changes(before, after); n > 1 {
		t.Fatalf("%s: %d leaves changed\n%s\n%s", p, n, file, e.Bytes)
	}
	again, err := Splice(e.Bytes, document, p, value)
	if err != nil || !bytes.Equal(again.Bytes, e.Bytes) {
		t.Fatalf("%s: the same value again is not a change of nothing: %v", p, err)
	}
	back, err := Splice(e.Bytes, document, p, e.Old)
	if err == nil && changes(before, tree(back.Bytes, document)) != 0 {
		t.Fatalf("%s: going back does not give the old tree", p)
	}
}

func tree(file []byte, document int) any {
	c := split(file)[document]
	asJSON, err := toJSON(file[c.start:c.end])
	if err != nil {
		return err.Error()
	}
	var v any
	_ = json.Unmarshal(asJSON, &v)
	return v
}

func changes(a, b any) int {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return 2
		}
		n := 0
		for k := range x {
			if _, there := y[k]; !there {
				return 2
			}
			n += changes(x[k], y[k])
		}
		return n
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return 2
		}
		n := 0
		for i := range x {
			n += changes(x[i], y[i])
		}
		return n
	}
	if reflect.DeepEqual(a, b) {
		return 0
	}
	return 1
}

func FuzzSplice(f *testing.F) {
	for _, seed := range []string{web, "a: &x 1\nb: *x\n", "a: 'it''s'\n", "- a\n- 'b'\n", "\ufeffa: 1\n", "a:\r\n - \"\\u00e9\"\r\n", "? a\n: b\n",
		"a: 1\n...\nb: 2\n", "--- {a: 1}\n--- \nb: >-\n  x\n", "a: 2001-01-01\nb: 0x10\nc: 0o7\nd: 1e3\ne: ~\nf:\n"} {
		f.Add(seed, "new", int64(7), false)
	}
	f.Fuzz(func(t *testing.T, file, text string, number int64, useNumber bool) {
		_, _ = Read(map[string][]byte{"f.yaml": []byte(file)}, Wanted{Namespace: "ns"})
		var value any = text
		if useNumber {
			value = number
		}
		for i, c := range split([]byte(file)) {
			if i == 4 {
				break
			}
			root, err := node([]byte(file)[c.start:c.end])
			if err != nil || root == nil {
				continue
			}
			n := 0
			scalars(root, nil, func(p Path, _ *yaml3.Node) {
				if n++; n <= 6 {
					checkSplice(t, []byte(file), i, p, value)
				}
			})
		}
	})
}

func TestSpliceChangesExactlyOneLeafOfAnyManifest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		file := []byte(drawFile(t))
		documents := split(file)
		which := rapid.IntRange(0, len(documents)-1).Draw(t, "document")
		root, err := node(file[documents[which].start:documents[which].end])
		if err != nil {
			t.Fatalf("the generator made no YAML: %v\n%s", err, file)
		}
		var value any = drawText(t, "new")
		if rapid.Bool().Draw(t, "number") {
			value = rapid.Int64Range(-9, 1e6).Draw(t, "n")
		}
		spliced := 0
		scalars(root, nil, func(p Path, n *yaml3.Node) {
			checkSplice(t, file, which, p, value)
			var same any
			if n.Decode(&same) == nil && same != nil {
				if e, err := Splice(file, which, p, same); err == nil {
					spliced++
					if !bytes.Equal(e.Bytes, file) {
						t.Fatalf("%s: its own value changes the file\n%s\n%s", p, file, e.Bytes)
					}
				}
			}
		})
		if spliced == 0 {
			t.Fatalf("nothing could be spliced\n%s", file)
		}
	})
}

func drawText(t *rapid.T, label string) string {
	return rapid.OneOf(rapid.StringMatching(`[a-z0-9.:/@_-]{1,20}`), rapid.String(),
		rapid.SampledFrom([]string{"", "no", "1", "1e3", "null", "~", "a: b", "- a", "#", "a #b", "'", `"`, "*x", "&x", "!!str", "{{", "|", "---", "...", " a "})).Draw(t, label)
}

// drawFile writes one to three documents with the quotes, comments, indents and line ends that people use.
func drawFile(t *rapid.T) string {
	var b strings.Builder
	for i := range rapid.IntRange(1, 3).Draw(t, "documents") {
		if i > 0 || rapid.Bool().Draw(t, "marker") {
			b.WriteString("---\n")
		}
		fmt.Fprintf(&b, "# head %d\nkind: X\nspec:\n  size: %d # how many\n", i, rapid.IntRange(0, 99).Draw(t, "size"))
		fmt.Fprintf(&b, "  flow: {a: %s, list: [1, 'two']}\n", rapid.SampledFrom([]string{"x", `"x, y"`, "'{'", "3"}).Draw(t, "flow"))
		for j := range rapid.IntRange(1, 3).Draw(t, "items") {
			pad := rapid.SampledFrom([]string{"  ", "    "}).Draw(t, "pad")
			fmt.Fprintf(&b, "  l%d:\n%s- name: n%d\n\n%s  value: %s%s\n", j, pad, j, pad, scalar(t), rapid.SampledFrom([]string{"", " # ü", "  "}).Draw(t, "comment"))
		}
	}
	file := b.String()
	if rapid.Bool().Draw(t, "crlf") {
		file = strings.ReplaceAll(file, "\n", "\r\n")
	}
	if rapid.Bool().Draw(t, "cut") {
		file = strings.TrimRight(file, "\r\n")
	}
	return file
}

func scalar(t *rapid.T) string {
	text := rapid.StringMatching(`[a-zü][a-z0-9:/]{0,8}[a-z]`).Draw(t, "text")
	switch rapid.IntRange(0, 3).Draw(t, "style") {
	case 0:
		return "'" + text + " ''q'''"
	case 1:
		b, _ := json.Marshal(text + "\t\"é")
		return string(b)
	case 2:
		return "|\n        " + text
	}
	return text
}
