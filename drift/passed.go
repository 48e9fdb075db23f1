package drift

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/yaml"

	"moorgate.dev/internal/gate"
	"moorgate.dev/internal/source"
)

// row is one line of the table of what differs and is no drift. The table itself says what its fields mean. The zero row fits
// nothing, because it names no path.
type row struct {
	ID       string   `json:"id"`
	What     string   `json:"what"`
	Kinds    []string `json:"kinds"`
	Paths    []string `json:"paths"`
	Managers []string `json:"managers"`
	Through  string   `json:"through"`
	Values   []any    `json:"values"`
	When     string   `json:"when"`
}

// The conditions of rows.
const (
	whenAdded      = "added"
	whenAutoscaled = "autoscaled"
)

//go:embed falsepositives.yaml
var falsePositives []byte

// table is read once: a table that cannot be read is a fault of the build.
var table = func() []row {
	rows, err := parseRows(falsePositives)
	if err != nil {
		panic(err)
	}
	return rows
}()

// Passed is what somebody adds to the table of what differs and is no drift.
type Passed struct{ rows []row }

// ParsePassed reads a file that is written like the table falsepositives.yaml. It is refused where a row says what nobody knows, has the
// id of another, or passes over everything.
func ParsePassed(b []byte) (Passed, error) {
	rows, err := parseRows(b)
	if err != nil {
		return Passed{}, err
	}
	for _, r := range rows {
		all := func(path string) bool { return strings.Trim(path, "/*") == "" }
		compared := func(name string) bool { return slices.ContainsFunc(kinds, func(k Kind) bool { return k.Kind == name }) }
		switch {
		case slices.ContainsFunc(r.Kinds, func(name string) bool { return !compared(name) }):
			return Passed{}, fmt.Errorf("row %s is about a kind that is not compared: %s", gate.OneLine(r.ID, 64), gate.OneLine(strings.Join(r.Kinds, ", "), 256))
		case slices.ContainsFunc(table, func(ours row) bool { return ours.ID == r.ID }):
			return Passed{}, fmt.Errorf("there is a row %s already, and a row of that name cannot take its place", gate.OneLine(r.ID, 64))
		case slices.ContainsFunc(r.Paths, all) && len(r.Managers) == 0:
			return Passed{}, fmt.Errorf("row %s would pass over everything: name fields, or who owns them", gate.OneLine(r.ID, 64))
		}
	}
	return Passed{rows: rows}, nil
}

func parseRows(b []byte) ([]row, error) {
	var rows []row
	if err := yaml.UnmarshalStrict(b, &rows); err != nil {
		return nil, fmt.Errorf("read the table of what is no drift: %s", gate.OneLine(err.Error(), 512))
	}
	seen := map[string]bool{}
	for i, r := range rows {
		switch {
		case r.ID == "" || r.What == "" || len(r.Paths) == 0:
			return nil, fmt.Errorf("row %d of what is no drift lacks its id, what it is or its paths", i+1)
		case seen[r.ID]:
			return nil, fmt.Errorf("row %d of what is no drift has the id of another, %s", i+1, gate.OneLine(r.ID, 64))
		case r.When != "" && r.When != whenAdded && r.When != whenAutoscaled:
			return nil, fmt.Errorf("row %s of what is no drift has the unknown condition %q", gate.OneLine(r.ID, 64), gate.OneLine(r.When, 64))
		}
		seen[r.ID] = true
	}
	return rows, nil
}

// fits reports whether a row is about a drift of an object of that kind, but for a condition that only the world can tell.
func (r row) fits(kind string, d Drift) bool {
	manager := func(pattern string) bool { return globs(pattern, d.Owner.Manager) }
	value := func(v any) bool { return equality.Semantic.DeepEqual(number(v), number(d.Live)) }
	switch {
	case len(r.Kinds) > 0 && !slices.Contains(r.Kinds, kind):
		return false
	case len(r.Managers) > 0 && !slices.ContainsFunc(r.Managers, manager):
		return false
	case r.Through != "" && r.Through != d.Owner.Subresource:
		return false
	case len(r.Values) > 0 && !slices.ContainsFunc(r.Values, value):
		return false
	case r.When == whenAdded && !d.Added:
		return false
	}
	return slices.ContainsFunc(r.Paths, func(pattern string) bool { return matches(pattern, d.Path) })
}

// number makes numbers comparable that YAML and the API server read into different types.
func number(v any) any {
	switch t := v.(type) {
	case int64:
		return float64(t)
	case int:
		return float64(t)
	}
	return v
}

// matches reports whether a pattern fits a path or something that holds it.
func matches(pattern string, p source.Path) bool {
	return reaches(strings.Split(strings.TrimPrefix(pattern, "/"), "/"), p)
}

func reaches(steps []string, p source.Path) bool {
	switch {
	case len(steps) == 0:
		return true
	case steps[0] == "**":
		return reaches(steps[1:], p) || (len(p) > 0 && reaches(steps, p[1:]))
	case len(p) == 0:
		return false
	}
	return fitsStep(steps[0], p[0]) && reaches(steps[1:], p[1:])
}

// fitsStep fits the name of a field, any item of a list by *, and an item by its keys: name=app.
func fitsStep(step string, s source.Step) bool {
	if s.Field != "" {
		return globs(strings.NewReplacer("~1", "/", "~0", "~").Replace(step), s.Field)
	}
	name, want, keyed := strings.Cut(step, "=")
	return step == "*" || (keyed && slices.ContainsFunc(s.Keys, func(k source.Key) bool { return k.Name == name && fmt.Sprint(k.Value) == want }))
}

func globs(pattern, name string) bool {
	if prefix, open := strings.CutSuffix(pattern, "*"); open {
		return strings.HasPrefix(name, prefix)
	}
	return pattern == name
}
