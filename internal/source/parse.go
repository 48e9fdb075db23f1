package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	yaml3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// toJSON reads one document the way Kubernetes tools do: YAML 1.1, the last of several equal keys wins. An empty document
// is null.
func toJSON(document []byte) (asJSON []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			asJSON, err = nil, fmt.Errorf("the YAML parser gave up: %v", r)
		}
	}()
	if _, err := node(document); err != nil {
		return nil, err
	}
	return yaml.YAMLToJSON(document)
}

// node parses one document for the positions of its parts. The root of an empty document is nil.
func node(document []byte) (root *yaml3.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			root, err = nil, fmt.Errorf("the YAML parser gave up: %v", r)
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
		return nil, err
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
