package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"unicode/utf8"

	yaml3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// toJSON reads one document the way Kubernetes tools do: YAML 1.1, the last of several equal keys wins. An empty document
// is null.
func toJSON(document []byte) (asJSON []byte, err error) {
	defer func() {
		if recover() != nil {
			asJSON, err = nil, errGaveUp
		}
	}()
	root, err := node(document)
	if err != nil {
		return nil, err
	}
	if err := bounded(root, len(document)); err != nil {
		return nil, err
	}
	asJSON, err = yaml.YAMLToJSON(document)
	if err != nil {
		return nil, notYAML(err)
	}
	return asJSON, nil
}

// node parses one document for the positions of its parts. The root of an empty document is nil.
func node(document []byte) (root *yaml3.Node, err error) {
	defer func() {
		if recover() != nil {
			root, err = nil, errGaveUp
		}
	}()
	if !utf8.Valid(document) {
		return nil, errors.New("it is not UTF-8")
	}
	d := yaml3.NewDecoder(bytes.NewReader(document))
	var doc yaml3.Node
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, notYAML(err)
	}
	var more yaml3.Node
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the end of the document (a line with ...)")
	}
	if doc.Kind != yaml3.DocumentNode || len(doc.Content) != 1 {
		return nil, nil
	}
	return doc.Content[0], nil
}

var (
	errGaveUp = errors.New("the YAML parser gave up on it")
	// parserLine is where a parser says that it stopped. Nothing that the document says can stand before it.
	parserLine = regexp.MustCompile(`^(?:error converting YAML to JSON: )?yaml: (?:unmarshal errors:\s+)?line ([0-9]{1,9}): `)
)

// notYAML is a parser's error without the parser's words: they may repeat what the document says, and that may be secret.
func notYAML(err error) error {
	if at := parserLine.FindStringSubmatch(err.Error()); at != nil {
		return fmt.Errorf("it is not YAML that Kubernetes tools can read (the parser stopped at line %s of the document)", at[1])
	}
	return errors.New("it is not YAML that Kubernetes tools can read")
}

// spared is how long a document may become by its aliases, however short it is.
const spared = 64 << 10

// bounded refuses a document whose aliases make it much longer than it looks, before anything spells them out: parsers
// count the nodes of an alias, but not their bytes.
func bounded(root *yaml3.Node, length int) error {
	limit := int64(4*length + spared)
	sizes := map[*yaml3.Node]int64{}
	var size func(n *yaml3.Node) (int64, error)
	size = func(n *yaml3.Node) (int64, error) {
		if n == nil {
			return 0, nil
		}
		if known, seen := sizes[n]; seen && known < 0 {
			return 0, errors.New("an alias in it holds itself")
		} else if seen {
			return known, nil
		}
		sizes[n] = -1
		total := int64(len(n.Value)) + 1
		for _, part := range append(n.Content[:len(n.Content):len(n.Content)], n.Alias) {
			s, err := size(part)
			if err != nil {
				return 0, err
			}
			if total += s; total > limit {
				return 0, fmt.Errorf("its aliases make more than %d KiB of its %d KiB", limit>>10, length>>10)
			}
		}
		sizes[n] = total
		return total, nil
	}
	_, err := size(root)
	return err
}
