package sift

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Object writes the fields of an object that matter, one a line as "path: value", in at most budget tokens: what it is, what its
// status says is wrong, the rest of the status, then its specification, containers first. What managers noted, most annotations and
// what every object has are left out. Environment variables are names and references, never values. Left says what is not shown.
func Object(o map[string]any, budget int) (kept, left string) {
	w := &fieldWriter{}
	for _, key := range []string{"kind", "name", "namespace", "generation", "deletionTimestamp"} {
		if v := field(o, key); v != nil {
			w.walk(key, v)
		} else if v := field(o, "metadata", key); v != nil {
			w.walk(key, v)
		}
	}
	if owners, ok := field(o, "metadata", "ownerReferences").([]any); ok {
		for _, owner := range owners {
			w.line("owner", text(field(owner, "kind"))+"/"+text(field(owner, "name")))
		}
	}
	if notes, ok := field(o, "metadata", "annotations").(map[string]any); ok {
		for _, key := range keptAnnotations {
			if v, ok := notes[key]; ok {
				w.line("annotation "+key, text(v))
			}
		}
	}
	w.status(field(o, "status"))
	if spec, ok := field(o, "spec").(map[string]any); ok {
		w.spec("", spec)
	}
	for _, key := range sortedKeys(o) {
		if !slices.Contains(knownTop, key) && !slices.Contains(neverShown, key) {
			w.walk(key, o[key])
		}
	}
	if w.more > 0 {
		left = fmt.Sprintf("%d fields not looked at", w.more)
	}
	kept, cut := head(w.lines, budget, 0, "fields")
	return kept, joinLeft(cut, left)
}

var (
	keptAnnotations = []string{"deployment.kubernetes.io/revision", "kubernetes.io/change-cause", "kubectl.kubernetes.io/restartedAt"}
	// Data of ConfigMaps and Secrets is nobody's business here.
	knownTop = []string{"apiVersion", "kind", "metadata", "status", "spec", "data", "stringData", "binaryData", "generation", "name", "namespace", "deletionTimestamp"}
)

const maxFields = 2000 // lines that one object may have before any is chosen

type fieldWriter struct {
	lines []string
	more  int
}

func (w *fieldWriter) line(path, value string) {
	if value == "" {
		return
	}
	if len(w.lines) >= maxFields {
		w.more++
		return
	}
	w.lines = append(w.lines, Clean(oneLine(path)+": "+shorten(oneLine(value))))
}

// walk writes all of a value: lists of named things by name, short maps and lists on one line.
func (w *fieldWriter) walk(path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range sortedKeys(v) {
			if !slices.Contains(neverShown, key) {
				w.walk(path+"."+key, v[key])
			}
		}
	case []any:
		if scalars(v) {
			w.line(path, text(v))
			return
		}
		for i, item := range v {
			name := text(field(item, "name"))
			if name == "" {
				name = strconv.Itoa(i)
			}
			w.walk(path+"["+name+"]", item)
		}
	default:
		w.line(path, text(v))
	}
}

var neverShown = []string{"managedFields", "selfLink", "resourceVersion", "creationTimestamp", "terminationMessagePath", "terminationMessagePolicy",
	"dnsPolicy", "schedulerName", "observedGeneration", "lastProbeTime", "lastHeartbeatTime", "env", "imageID", "containerID", "uid"}

func scalars(list []any) bool {
	for _, v := range list {
		switch v.(type) {
		case map[string]any, []any:
			return false
		}
	}
	return true
}

// field follows keys into maps; nil where there is none.
func field(v any, keys ...string) any {
	for _, key := range keys {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = text(v[i])
		}
		return strings.Join(parts, " ")
	case map[string]any:
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(b)
	}
	return fmt.Sprint(v)
}

func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// head is as many lines as fit, from the first on.
func head(lines []string, budget, mark int, what string) (kept, left string) {
	room := budget + 1
	for i, l := range lines {
		cost := Tokens(l) + 1 + mark
		if cost > room {
			kept = strings.Join(lines[:i], "\n")
			return kept, fmt.Sprintf("%d of %d %s left out", len(lines)-i, len(lines), what)
		}
		room -= cost
	}
	return strings.Join(lines, "\n"), ""
}
