package chart

import (
	"encoding/base64"
	"path"
	"regexp"
	"strings"
)

// files are what templates see as .Files.
type files map[string][]byte

func filesOf(all []File) files {
	out := files{}
	for _, f := range all {
		out[f.Name] = f.Data
	}
	return out
}

// GetBytes is the content of a file, or none.
func (f files) GetBytes(name string) []byte { return f[name] }

// Get is the content of a file as text.
func (f files) Get(name string) string { return string(f[name]) }

// Lines are the lines of a file.
func (f files) Lines(name string) []string {
	text := strings.TrimSuffix(string(f[name]), "\n")
	if text == "" {
		return []string{}
	}
	return strings.Split(text, "\n")
}

// Glob are the files whose names fit a pattern. A pattern that is not understood fits all, as it does for Helm.
func (f files) Glob(pattern string) files {
	out := files{}
	re, err := regexp.Compile(globbed(pattern))
	for name, content := range f {
		if err != nil || re.MatchString(name) {
			out[name] = content
		}
	}
	return out
}

// globbed is a pattern as a regular expression: ** is anything, * and ? stay within a folder.
func globbed(pattern string) string {
	var b strings.Builder
	b.WriteString("^")
	depth := 0
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case strings.HasPrefix(pattern[i:], "**"):
			b.WriteString(".*")
			i++
		case c == '*':
			b.WriteString("[^/]*")
		case c == '?':
			b.WriteString("[^/]")
		case c == '{':
			depth++
			b.WriteString("(?:")
		case c == '}' && depth > 0:
			depth--
			b.WriteString(")")
		case c == ',' && depth > 0:
			b.WriteString("|")
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return b.String() + "$"
}

// AsConfig are the files as the content of a ConfigMap.
func (f files) AsConfig() string {
	out := map[string]string{}
	for name, content := range f {
		out[path.Base(name)] = string(content)
	}
	return toYAML(out)
}

// AsSecrets are the files as the content of a Secret.
func (f files) AsSecrets() string {
	out := map[string]string{}
	for name, content := range f {
		out[path.Base(name)] = base64.StdEncoding.EncodeToString(content)
	}
	return toYAML(out)
}
