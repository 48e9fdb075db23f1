package render

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Substitution is what fills in the variables of a root: postBuild of a Flux Kustomization.
type Substitution struct {
	Values map[string]string // substitute: it counts before all others
	From   []Values          // substituteFrom: the last counts
	Strict bool              // a variable that nothing sets is an error
}

// Values are those of one ConfigMap. Those of a Secret are never read: Secret names it instead.
type Values struct {
	Data   map[string]string
	Secret string
}

const (
	// notFilled on an object, as label or annotation, with the value disabled, keeps Flux from filling it in.
	notFilled = "kustomize.toolkit.fluxcd.io/substitute"
	maxFilled = 4 << 20 // bytes of one object
)

var (
	variable   = regexp.MustCompile(`\$\$|\$\{[^{}]*\}|\$\{`)
	expression = regexp.MustCompile(`^\$\{\s*([_A-Za-z][_A-Za-z0-9]*)\s*(?:(:=|:-|=|-)([^$]*))?\}$`)
)

// fill fills an object's variables in. why says that a value is not to be known here, without the value.
func (s Substitution) fill(u *unstructured.Unstructured) (filled *unstructured.Unstructured, why string, err error) {
	if len(s.Values)+len(s.From) == 0 || u.GetLabels()[notFilled] == "disabled" || u.GetAnnotations()[notFilled] == "disabled" {
		return u, "", nil
	}
	text, err := yaml.Marshal(u.Object)
	if err != nil {
		return nil, "", errors.New("it is not YAML")
	}
	size := len(text)
	out := variable.ReplaceAllStringFunc(string(text), func(at string) string {
		value, unknown, bad := s.expand(at)
		if bad != nil && err == nil {
			err = bad
		}
		if unknown != "" {
			why = unknown
		}
		if size += len(value); size > maxFilled {
			err = fmt.Errorf("with its variables it is longer than %d MiB", maxFilled>>20)
			return ""
		}
		return value
	})
	if err != nil || why != "" {
		return nil, why, err
	}
	filled = &unstructured.Unstructured{}
	asJSON, err := yaml.YAMLToJSON([]byte(out))
	if err == nil {
		err = filled.UnmarshalJSON(asJSON)
	}
	if err != nil {
		return nil, "", errors.New("with its variables filled in it is no object")
	}
	return filled, "", nil
}

// expand is what stands for one expression.
func (s Substitution) expand(at string) (value, unknown string, err error) {
	if at == "$$" {
		return "$", "", nil
	}
	m := expression.FindStringSubmatch(at)
	if m == nil {
		return "", "", errors.New("it uses a form of variable that this version does not fill in")
	}
	name, operator, otherwise := m[1], m[2], m[3]
	value, set, secret := s.value(name)
	switch {
	case secret != "":
		return "", fmt.Sprintf("the variable %s may come from Secret %s, which is not read", name, shown(secret)), nil
	case !set && operator == "" && s.Strict:
		return "", "", fmt.Errorf("nothing sets the variable %s", name)
	case operator != "" && (!set || value == "" && strings.HasPrefix(operator, ":")):
		return otherwise, "", nil
	}
	return value, "", nil
}

// value is what a variable is set to, or the Secret that could set it.
func (s Substitution) value(name string) (value string, set bool, secret string) {
	if v, found := s.Values[name]; found {
		return v, true, ""
	}
	for i := len(s.From) - 1; i >= 0; i-- {
		if s.From[i].Secret != "" {
			return "", false, s.From[i].Secret
		}
		if v, found := s.From[i].Data[name]; found {
			return strings.ReplaceAll(v, "\n", ""), true, ""
		}
	}
	return "", false, ""
}
