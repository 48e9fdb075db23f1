package github

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed testdata/openapi.json
var published []byte

// contract is GitHub's published description, to hold requests and answers against.
type contract struct {
	whole map[string]any

	lock     sync.Mutex
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
}

const described = "https://api.github.com/openapi.json"

func newContract() *contract {
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(published))
	if err != nil {
		panic(fmt.Sprintf("the excerpt of GitHub's description is no JSON: %v", err))
	}
	c := &contract{whole: whole.(map[string]any), compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}}
	if err := c.compiler.AddResource(described, whole); err != nil {
		panic(fmt.Sprintf("the excerpt of GitHub's description is no schema: %v", err))
	}
	return c
}

// operation splits "GET /repos/{owner}" and finds its description.
func (c *contract) operation(o string) (pointer string, node map[string]any) {
	method, template, _ := strings.Cut(o, " ")
	method = strings.ToLower(method)
	node, _ = c.at("paths", template, method).(map[string]any)
	return "/paths/" + escaped(template) + "/" + method, node
}

func escaped(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(key)
}

func (c *contract) at(keys ...string) any {
	var node any = c.whole
	for _, key := range keys {
		m, _ := node.(map[string]any)
		node = m[key]
	}
	return node
}

// resolve follows references until there is none.
func (c *contract) resolve(node map[string]any) map[string]any {
	for {
		ref, ok := node["$ref"].(string)
		if !ok {
			return node
		}
		node, _ = c.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...).(map[string]any)
	}
}

// request says what is wrong with a request; empty: nothing. A field that GitHub publishes nothing of is wrong too.
func (c *contract) request(o string, r *http.Request, body []byte) string {
	pointer, node := c.operation(o)
	var known []string
	parameters, _ := node["parameters"].([]any)
	for _, p := range parameters {
		parameter := c.resolve(p.(map[string]any))
		if parameter["in"] == "query" {
			known = append(known, parameter["name"].(string))
		}
	}
	for name := range r.URL.Query() {
		if !slices.Contains(known, name) {
			return "there is no parameter " + name
		}
	}
	form, _ := node["requestBody"].(map[string]any)
	if form == nil || len(body) == 0 {
		if len(body) > 0 || form["required"] == true {
			return "a body where there is none, or none where there is one"
		}
		return ""
	}
	schema := c.resolve(c.within(form, "content", "application/json", "schema"))
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return "its body is no JSON"
	}
	if err := c.fits(pointer+"/requestBody/content/application~1json/schema", value); err != nil {
		return err.Error()
	}
	if properties, ok := schema["properties"].(map[string]any); ok {
		given, _ := value.(map[string]any)
		for name := range given {
			if properties[name] == nil {
				return "there is no field " + name
			}
		}
	}
	return ""
}

func (c *contract) within(node map[string]any, keys ...string) map[string]any {
	for _, key := range keys {
		node, _ = node[key].(map[string]any)
	}
	return node
}

// answer completes an answer with what GitHub sends besides, and panics where it is none that GitHub would give: the server is wrong.
func (c *contract) answer(o string, status int, given any) []byte {
	pointer, node := c.operation(o)
	code := strconv.Itoa(status)
	response := c.resolve(c.within(node, "responses", code))
	if response == nil {
		panic(fmt.Sprintf("GitHub publishes no answer %d to %s", status, o))
	}
	content := c.within(response, "content", "application/json")
	if content == nil {
		return nil
	}
	at := pointer + "/responses/" + code
	if ref, ok := c.within(node, "responses", code)["$ref"].(string); ok {
		at = strings.TrimPrefix(ref, "#")
	}
	b, err := json.Marshal(c.complete(content["schema"].(map[string]any), given))
	if err != nil {
		panic(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		panic(err)
	}
	if err := c.fits(at+"/content/application~1json/schema", value); err != nil {
		panic(fmt.Sprintf("the answer %d to %s is not as GitHub publishes it: %v", status, o, err))
	}
	return b
}

func (c *contract) fits(pointer string, value any) error {
	c.lock.Lock()
	defer c.lock.Unlock()
	schema, ok := c.compiled[pointer]
	if !ok {
		var err error
		if schema, err = c.compiler.Compile(described + "#" + pointer); err != nil {
			panic(fmt.Sprintf("the schema %s: %v", pointer, err))
		}
		c.compiled[pointer] = schema
	}
	return schema.Validate(value)
}
