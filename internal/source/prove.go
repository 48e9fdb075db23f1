package source

import (
	"bytes"
	"fmt"
	"maps"

	yaml3 "go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/json"
)

// prove shows that the file after differs from the file before in one scalar of one document at most, and that this scalar
// now reads as value. Both files are read again from their bytes, in two ways: node by node as YAML 1.2, comments and all,
// and as the JSON that Kubernetes tools make of them, where YAML 1.1 holds and anchors are spelled out.
func prove(before, after []byte, document int, p Path, value any) error {
	old, now := split(before), split(after)
	if len(old) != len(now) {
		return refuse(NotProven, "the number of documents would change")
	}
	for i := range old {
		a, b := before[old[i].start:old[i].end], after[now[i].start:now[i].end]
		if i != document {
			if !bytes.Equal(a, b) {
				return refuse(NotProven, "another document would change")
			}
			continue
		}
		for _, end := range []string{"\n", "\r"} {
			if bytes.Count(a, []byte(end)) != bytes.Count(b, []byte(end)) {
				return refuse(NotProven, "the lines would change")
			}
		}
		asIs := func(document []byte) ([]byte, error) { return document, nil }
		for _, reading := range []func([]byte) ([]byte, error){asIs, toJSON} {
			if err := proveReading(a, b, reading, p, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// proveDocument shows that the file after differs from the file before in one field of one document that was added or
// dropped. Both are read again from their bytes, as YAML 1.2 and as the JSON that Kubernetes tools make of them.
func proveDocument(before, after []byte, document int, op Op, p Path, value any) error {
	if err := proveFraming(before, after); err != nil {
		return err
	}
	old, now := split(before), split(after)
	for i := range old {
		a, b := before[old[i].start:old[i].end], after[now[i].start:now[i].end]
		if i != document {
			if !bytes.Equal(bytes.TrimRight(a, "\r\n"), bytes.TrimRight(b, "\r\n")) {
				return refuse(NotProven, "another document would change")
			}
			continue
		}
		for _, reading := range []func([]byte) (any, error){asYAML, asKubernetes} {
			was, errA := reading(a)
			is, errB := reading(b)
			if errA != nil || errB != nil || !moved(was, is, op, p, value) {
				return refuse(NotProven, "more or less than %s would change", p)
			}
		}
	}
	return nil
}

func asYAML(document []byte) (any, error) {
	root, err := node(document)
	if err != nil {
		return nil, err
	}
	if err := bounded(root, len(document)); err != nil {
		return nil, err
	}
	var v any
	if root == nil {
		return nil, nil
	}
	if err := root.Decode(&v); err != nil {
		return nil, errGaveUp
	}
	return normal(v)
}

func asKubernetes(document []byte) (any, error) {
	asJSON, err := toJSON(document)
	if err != nil {
		return nil, err
	}
	var v any
	if err := json.Unmarshal(asJSON, &v); err != nil {
		return nil, errGaveUp
	}
	return v, nil
}

func proveReading(before, after []byte, reading func([]byte) ([]byte, error), p Path, value any) error {
	var trees [2]*yaml3.Node
	for i, document := range [][]byte{before, after} {
		read, err := reading(document)
		if err != nil {
			return refuse(NotProven, "the document cannot be read again: %v", err)
		}
		if trees[i], err = node(read); err != nil {
			return refuse(NotProven, "the document cannot be read again: %v", err)
		}
	}
	leaf, err := descend(trees[1], p)
	if err != nil || !holds(leaf, value) {
		return refuse(NotProven, "%s would not read as the new value", p)
	}
	if n := differing(flatten(trees[0]), flatten(trees[1])); n > 1 {
		return refuse(NotProven, "more than %s would change", p)
	}
	return nil
}

// flatten lists every node of a document with its comments, by its position in the tree.
func flatten(root *yaml3.Node) map[string]string {
	flat := map[string]string{}
	var walk func(n *yaml3.Node, at string)
	walk = func(n *yaml3.Node, at string) {
		flat[at] = fmt.Sprintf("%d %s %s %q", n.Kind, n.ShortTag(), n.Anchor, n.Value)
		flat[at+"#"] = fmt.Sprintf("%q %q %q", n.HeadComment, n.LineComment, n.FootComment)
		for i, child := range n.Content {
			walk(child, fmt.Sprintf("%s/%d", at, i))
		}
	}
	if root != nil {
		walk(root, "")
	}
	return flat
}

// differing counts the positions at which two trees differ.
func differing(a, b map[string]string) int {
	n := 0
	all := maps.Clone(a)
	maps.Copy(all, b)
	for at := range all {
		x, inA := a[at]
		y, inB := b[at]
		if inA != inB || x != y {
			n++
		}
	}
	return n
}
