package gate

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// steps takes the path of an edit apart. However it is written, each field is one step: limits.memory, limits[memory] and
// limits["memory"] are the same. What picks an item of a list keeps its brackets: [name=app], [0].
func steps(path string) []string {
	var all []string
	for path != "" {
		var step string
		switch path[0] {
		case '.':
			path = path[1:]
			continue
		case '[':
			step, path = bracket(path[1:])
		default:
			end := strings.IndexAny(path+".", ".[")
			step, path = path[:end], path[end:]
		}
		all = append(all, step)
	}
	return all
}

// bracket reads what follows an opening bracket, and returns the step and the rest of the path.
func bracket(s string) (step, rest string) {
	if quoted, err := strconv.QuotedPrefix(s); err == nil {
		name, _ := strconv.Unquote(quoted)
		return name, strings.TrimPrefix(s[len(quoted):], "]")
	}
	inner, rest, _ := strings.Cut(s, "]")
	if _, err := strconv.Atoi(inner); err == nil || strings.ContainsAny(inner, "=?") {
		inner = "[" + inner + "]"
	}
	return inner, rest
}

// sets is whether an edit sets a field of this name, one below it, or something that it is part of.
func (e Edit) sets(name string) bool {
	return slices.Contains(steps(e.Path), name) || e.swallows(name)
}

// swallows is whether an edit sets or removes a whole of which a field of this name is part. Of a whole that is not spelled
// out, as plans show a pod template by its hash, any field may be part.
func (e Edit) swallows(name string) bool {
	spelled := false
	for _, value := range []string{e.Old, e.New} {
		if !strings.HasPrefix(value, "{") && !strings.HasPrefix(value, "[") {
			continue
		}
		spelled = true
		var v any
		if err := json.Unmarshal([]byte(value), &v); err != nil || hasField(v, name) {
			return true
		}
	}
	if spelled {
		return false
	}
	path := steps(e.Path)
	switch {
	case len(path) == 0 || path[len(path)-1] == "spec":
		return true
	case path[len(path)-1] == "template":
		return name != "replicas" // which no pod template has
	}
	return false
}

// hasField is whether a JSON value has a field of this name at any depth.
func hasField(v any, name string) bool {
	switch v := v.(type) {
	case map[string]any:
		for field, value := range v {
			if field == name || hasField(value, name) {
				return true
			}
		}
	case []any:
		for _, value := range v {
			if hasField(value, name) {
				return true
			}
		}
	}
	return false
}
