package drift

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"moorgate.dev/internal/source"
)

// other is another kustomization of the repository, which no edit may move. It is rendered only where a file is changed that it
// may read, and as Git has it only once: a base may have hundreds.
type other struct {
	name   string
	reads  []string
	files  map[string][]byte // as Git has them
	render source.Renderer

	lock sync.Mutex
	was  *[sha256.Size]byte // a hash of what it makes of these; nil: it was not rendered yet
}

// moved is a Renderer that tells whether files would move an other: it makes nothing where they do not, and one object where they do.
func (o *other) moved(files map[string][]byte) ([]*unstructured.Unstructured, error) {
	if !slices.ContainsFunc(o.reads, func(file string) bool { return !bytes.Equal(files[file], o.files[file]) }) {
		return nil, nil
	}
	o.lock.Lock()
	defer o.lock.Unlock()
	if o.was == nil {
		was, err := o.makes(o.files)
		if err != nil {
			return nil, &source.Refusal{Rule: source.NotRead, Text: fmt.Sprintf("the root %s, which may read it too, cannot be rendered", o.name)}
		}
		o.was = &was
	}
	if is, err := o.makes(files); err == nil && is == *o.was {
		return nil, nil
	}
	return []*unstructured.Unstructured{{Object: map[string]any{"apiVersion": "v1", "kind": "Moved", "metadata": map[string]any{"name": o.name}}}}, nil
}

// makes is a hash of what files make.
func (o *other) makes(files map[string][]byte) ([sha256.Size]byte, error) {
	objects, err := o.render(files)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	b, err := json.Marshal(objects)
	return sha256.Sum256(b), err
}
