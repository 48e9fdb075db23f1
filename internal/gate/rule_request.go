package gate

import (
	"fmt"
	"slices"
	"strings"
)

// The law: what was weighed is what is sent. The call that carries an action out goes to the very object that the action
// names, in its namespace, and to no part of it but those by which Moorgate acts: through the others one could run commands
// in a pod or take its identity. What reaches Git is sent to a forge, which knows its own addresses.
var requestRule = rule{
	doc: Doc{ID: "request", Since: "v0.2", Severity: Deny, Title: "The request names the target",
		Text: "A call to the API server that goes to anything but the object that was weighed, or to a subresource other than eviction, scale and resize, is denied. No Guardrail lifts this."},
	weigh: func(_ *Rail, m *matter) (Decision, string) {
		return m.each(ReachMark, func(x *chosen) (Decision, string) {
			if x.Request == nil || x.reach() == ReachGit || x.Request.goesTo(x.Target) {
				return Allow, ""
			}
			return Deny, fmt.Sprintf("the request goes to %s, and the plan is about %s", x.Request.Path, x.Target)
		})
	},
}

// subresources are the parts of an object by which Moorgate acts.
var subresources = []string{"/eviction", "/scale", "/resize"}

// goesTo is whether a call is to an object, or to one of the parts of it by which Moorgate acts. Only the plain form of the
// path will do: one with escapes or dots may be read differently by somebody else.
func (q Request) goesTo(r Ref) bool {
	root := "/api/"
	if r.Group != "" {
		root = "/apis/" + r.Group + "/"
	}
	kind := plural(r.Kind)
	if !plainName(r.Version) || !plainName(r.Namespace) || !plainName(kind) || !plainName(r.Name) {
		return false
	}
	path, _, _ := strings.Cut(q.Path, "?")
	part, ok := strings.CutPrefix(path, root+r.Version+"/namespaces/"+r.Namespace+"/"+kind+"/"+r.Name)
	return ok && (part == "" || slices.Contains(subresources, part))
}

// plainName is whether a name means nothing but itself in a path.
func plainName(s string) bool {
	return s != "" && s[0] != '.' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
}

// plural is the name under which the API server serves a kind, by the convention that its own kinds follow.
func plural(kind string) string {
	s := strings.ToLower(kind)
	switch {
	case strings.HasSuffix(s, "s"):
		return s + "es"
	case strings.HasSuffix(s, "y"):
		return strings.TrimSuffix(s, "y") + "ies"
	}
	return s + "s"
}
