package chart

import (
	"maps"
	"slices"
)

// over are the values that templates see: those that are given, and those of the chart where none are. A null that is given takes
// the chart's own value away.
func over(given, own map[string]any) map[string]any {
	out := copied(given).(map[string]any)
	for key, value := range own {
		now, has := out[key]
		inner, isMap := value.(map[string]any)
		switch given, givenMap := now.(map[string]any); {
		case !has && value == nil:
		case !has && isMap:
			out[key] = over(map[string]any{}, inner)
		case !has:
			out[key] = copied(value)
		case now == nil:
			delete(out, key)
		case givenMap && isMap:
			out[key] = over(given, inner)
		}
	}
	return out
}

// copied is a value that shares nothing with another: templates may change what they are given.
func copied(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, inner := range v {
			out[key] = copied(inner)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = copied(inner)
		}
		return out
	}
	return v
}

// laid is base with the values of another over it, as Flux lays the values of a HelmRelease over those from elsewhere.
func laid(base, upper map[string]any) map[string]any {
	out := maps.Clone(base)
	if out == nil {
		out = map[string]any{}
	}
	for key, value := range upper {
		below, isMap := out[key].(map[string]any)
		above, both := value.(map[string]any)
		if isMap && both {
			out[key] = laid(below, above)
		} else {
			out[key] = value
		}
	}
	return out
}

// at is whether there is a value at a path.
func at(values map[string]any, path []string) bool {
	var v any = values
	for _, key := range path {
		m, isMap := v.(map[string]any)
		if !isMap {
			return false
		}
		next, has := m[key]
		if !has {
			return false
		}
		v = next
	}
	return true
}

// alone is a map that holds a value at a path and nothing else.
func alone(path []string, value any) map[string]any {
	for _, key := range slices.Backward(path) {
		value = map[string]any{key: value}
	}
	m, _ := value.(map[string]any)
	return m
}

// walk calls f with every value, maps before what is in them, in the order of their keys. Items of lists are not gone into: a
// list is given whole or not at all.
func walk(values map[string]any, f func(path []string, value any)) {
	var in func(m map[string]any, path []string)
	in = func(m map[string]any, path []string) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			here := append(slices.Clip(path), key)
			f(here, m[key])
			if inner, isMap := m[key].(map[string]any); isMap {
				in(inner, here)
			}
		}
	}
	in(values, nil)
}
