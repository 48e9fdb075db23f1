package policies

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"

	"moorgate.dev/api/v1alpha1"
)

// Parse reads the Guardrails of a YAML file as strictly as the API server and its fences do, with no server at hand. file is
// its name, for messages. Every problem is reported, each as "file:line: field: what is wrong": a field that this version
// does not know, a value of the wrong kind or out of bounds, thresholds out of order, a label that can be none, a freeze window that
// makes no sense, a second Guardrail of the same name, or anything that is not a Guardrail. What the file leaves out has the schema's defaults.
func Parse(file string, content []byte) ([]unstructured.Unstructured, error) {
	schema, err := guardrailSchema()
	if err != nil {
		return nil, err
	}
	r := reader{file: file}
	var guardrails []unstructured.Unstructured
	seen := map[string]bool{}
	documents := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document yaml.Node
		err := documents.Decode(&document)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		root := document.Content[0]
		if root.Tag == "!!null" {
			continue
		}
		before := len(r.problems)
		r.check(root, schema, "")
		if len(r.problems) > before {
			continue
		}
		r.checkSense(child(root, "spec"), schema.Properties["spec"])
		if u, ok := r.guardrail(root); ok {
			if seen[u.GetName()] {
				r.say(root, "metadata.name", "%s is the name of another Guardrail in this file", u.GetName())
			}
			seen[u.GetName()] = true
			fill(u.Object, schema)
			guardrails = append(guardrails, u)
		}
	}
	if len(r.problems) > 0 {
		return nil, errors.Join(r.problems...)
	}
	return guardrails, nil
}

// reader collects what is wrong with a file.
type reader struct {
	file     string
	problems []error
}

func (r *reader) say(at *yaml.Node, field, format string, args ...any) {
	if field = strings.TrimPrefix(field, "."); field != "" {
		field += ": "
	}
	r.problems = append(r.problems, fmt.Errorf("%s:%d: %s%s", r.file, at.Line, field, fmt.Sprintf(format, args...)))
}

// guardrail turns a document whose fields are in order into an object.
func (r *reader) guardrail(root *yaml.Node) (unstructured.Unstructured, bool) {
	before := len(r.problems)
	if got, want := text(root, "apiVersion"), v1alpha1.GroupVersion.String(); got != want {
		r.say(root, "apiVersion", "%q is not %s", got, want)
	}
	if got := text(root, "kind"); got != "Guardrail" {
		r.say(root, "kind", "%q is not Guardrail", got)
	}
	var object map[string]any
	if err := root.Decode(&object); err != nil {
		r.say(root, "", "%v", err)
		return unstructured.Unstructured{}, false
	}
	asJSON, err := json.Marshal(object)
	if err != nil {
		r.say(root, "", "%v", err)
		return unstructured.Unstructured{}, false
	}
	if err := checkMetadata(object["metadata"]); err != nil {
		r.say(orElse(child(root, "metadata"), root), "metadata", "%v", err)
	}
	var u unstructured.Unstructured
	if err := u.UnmarshalJSON(asJSON); err != nil && len(r.problems) == before {
		r.say(root, "", "%v", err)
	}
	return u, len(r.problems) == before
}

func checkMetadata(metadata any) error {
	asJSON, err := json.Marshal(metadata)
	if err != nil {
		return err
	}
	var meta metav1.ObjectMeta
	strict := json.NewDecoder(bytes.NewReader(asJSON))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&meta); err != nil {
		return err
	}
	if wrong := validation.IsDNS1123Subdomain(meta.Name); len(wrong) > 0 {
		return fmt.Errorf("name %q: %s", meta.Name, wrong[0])
	}
	if meta.Namespace != "" {
		return errors.New("a Guardrail has no namespace")
	}
	return nil
}

// child is the value of a key of a mapping, or nil.
func child(mapping *yaml.Node, key string) *yaml.Node {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

func text(mapping *yaml.Node, key string) string {
	if v := child(mapping, key); v != nil {
		return v.Value
	}
	return ""
}

func orElse(n, otherwise *yaml.Node) *yaml.Node {
	if n == nil {
		return otherwise
	}
	return n
}
