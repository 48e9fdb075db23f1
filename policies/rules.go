package policies

import (
	"strconv"

	"go.yaml.in/yaml/v3"
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
}

// checkRules checks the rules about a mapping as a whole.
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
	value := text(mapping, key)
	if value == "" && s.Properties[key].Default != nil {
		value = string(s.Properties[key].Default.Raw)
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0
	}
	return n
}
