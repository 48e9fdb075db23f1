package sift

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// What programs call the parts of a log line that matter, in the order in which they are shown.
var firstKeys = []string{"time", "ts", "timestamp", "@timestamp", "level", "severity", "lvl", "log.level", "msg", "message", "event",
	"error", "err", "exception", "reason", "cause"}

const jsonMax = 64 << 10 // bytes of a line that is looked at as JSON

// unfold writes a log line in JSON as text: what matters first, the rest by key. What a field holds of several lines, such as a
// stack trace, follows as lines of its own. Any other line stays as it is.
func unfold(line string) []string {
	if len(line) > jsonMax || len(line) < 2 || line[0] != '{' || line[len(line)-1] != '}' {
		return []string{line}
	}
	var fields map[string]any
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	if d.Decode(&fields) != nil || d.More() {
		return []string{line}
	}
	var parts, more []string
	for _, key := range jsonKeys(fields) {
		value := jsonText(fields[key])
		if head, rest, several := strings.Cut(value, "\n"); several {
			value = head
			more = append(more, strings.Split(rest, "\n")...)
		}
		switch value = Clean(value); {
		case value == "":
		case plainKey(key):
			parts = append(parts, value)
		default:
			parts = append(parts, Clean(key)+"="+value)
		}
	}
	if len(parts) == 0 {
		return []string{line}
	}
	lines := []string{strings.Join(parts, " ")}
	for _, m := range more {
		lines = append(lines, Clean(m))
	}
	return lines
}

// plainKey is whether a value says by itself what it is.
func plainKey(key string) bool {
	i := slices.Index(firstKeys, key)
	return i >= 0 && i < slices.Index(firstKeys, "event")
}

func jsonKeys(fields map[string]any) []string {
	keys := make([]string, 0, len(fields))
	for k := range fields {
		keys = append(keys, k)
	}
	rank := func(k string) int {
		if i := slices.Index(firstKeys, k); i >= 0 {
			return i
		}
		return len(firstKeys)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return keys
}

func jsonText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}
