package prompts

import (
	"encoding/json"
	"fmt"
)

// schemas are the JSON schemas of an answer under the given terms: the full one, which answers are held against, and the one that is
// sent, without the bounds that strict modes refuse or ignore.
func schemas(t Terms) (sent, local json.RawMessage, err error) {
	raw, err := files.ReadFile("answer.schema.json")
	if err != nil {
		return nil, nil, fmt.Errorf("read the answer's schema: %w", err)
	}
	var schema map[string]any
	if err := json.Unmarshal(raw, &schema); err != nil {
		return nil, nil, fmt.Errorf("parse the answer's schema: %w", err)
	}
	properties := schema["properties"].(map[string]any)
	causes := []string{""}
	if len(t.Causes) > 0 {
		causes = causes[:0]
		for _, c := range t.Causes {
			causes = append(causes, c.ID)
		}
	}
	properties["cause"].(map[string]any)["enum"] = causes
	finding := properties["findings"].(map[string]any)["items"].(map[string]any)["properties"].(map[string]any)
	if len(t.Claims) == 0 {
		finding["claim"] = map[string]any{"type": "null"}
	} else {
		claim := finding["claim"].(map[string]any)["anyOf"].([]any)[1].(map[string]any)["properties"].(map[string]any)
		claim["kind"].(map[string]any)["enum"] = t.Claims
	}
	if local, err = json.Marshal(schema); err != nil {
		return nil, nil, fmt.Errorf("write the answer's schema: %w", err)
	}
	var loose any
	if err := json.Unmarshal(local, &loose); err != nil {
		return nil, nil, fmt.Errorf("parse the answer's schema: %w", err)
	}
	unbound(loose)
	if sent, err = json.Marshal(loose); err != nil {
		return nil, nil, fmt.Errorf("write the schema to send: %w", err)
	}
	return sent, local, nil
}

// unbound takes out what not every strict mode takes. No property of an answer has such a name.
func unbound(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range []string{"maxItems", "minLength", "maxLength", "minimum", "maximum"} {
			delete(v, key)
		}
		for _, inner := range v {
			unbound(inner)
		}
	case []any:
		for _, inner := range v {
			unbound(inner)
		}
	}
}
