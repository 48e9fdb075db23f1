package advise

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"moorgate.dev/internal/gate"
)

// answerMax is how many bytes an opinion may have.
const answerMax = 64 << 10

// fence is one code fence around the whole, which many models cannot leave out.
var fence = regexp.MustCompile("(?s)^```(?:json|JSON)?[ \t]*\r?\n(.*)\r?\n?```$")

// ParseOpinion reads a model's answer: one JSON object, at most in one code fence, that fits the schema as a whole and in which no
// key is there twice. Nothing else is made something of. Texts come out on one line.
func ParseOpinion(text string, schema json.RawMessage) (Opinion, error) {
	if len(text) > answerMax {
		return Opinion{}, fmt.Errorf("read the model's answer: it has %d bytes, and at most %d are read", len(text), answerMax)
	}
	text = strings.TrimSpace(text)
	if inner := fence.FindStringSubmatch(text); inner != nil {
		text = inner[1]
	}
	var o Opinion
	if err := gate.Strict([]byte(text), &o); err != nil {
		return Opinion{}, fmt.Errorf("read the model's answer: %w", err)
	}
	s, err := compiled(schema)
	if err != nil {
		return Opinion{}, err
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return Opinion{}, fmt.Errorf("read the model's answer: %w", err)
	}
	if err := s.Validate(value); err != nil {
		var invalid *jsonschema.ValidationError
		if errors.As(err, &invalid) {
			return Opinion{}, fmt.Errorf("read the model's answer: at %q it does not fit the schema", "/"+strings.Join(deepest(invalid).InstanceLocation, "/"))
		}
		return Opinion{}, fmt.Errorf("read the model's answer: %w", err)
	}
	o.Why = gate.OneLine(o.Why, maxFindingText)
	return o, nil
}

// deepest is where exactly a value does not fit.
func deepest(e *jsonschema.ValidationError) *jsonschema.ValidationError {
	for len(e.Causes) > 0 {
		e = e.Causes[0]
	}
	return e
}

// compiledMost is how many schemas are kept: one a face and version, and then some.
const compiledMost = 32

var schemas struct {
	lock sync.Mutex
	all  map[string]*jsonschema.Schema
}

// compiled is a schema, made once. It loads nothing from anywhere.
func compiled(schema json.RawMessage) (*jsonschema.Schema, error) {
	schemas.lock.Lock()
	defer schemas.lock.Unlock()
	if s, ok := schemas.all[string(schema)]; ok {
		return s, nil
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, fmt.Errorf("read the schema of answers: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(unloaded{})
	if err := c.AddResource("answer.json", doc); err != nil {
		return nil, fmt.Errorf("read the schema of answers: %w", err)
	}
	s, err := c.Compile("answer.json")
	if err != nil {
		return nil, fmt.Errorf("read the schema of answers: %w", err)
	}
	if schemas.all == nil || len(schemas.all) >= compiledMost {
		schemas.all = map[string]*jsonschema.Schema{}
	}
	schemas.all[string(schema)] = s
	return s, nil
}

type unloaded struct{}

func (unloaded) Load(url string) (any, error) {
	return nil, fmt.Errorf("the schema refers to %s, and nothing is loaded", url)
}
