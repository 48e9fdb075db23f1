// Command excerpt reads GitHub's published OpenAPI description (the file generated/api.github.com.json of the npm package
// @octokit/openapi, under the MIT licence) on standard input, and writes what test/github needs of it on standard output: the
// operations that are used, what they refer to, and no prose. Run it as
//
//	go run ./test/github/cmd/excerpt <api.github.com.json >test/github/testdata/openapi.json
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"moorgate.dev/test/github"
)

func main() {
	if err := excerpt(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "excerpt:", err)
		os.Exit(1)
	}
}

func excerpt(in io.Reader, out io.Writer) error {
	var whole map[string]any
	if err := json.NewDecoder(in).Decode(&whole); err != nil {
		return fmt.Errorf("read the description: %w", err)
	}
	e := excerpted{whole: whole, components: map[string]any{}}
	paths := map[string]any{}
	for _, o := range github.Operations {
		method, template, _ := strings.Cut(o, " ")
		there, _ := at(whole, "paths", template).(map[string]any)
		operation, ok := there[strings.ToLower(method)]
		if !ok {
			return fmt.Errorf("GitHub publishes no operation %s", o)
		}
		if paths[template] == nil {
			paths[template] = map[string]any{}
		}
		paths[template].(map[string]any)[strings.ToLower(method)] = e.clean(operation, false)
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", " ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(map[string]any{"openapi": whole["openapi"], "info": whole["info"], "paths": paths, "components": e.components})
}

type excerpted struct {
	whole, components map[string]any
}

// prose are words of OpenAPI that say nothing to a program.
var prose = []string{"description", "summary", "example", "examples", "externalDocs", "tags", "operationId", "title", "links", "headers", "nullable", "deprecated"}

// clean copies a node without prose, follows what it refers to, and says "nullable" as JSON Schema does. named is whether the keys of
// the node are names of properties.
func (e excerpted) clean(node any, named bool) any {
	switch n := node.(type) {
	case []any:
		out := make([]any, len(n))
		for i := range n {
			out[i] = e.clean(n[i], false)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for key, v := range n {
			if !named && (slices.Contains(prose, key) || strings.HasPrefix(key, "x-")) {
				continue
			}
			out[key] = e.clean(v, key == "properties" && !named)
		}
		if ref, ok := n["$ref"].(string); ok && !named {
			e.follow(ref)
		}
		if n["nullable"] == true && !named {
			return nullable(out)
		}
		return out
	}
	return node
}

func nullable(n map[string]any) any {
	if kind, ok := n["type"].(string); ok && n["enum"] == nil && n["allOf"] == nil && n["anyOf"] == nil && n["oneOf"] == nil {
		n["type"] = []any{kind, "null"}
		return n
	}
	return map[string]any{"anyOf": []any{n, map[string]any{"type": "null"}}}
}

// follow takes over the component that is referred to: "#/components/schemas/git-ref".
func (e excerpted) follow(ref string) {
	parts := strings.Split(strings.TrimPrefix(ref, "#/components/"), "/")
	if len(parts) != 2 || at(e.components, parts[0], parts[1]) != nil {
		return
	}
	kind, _ := e.components[parts[0]].(map[string]any)
	if kind == nil {
		kind = map[string]any{}
		e.components[parts[0]] = kind
	}
	kind[parts[1]] = map[string]any{} // it may refer to itself
	kind[parts[1]] = e.clean(at(e.whole, "components", parts[0], parts[1]), false)
}

func at(node any, keys ...string) any {
	for _, key := range keys {
		m, _ := node.(map[string]any)
		node = m[key]
	}
	return node
}
