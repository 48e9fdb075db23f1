package source

import (
	"fmt"

	yaml3 "go.yaml.in/yaml/v3"
)

// Refusal says by name why a value is not touched. It is an answer, not a failure.
type Refusal struct {
	Rule string // stable: one of the constants below
	Text string
}

func (r *Refusal) Error() string { return r.Text }

// Why a value is not touched.
const (
	NotFound   = "not-found"  // the document does not have this field
	NotScalar  = "not-scalar" // the field is a map or a list, or would become one
	Alias      = "alias"      // the value is shared with other places
	Block      = "block"      // the value is a block of text, or spans lines
	Tagged     = "tagged"     // the value has a type of its own: !!binary
	Duplicate  = "duplicate"  // the document has a key twice
	Encrypted  = "encrypted"  // the document is encrypted by SOPS
	Templated  = "templated"  // the file is a template
	Automated  = "automated"  // image automation owns the line
	Unreadable = "unreadable" // the document is no YAML that both parsers understand
	NotProven  = "not-proven" // the result could not be shown to differ in this value alone
	Flow       = "flow"       // lines cannot be added to or taken from a map or list in flow style
	Generated  = "generated"  // a tool writes the file, or makes the object out of it
	Large      = "large"      // the change takes more lines than a person should have to read
	Framing    = "framing"    // the byte order mark, the line ends or the number of documents would change
	Shared     = "shared"     // the change would move other fields, other objects or other roots
	Composite  = "composite"  // several values make the field
	NoEffect   = "no-effect"  // the rendered field would not take the value
	Costly     = "costly"     // it would take too many renders to tell
	NotRead    = "not-read"   // the root cannot be rendered, or does not have the object
	DryRun     = "dry-run"    // the API server's answer to the new desired state still shows a drift
)

func refuse(rule, format string, args ...any) *Refusal {
	return &Refusal{Rule: rule, Text: fmt.Sprintf(format, args...)}
}

// Place is where a scalar stands in its file. The bytes from From up to To are the scalar with its quotes.
type Place struct {
	Line     int // from 1
	From, To int
}

// Locate finds the scalar at a path in one document of a file, from 0. The error is a *Refusal.
func Locate(file []byte, document int, p Path) (Place, error) {
	_, _, place, err := locate(file, document, p)
	return place, err
}

func locate(file []byte, document int, p Path) (chunk, *yaml3.Node, Place, error) {
	chunks := split(file)
	if document < 0 || document >= len(chunks) {
		return chunk{}, nil, Place{}, refuse(NotFound, "the file has %d documents, and %d was asked for", len(chunks), document+1)
	}
	c := chunks[document]
	root, err := node(file[c.start:c.end])
	if err != nil {
		return c, nil, Place{}, refuse(Unreadable, "the document cannot be read: %v", err)
	}
	leaf, err := descend(root, p)
	if err != nil {
		return c, nil, Place{}, err
	}
	place, err := token(file, c, leaf, p)
	return c, leaf, place, err
}

// descend follows a path from a document's root to a scalar that stands there and nowhere else.
func descend(at *yaml3.Node, p Path) (*yaml3.Node, error) {
	for i := 0; ; i++ {
		switch {
		case at == nil:
			return nil, refuse(NotFound, "%s is not in this document", p)
		case at.Kind == yaml3.AliasNode || at.Anchor != "":
			return nil, refuse(Alias, "%s is shared with other places by an anchor", p[:i])
		case i == len(p) && at.Kind != yaml3.ScalarNode:
			return nil, refuse(NotScalar, "%s is not a single value", p)
		case i == len(p):
			return at, nil
		}
		next, err := child(at, p, i)
		if err != nil {
			return nil, err
		}
		at = next
	}
}

func child(at *yaml3.Node, p Path, i int) (*yaml3.Node, error) {
	step := p[i]
	var found []*yaml3.Node
	switch {
	case step.Field != "" && at.Kind == yaml3.MappingNode:
		found = values(at, step.Field)
		if len(found) == 0 && len(values(at, "<<")) > 0 {
			return nil, refuse(Alias, "%s comes from a merge key", p[:i+1])
		}
	case step.Index != nil && at.Kind == yaml3.SequenceNode && *step.Index >= 0 && *step.Index < len(at.Content):
		found = at.Content[*step.Index : *step.Index+1]
	case at.Kind == yaml3.SequenceNode:
		for _, item := range at.Content {
			if matches(item, step) {
				found = append(found, item)
			}
		}
	}
	switch len(found) {
	case 0:
		return nil, refuse(NotFound, "%s is not in this document", p[:i+1])
	case 1:
		return found[0], nil
	}
	return nil, refuse(Duplicate, "%s stands in this document %d times", p[:i+1], len(found))
}

// matches reports whether an item of a list is the one that a step means. A key that the manifest leaves out has its
// default there, so an item matches on the keys that it does state, of which there must be one.
func matches(item *yaml3.Node, step Step) bool {
	if step.Value != nil {
		return holds(item, step.Value)
	}
	stated := 0
	for _, k := range step.Keys {
		for _, v := range values(item, k.Name) {
			if !holds(v, k.Value) {
				return false
			}
			stated++
		}
	}
	return stated > 0
}

func values(at *yaml3.Node, field string) []*yaml3.Node {
	if at.Kind != yaml3.MappingNode {
		return nil
	}
	var found []*yaml3.Node
	for i := 0; i+1 < len(at.Content); i += 2 {
		if at.Content[i].Kind == yaml3.ScalarNode && at.Content[i].Value == field {
			found = append(found, at.Content[i+1])
		}
	}
	return found
}

func holds(n *yaml3.Node, want any) bool {
	var got any
	return n.Kind == yaml3.ScalarNode && n.Decode(&got) == nil && same(got, want)
}
