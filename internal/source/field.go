package source

import (
	"maps"
	"reflect"
	"slices"
)

// At is the value at a path of an object, which states it or not. An item of a list is found by the keys that it states.
func At(object any, p Path) (any, bool) {
	v, depth := follow(object, p)
	return v, depth == len(p)
}

// follow goes down a path through JSON as far as it leads, and says how many steps that were. An item of a list is found
// by the keys that it states, as in matches; two that could be meant are none.
func follow(v any, p Path) (any, int) {
	for i, step := range p {
		next, ok := down(v, step)
		if !ok {
			return v, i
		}
		v = next
	}
	return v, len(p)
}

func down(v any, step Step) (any, bool) {
	if step.Field != "" {
		m, _ := v.(map[string]any)
		next, ok := m[step.Field]
		return next, ok
	}
	list, _ := v.([]any)
	i := item(list, step)
	if i < 0 {
		return nil, false
	}
	return list[i], true
}

// item is the index of the only item of a list that a step means, or -1.
func item(list []any, step Step) int {
	found := -1
	for i, v := range list {
		if step.Index != nil && *step.Index == i || step.Value != nil && same(v, step.Value) || keyed(v, step.Keys) {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
}

func keyed(v any, keys []Key) bool {
	m, _ := v.(map[string]any)
	stated := 0
	for _, k := range keys {
		got, has := m[k.Name]
		if has && !same(got, k.Value) {
			return false
		}
		if has {
			stated++
		}
	}
	return stated > 0
}

// with is a copy of v in which the value at p, which v has, is another; without one in which it is gone.
func with(v any, p Path, value any) any {
	if len(p) == 0 {
		return value
	}
	if p[0].Field != "" {
		m := maps.Clone(v.(map[string]any))
		m[p[0].Field] = with(m[p[0].Field], p[1:], value)
		return m
	}
	list := slices.Clone(v.([]any))
	i := item(list, p[0])
	list[i] = with(list[i], p[1:], value)
	return list
}

func without(v any, p Path) any {
	parent, _ := follow(v, p[:len(p)-1])
	last := p[len(p)-1]
	if last.Field != "" {
		m := maps.Clone(parent.(map[string]any))
		delete(m, last.Field)
		return with(v, p[:len(p)-1], m)
	}
	list := slices.Clone(parent.([]any))
	i := item(list, last)
	return with(v, p[:len(p)-1], slices.Delete(list, i, i+1))
}

// wrap is the value that stands at the first of steps where there is to be value at the last.
func wrap(steps Path, value any) (any, error) {
	if len(steps) == 0 {
		return value, nil
	}
	inner, err := wrap(steps[1:], value)
	if err != nil {
		return nil, err
	}
	if steps[0].Field != "" {
		return map[string]any{steps[0].Field: inner}, nil
	}
	whole, err := whole(steps[0], inner)
	return []any{whole}, err
}

// whole is an item of a list with the keys that tell it apart.
func whole(step Step, item any) (any, error) {
	m, isMap := item.(map[string]any)
	switch {
	case len(step.Keys) > 0 && isMap:
		m = maps.Clone(m)
		for _, k := range step.Keys {
			if got, has := m[k.Name]; has && !same(got, k.Value) {
				return nil, refuse(NotProven, "the item has another %s than its path says", k.Name)
			}
			m[k.Name] = k.Value
		}
		return m, nil
	case step.Value != nil && same(item, step.Value):
		return item, nil
	}
	return nil, refuse(NotFound, "an item of a list can be added only where it has a key that tells it apart")
}

// Op is what a Change does to a field.
type Op string

// What can be done to a field.
const (
	Set  Op = "set"  // it has a value and gets another
	Add  Op = "add"  // it is not there
	Drop Op = "drop" // it is there and goes
)

// moved reports whether after is before with this operation on one field, and nothing else.
func moved(before, after any, op Op, p Path, value any) bool {
	old, depth := follow(before, p)
	switch op {
	case Set:
		now, reached := follow(after, p)
		return depth == len(p) && reached == len(p) && same(now, value) && reflect.DeepEqual(with(after, p, old), before)
	case Drop:
		return depth == len(p) && depth > 0 && reflect.DeepEqual(without(before, p), after)
	case Add:
		if depth == len(p) {
			return false
		}
		first := p[:depth+1]
		want, err := addition(p, depth, value)
		now, reached := follow(after, first)
		return err == nil && reached == len(first) && same(now, want) && reflect.DeepEqual(without(after, first), before)
	}
	return false
}

// addition is what stands at the first step that is missing, p[depth], when value is added at p.
func addition(p Path, depth int, value any) (any, error) {
	inner, err := wrap(p[depth+1:], value)
	if err != nil || p[depth].Field != "" {
		return inner, err
	}
	return whole(p[depth], inner)
}
