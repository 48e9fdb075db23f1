package github

// Object is a JSON object.
type Object = map[string]any

// complete adds to a value what its schema requires and what was not given: the emptiest that fits.
func (c *contract) complete(schema Object, given any) any {
	schema = c.resolve(schema)
	for _, key := range []string{"anyOf", "oneOf"} {
		if choices, ok := schema[key].([]any); ok && schema["properties"] == nil {
			return c.choose(choices, given)
		}
	}
	if all, ok := schema["allOf"].([]any); ok {
		for _, part := range all {
			given = c.complete(part.(Object), given)
		}
		return given
	}
	if enum, ok := schema["enum"].([]any); ok && given == nil {
		return enum[0]
	}
	kind, optional := kindOf(schema)
	if given == nil && optional {
		return nil
	}
	switch kind {
	case "object":
		return c.object(schema, given)
	case "array":
		list, _ := given.([]any)
		out := make([]any, 0, len(list))
		items, _ := schema["items"].(Object)
		for _, item := range list {
			out = append(out, c.complete(items, item))
		}
		return out
	}
	if given != nil {
		return given
	}
	return nothing(kind, schema)
}

// choose completes by the choice that is neither null nor, for a value that was given, of another kind.
func (c *contract) choose(choices []any, given any) any {
	for _, choice := range choices {
		kind, optional := kindOf(c.resolve(choice.(Object)))
		if kind == "null" || optional {
			if given == nil {
				return nil
			}
			continue
		}
		if given == nil && len(choices) == 2 { // one of them null, most of the time
			if last, _ := kindOf(c.resolve(choices[1].(Object))); last == "null" {
				return nil
			}
		}
		_, isObject := given.(Object)
		if given == nil || isObject == (kind == "object") {
			return c.complete(choice.(Object), given)
		}
	}
	return given
}

func (c *contract) object(schema Object, given any) any {
	out := Object{}
	properties, _ := schema["properties"].(Object)
	had, _ := given.(Object)
	for name, v := range had {
		if property, ok := properties[name].(Object); ok {
			v = c.complete(property, v)
		}
		out[name] = v
	}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, ok := out[name.(string)]; !ok {
			property, _ := properties[name.(string)].(Object)
			out[name.(string)] = c.complete(property, nil)
		}
	}
	return out
}

// kindOf is the type that a schema asks for, and whether null does as well.
func kindOf(schema Object) (kind string, optional bool) {
	switch t := schema["type"].(type) {
	case string:
		return t, false
	case []any:
		return t[0].(string), true
	}
	if schema["properties"] != nil || schema["allOf"] != nil {
		return "object", false
	}
	return "", false
}

func nothing(kind string, schema Object) any {
	switch kind {
	case "integer", "number":
		return 0
	case "boolean":
		return false
	case "string":
		switch schema["format"] {
		case "uri", "uri-template":
			return "https://api.github.com/nothing"
		case "date-time":
			return "2026-11-26T00:00:00Z"
		}
		return ""
	}
	return nil
}
