package source

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Resolve is the Path that String writes as text, of a field that one of some objects has. It goes down the objects and
// takes no text apart: whatever the names and keys on the way hold, exactly one path is written that way, or it is refused.
// An item of a list may leave out a key that the text states, as a manifest leaves out a default; the key is then the text.
// The error is a *Refusal.
func Resolve(text string, objects ...map[string]any) (Path, error) {
	found := map[string]Path{}
	for _, o := range objects {
		r := resolver{object: o, text: text, left: mostSteps, found: found}
		r.down(o, nil)
		if len(found) > 0 {
			break
		}
	}
	if len(found) != 1 {
		return nil, refuse(NotFound, "%d fields are written that way", len(found))
	}
	for _, p := range found {
		return p, nil
	}
	return nil, nil
}

// mostSteps bounds the steps that are tried for one text.
const mostSteps = 10_000

type resolver struct {
	object map[string]any
	text   string
	left   int
	found  map[string]Path // by what tells them apart
}

func (r *resolver) down(at any, p Path) {
	if r.left--; r.left < 0 {
		return
	}
	switch v := at.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			r.step(v[name], append(slices.Clip(p), Step{Field: name}))
		}
	case []any:
		keys := r.keys(p)
		for i, item := range v {
			m, isMap := item.(map[string]any)
			switch {
			case isMap && len(keys) > 0:
				r.step(item, append(slices.Clip(p), Step{Keys: stated(m, keys)}))
			case !isMap:
				r.step(item, append(slices.Clip(p), Step{Value: item}))
			}
			r.step(item, append(slices.Clip(p), Step{Index: &i}))
		}
	}
}

// step goes on where the text does.
func (r *resolver) step(at any, p Path) {
	so := p.String()
	rest, ok := strings.CutPrefix(r.text, so)
	switch {
	case !ok:
	case rest == "":
		apart, err := json.Marshal(p) // 80 and "80" are written alike
		if _, leads := At(r.object, p); leads && err == nil {
			r.found[string(apart)] = p
		}
	case rest[0] == '.' || rest[0] == '[':
		r.down(at, p)
	}
}

var keyText = regexp.MustCompile(`(?:^\[|,)([A-Za-z][A-Za-z0-9]*)=([^,\]]*)`)

// keys are the keys that the text states of the item behind p.
func (r *resolver) keys(p Path) []Key {
	rest := strings.TrimPrefix(r.text, p.String())
	end := strings.IndexByte(rest, ']')
	if end < 0 || rest == "" || rest[0] != '[' {
		return nil
	}
	var keys []Key
	for _, m := range keyText.FindAllStringSubmatch(rest[:end], -1) {
		keys = append(keys, Key{Name: m[1], Value: m[2]})
	}
	return keys
}

// stated are keys with the values that an item has for them.
func stated(item map[string]any, keys []Key) []Key {
	out := slices.Clone(keys)
	for i, k := range out {
		if v, has := item[k.Name]; has {
			out[i].Value = v
		}
	}
	return out
}
