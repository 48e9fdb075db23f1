package policies

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	sigsyaml "sigs.k8s.io/yaml"

	"moorgate.dev/charts"
)

type props = apiextensionsv1.JSONSchemaProps

const guardrailDefinition = "moorgate/crds/moorgate.dev_guardrails.yaml"

// guardrailSchema is the schema that the API server checks Guardrails with. It is part of the binary, and read once.
var guardrailSchema = sync.OnceValues(readGuardrailSchema)

func readGuardrailSchema() (props, error) {
	content, err := charts.Files.ReadFile(guardrailDefinition)
	if err != nil {
		return props{}, fmt.Errorf("read the schema of Guardrails: %w", err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := sigsyaml.UnmarshalStrict(content, &crd); err != nil {
		return props{}, fmt.Errorf("read the schema of Guardrails: %w", err)
	}
	if len(crd.Spec.Versions) != 1 || crd.Spec.Versions[0].Schema == nil {
		return props{}, errors.New("read the schema of Guardrails: want exactly one version")
	}
	return *crd.Spec.Versions[0].Schema.OpenAPIV3Schema, nil
}

// tags are the YAML tags of the schema's scalar types.
var tags = map[string]string{"string": "!!str", "integer": "!!int", "boolean": "!!bool"}

// check compares a node with its schema and says everything that is wrong. Aliases are not followed: a file in which one
// place changes another is not one that a tired operator reads correctly.
func (r *reader) check(n *yaml.Node, s props, path string) {
	switch {
	case n.Kind == yaml.AliasNode:
		r.say(n, path, "aliases are not followed")
	case s.Type == "object" && n.Kind == yaml.MappingNode:
		r.checkMapping(n, s, path)
	case s.Type == "array" && n.Kind == yaml.SequenceNode:
		r.checkList(n, s, path)
	case n.Kind == yaml.ScalarNode && tags[s.Type] == n.ShortTag() && tags[s.Type] != "":
		r.checkScalar(n, s, path)
	default:
		r.say(n, path, "want %s", withArticle(s.Type))
	}
}

func (r *reader) checkMapping(n *yaml.Node, s props, path string) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		field := path + "." + key.Value
		sub, known := s.Properties[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str":
			r.say(key, field, "the name of a field must be a string")
		case seen[key.Value]:
			r.say(key, field, "it is there twice")
		case known:
			if field != ".metadata" { // as strict, in checkMetadata
				r.check(value, sub, field)
			}
		case s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil:
			r.check(value, *s.AdditionalProperties.Schema, field)
		default:
			r.say(key, field, "unknown field")
		}
		seen[key.Value] = true
	}
	for _, name := range s.Required {
		if !seen[name] {
			r.say(n, path+"."+name, "it is missing")
		}
	}
	if s.MaxProperties != nil && int64(len(seen)) > *s.MaxProperties {
		r.say(n, path, "%d entries; there may be %d", len(seen), *s.MaxProperties)
	}
	r.checkRules(n, s, path)
}

func (r *reader) checkList(n *yaml.Node, s props, path string) {
	if s.MaxItems != nil && int64(len(n.Content)) > *s.MaxItems {
		r.say(n, path, "%d entries; there may be %d", len(n.Content), *s.MaxItems)
	}
	keys := map[string]bool{}
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		r.check(item, *s.Items.Schema, at)
		key, unique := item.Value, s.XListType != nil && *s.XListType == "set"
		if len(s.XListMapKeys) == 1 {
			at += "." + s.XListMapKeys[0]
			key, unique = text(item, s.XListMapKeys[0]), true
		}
		if unique && keys[key] {
			r.say(item, at, "%q is there twice", key)
		}
		keys[key] = true
	}
}

func (r *reader) checkScalar(n *yaml.Node, s props, path string) {
	length := int64(utf8.RuneCountInString(n.Value))
	switch {
	case s.MinLength != nil && length < *s.MinLength:
		r.say(n, path, "%d characters; want at least %d", length, *s.MinLength)
	case s.MaxLength != nil && length > *s.MaxLength:
		r.say(n, path, "%d characters; there may be %d", length, *s.MaxLength)
	case len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(e apiextensionsv1.JSON) bool { return literal(e) == n.Value }):
		r.say(n, path, "%q is not one of %s", n.Value, enumerated(s.Enum))
	case s.Pattern != "" && !matches(s.Pattern, n.Value):
		r.say(n, path, "%q is not of the form %s", n.Value, s.Pattern)
	case s.Type == "integer":
		var v int64
		if err := n.Decode(&v); err != nil {
			r.say(n, path, "%v", err)
		} else if (s.Minimum != nil && float64(v) < *s.Minimum) || (s.Maximum != nil && float64(v) > *s.Maximum) {
			r.say(n, path, "%d is not between %v and %v", v, *s.Minimum, *s.Maximum)
		}
	default:
		r.checkRules(n, s, path)
	}
}

// matches reports whether a value is of a form. A form that cannot be read is nobody's.
func matches(pattern, value string) bool {
	form, err := regexp.Compile(pattern)
	return err == nil && form.MatchString(value)
}

// fill sets the schema's defaults for what a value leaves out at any depth, as the API server does.
func fill(value any, s props) {
	switch v := value.(type) {
	case map[string]any:
		for name, sub := range s.Properties {
			if _, there := v[name]; !there && sub.Default != nil {
				var d any
				if err := json.Unmarshal(sub.Default.Raw, &d); err == nil {
					v[name] = whole(d)
				}
			}
			fill(v[name], sub)
		}
	case []any:
		for _, item := range v {
			fill(item, *s.Items.Schema)
		}
	}
}

// whole turns each float64 that encoding/json makes of a number into the int64 that unstructured objects hold.
func whole(value any) any {
	switch v := value.(type) {
	case float64:
		return int64(v)
	case map[string]any:
		for key := range v {
			v[key] = whole(v[key])
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	}
	return value
}

func literal(e apiextensionsv1.JSON) string {
	var s string
	_ = json.Unmarshal(e.Raw, &s) // what is no string equals no string
	return s
}

func enumerated(values []apiextensionsv1.JSON) string {
	all := ""
	for i, v := range values {
		if i > 0 {
			all += ", "
		}
		all += literal(v)
	}
	return all
}

func withArticle(kind string) string {
	switch kind {
	case "object":
		return "a mapping"
	case "array":
		return "a list"
	case "integer":
		return "a whole number"
	}
	return "a " + kind
}
