package source

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// Path leads from the root of an object to one of its fields.
type Path []Step

// Step is one step of a Path. Exactly one of its fields is set; the zero Step leads nowhere.
type Step struct {
	Field string // the field of a map
	Keys  []Key  // the item of a list whose fields have these values
	Value any    // the item of a list that is this scalar
	Index *int   // the item of a list at this position
}

// Key is a field that tells the items of a list apart, with its value, a JSON scalar.
type Key struct {
	Name  string
	Value any
}

var bareField = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// String writes the path as people do: spec.template.spec.containers[name=app].image. A field that would be ambiguous that
// way is quoted: metadata.annotations["example.com/team"].
func (p Path) String() string {
	var b strings.Builder
	for _, s := range p {
		switch {
		case s.Field != "" && bareField.MatchString(s.Field):
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.Field)
		case s.Field != "":
			fmt.Fprintf(&b, "[%q]", s.Field)
		case len(s.Keys) > 0:
			keys := make([]string, len(s.Keys))
			for i, k := range s.Keys {
				keys[i] = fmt.Sprintf("%s=%v", k.Name, k.Value)
			}
			b.WriteString("[" + strings.Join(keys, ",") + "]")
		case s.Value != nil:
			fmt.Fprintf(&b, "[=%v]", s.Value)
		case s.Index != nil:
			fmt.Fprintf(&b, "[%d]", *s.Index)
		default:
			b.WriteString("[?]")
		}
	}
	return b.String()
}

// Fields are the names of the fields on the way, without the items of lists.
func (p Path) Fields() []string {
	var names []string
	for _, s := range p {
		if s.Field != "" {
			names = append(names, s.Field)
		}
	}
	return names
}

// same reports whether two JSON scalars are equal, whichever Go types hold their numbers.
func same(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(x) == string(y)
}
