package policies

import (
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"moorgate.dev/policies/times"
)

// The schema's CEL rules, by their messages, in Go: the numbers and lists that only make sense together. A test fails when
// the schema has a rule that is not here. Each returns the field to blame where the rule is broken, nil where it holds.
var celRules = map[string]func(n *yaml.Node, s props) *yaml.Node{
	"denyBelow must not be above warnBelow": func(n *yaml.Node, s props) *yaml.Node {
		if number(n, s, "denyBelow") <= number(n, s, "warnBelow") {
			return nil
		}
		return orElse(child(n, "denyBelow"), child(n, "warnBelow"))
	},
	"values goes with the operators In and NotIn, and only with them": func(n *yaml.Node, _ props) *yaml.Node {
		values, operator := child(n, "values"), text(n, "operator")
		given := values != nil && len(values.Content) > 0
		if given == (operator == "In" || operator == "NotIn") {
			return nil
		}
		return orElse(values, n)
	},
	"window must be between 1m and 24h":    between(time.Minute, 24*time.Hour),
	"duration must be between 1m and 744h": between(time.Minute, 744*time.Hour),
	"holdFor must be between 1m and 24h":   between(time.Minute, 24*time.Hour),
	"wait must be between 30s and 24h":     between(30*time.Second, 24*time.Hour),
	"fresh must be between 5s and 1h":      between(5*time.Second, time.Hour),
	"pendingFor must be between 5s and 2m": between(5*time.Second, 2*time.Minute),
	"coolDown must be between 5m and 24h":  between(5*time.Minute, 24*time.Hour),
}

// between is the rule of a duration that has bounds.
func between(least, most time.Duration) func(n *yaml.Node, s props) *yaml.Node {
	return func(n *yaml.Node, _ props) *yaml.Node {
		if _, err := times.Duration(n.Value, least, most); err != nil {
			return n
		}
		return nil
	}
}

// checkRules checks the rules about a value as a whole.
func (r *reader) checkRules(n *yaml.Node, s props, path string) {
	for _, v := range s.XValidations {
		broken, known := celRules[v.Message]
		if !known {
			r.say(n, path, "this version of Moorgate cannot check the rule %q without an API server", v.Message)
			continue
		}
		if at := broken(n, s); at != nil {
			r.say(at, path+v.FieldPath, "%s", v.Message)
		}
	}
}

// number is a whole number of a mapping, or its default. What is no number was said to be none already.
func number(mapping *yaml.Node, s props, key string) int {
	n, err := strconv.Atoi(orDefault(mapping, s, key))
	if err != nil {
		return 0
	}
	return n
}

// orDefault is a scalar of a mapping as text, or its default.
func orDefault(mapping *yaml.Node, s props, key string) string {
	if child(mapping, key) == nil && s.Properties[key].Default != nil {
		return strings.Trim(string(s.Properties[key].Default.Raw), `"`)
	}
	return text(mapping, key)
}
