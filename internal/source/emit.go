package source

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	yaml3 "go.yaml.in/yaml/v3"
)

// emitter writes a JSON value as block YAML in the style of the file around it.
type emitter struct {
	style
	lines []string
}

// field writes a key and its value, indented by indent blanks.
func (e *emitter) field(indent int, key string, value any) error {
	name, err := e.scalar(key, true)
	if err != nil {
		return err
	}
	head := strings.Repeat(" ", indent) + name + ":"
	switch v := value.(type) {
	case map[string]any:
		if len(v) > 0 {
			e.lines = append(e.lines, head)
			return e.fields(indent+e.step, v)
		}
	case []any:
		if len(v) > 0 {
			e.lines = append(e.lines, head)
			for _, item := range v {
				if err := e.item(indent+e.dashes, 2, item); err != nil {
					return err
				}
			}
			return nil
		}
	}
	text, err := e.scalar(value, key == "name") // a name is written as its neighbours' names are: bare
	e.lines = append(e.lines, head+" "+text)
	return err
}

// fields writes a map, its name first, as people do, and then by the alphabet.
func (e *emitter) fields(indent int, m map[string]any) error {
	keys := slices.Sorted(maps.Keys(m))
	if i := slices.Index(keys, "name"); i > 0 {
		keys = append([]string{"name"}, slices.Delete(keys, i, i+1)...)
	}
	for _, key := range keys {
		if err := e.field(indent, key, m[key]); err != nil {
			return err
		}
	}
	return nil
}

// item writes an item of a list: its dash is indented by indent blanks, and what follows begins gap columns after it.
func (e *emitter) item(indent, gap int, value any) error {
	dash := "-" + strings.Repeat(" ", gap-1)
	first := len(e.lines)
	switch v := value.(type) {
	case []any:
		return refuse(NotScalar, "a list within a list is not written")
	case map[string]any:
		if len(v) > 0 {
			err := e.fields(indent+gap, v)
			if len(e.lines) > first {
				e.lines[first] = strings.Repeat(" ", indent) + dash + e.lines[first][indent+gap:]
			}
			return err
		}
	}
	text, err := e.scalar(value, false)
	e.lines = append(e.lines, strings.Repeat(" ", indent)+dash+text)
	return err
}

// plainWord is text that reads as itself without quotes, unless it is a word that means something to some parser.
var plainWord = regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_./@+-]*(?::[A-Za-z0-9_./@+-]+)*$`)

var wordy = regexp.MustCompile(`^(?i:y|n|yes|no|on|off|true|false|null|nan|inf)$`)

func (e *emitter) scalar(value any, bare bool) (string, error) {
	switch v := value.(type) {
	case map[string]any:
		return "{}", nil
	case []any:
		return "[]", nil
	case string:
		if plainWord.MatchString(v) && !wordy.MatchString(v) && (bare || e.quote == 0) {
			return v, nil
		}
		old := yaml3.Node{Style: yaml3.DoubleQuotedStyle}
		if e.quote == '\'' && !strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' }) {
			old.Style = yaml3.SingleQuotedStyle
		}
		texts, err := spellings(&old, v)
		if err != nil {
			return "", err
		}
		return texts[0], nil
	}
	texts, err := spellings(&yaml3.Node{}, value)
	if err != nil {
		return "", fmt.Errorf("write a value: %w", err)
	}
	return texts[0], nil
}
