package gate

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestStrict(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	tests := []struct{ name, data, says string }{
		{"reads what is plain", `{"advisor":"x","score":{"value":1},"confidence":{"unknown":"why"},"choice":["a","b"]}`, ""},
		{"reads nothing", `{}`, ""},
		{"refuses a key that is there twice", `{"advisor":"x","advisor":"y"}`, `at $: the key "advisor" is there twice`},
		{"refuses a key that is there twice in another case", `{"advisor":"x","ADVISOR":"y"}`, `the key "ADVISOR" is there twice`},
		{"refuses a key that is there twice with another kind of k", `{"rules":1,"ruleſ":2}`, `the key "ruleſ" is there twice`},
		{"refuses a key that is there twice in escapes", `{"advisor":"x","\u0061dvisor":"y"}`, `the key "advisor" is there twice`},
		{"refuses an empty key that is there twice", `{"":1,"":2}`, `the key "" is there twice`},
		{"refuses a key that is there twice within", `{"findings":[{"id":"x"},{"evidence":["a"],"id":"x","id":"y"}]}`, `at $.findings[1]: the key "id" is there twice`},
		{"refuses a key that is there twice in a fact", `{"score":{"value":1,"Value":2}}`, `at $.score: the key "Value" is there twice`},
		{"refuses a field that nobody knows", `{"advisor":"x","certainty":1}`, `unknown field "certainty"`},
		{"refuses a field that nobody knows within", `{"findings":[{"weight":1}]}`, `unknown field "weight"`},
		{"refuses a field that nobody knows in a fact", `{"score":{"valeu":1}}`, `unknown field "valeu"`},
		{"refuses a field that nobody knows in a fact's value", `{"score":{"value":{"well":1}}}`, "cannot unmarshal object"},
		{"refuses a fact that is both", `{"score":{"value":1,"unknown":"x"}}`, "both known and unknown"},
		{"refuses what comes after", `{} {}`, "something comes after"},
		{"refuses what comes after and is none", `{}}`, "something comes after"},
		{"refuses an end that is missing", `{"findings":[{"id":"x"`, "at $.findings[0]: "},
		{"refuses a value that is none", `{"findings":[{"id":x}]}`, "at $.findings[0].id: "},
		{"refuses the wrong end", `{"findings":[}]`, "at $.findings"},
		{"refuses nothing at all", ``, "EOF"},
		{"refuses null", " null\n", "it is null"},
		{"refuses a list", `[]`, "cannot unmarshal array"},
		{"refuses a number that is a text", `{"score":{"value":"1"}}`, "cannot unmarshal string"},
		{"refuses broken UTF-8", "{\"advisor\":\"\xff\"}", "not valid UTF-8"},
		{"refuses a key that is no text", `{1:2}`, "at $: "},
		{"reads as deep as may be", `{"advisor":` + deep(StrictDepth-1) + `}`, "cannot unmarshal array"},
		{"refuses what is too deep", `{"advisor":` + deep(StrictDepth) + `}`, "it is deeper than 64"},
		{"reads as much as may be", `{"advisor":"` + strings.Repeat("x", StrictBytes-14) + `"}`, ""},
		{"refuses too much", `{"advisor":"` + strings.Repeat("x", StrictBytes-13) + `"}`, "it has 1048577 bytes"},
		{"shows a path in one line", `{"a\nb":{"x":1,"x":2}}`, "at $.a b: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := Assessment{Advisor: "before", Silent: "before"}
			err := Strict([]byte(tt.data), &a)
			if (err != nil) != (tt.says != "") || err != nil && (!strings.Contains(err.Error(), tt.says) || !strings.HasPrefix(err.Error(), "read JSON")) {
				t.Fatalf("error %v, want %q", err, tt.says)
			}
			if err != nil && (a.Advisor != "before" || a.Silent != "before") || err == nil && a.Silent != "" {
				t.Errorf("it was written in part: %+v", a)
			}
		})
	}
	for _, into := range []any{nil, Assessment{}, (*Assessment)(nil)} {
		if err := Strict([]byte(`{}`), into); err == nil || !strings.Contains(err.Error(), "it is no pointer") {
			t.Errorf("into %T: %v", into, err)
		}
	}
}

// TestFactsAreStrictThroughout shows that a field that nobody knows is refused in what a fact holds, too.
func TestFactsAreStrictThroughout(t *testing.T) {
	for _, text := range []string{`{"value":{"well":1,"total":2,"ill":1}}`, `{"unknown":"","value":{"ill":1}}`, `{"value":{"well":1},"unknown":"x"}`, `{"value":{"well":1}} `} {
		var f Fact[Share]
		err := f.UnmarshalJSON([]byte(text))
		if fine := strings.HasSuffix(text, " "); (err == nil) != fine {
			t.Errorf("%s: %+v, %v", text, f, err)
		}
	}
}

// TestL27DuplicateKeysAreRejected shows that an answer that says something twice is no answer, where encoding/json would take
// the last in silence.
func TestL27DuplicateKeysAreRejected(t *testing.T) {
	for _, answer := range []string{
		`{"advisor":"model","score":{"value":10},"score":{"value":100}}`,
		`{"advisor":"model","score":{"value":10},"Score":{"value":100}}`,
		`{"advisor":"model","score":{"value":10,"value":100}}`,
		`{"advisor":"model","choice":["none"],"choice":["act"],"score":{"value":100}}`,
	} {
		var last, strict Assessment
		if err := json.Unmarshal([]byte(answer), &last); err != nil {
			t.Fatal(err)
		}
		if score, _ := last.Score.Get(); score != 100 {
			t.Fatalf("encoding/json reads %+v", last)
		}
		if err := Strict([]byte(answer), &strict); err == nil || !strings.Contains(err.Error(), "is there twice") {
			t.Errorf("%s: %v", answer, err)
		}
		if strict.Advisor != "" {
			t.Errorf("something of %s was taken: %+v", answer, strict)
		}
	}
}

// FuzzStrict shows of whatever Strict accepts that encoding/json reads the same, that nothing is said twice in it, and that it
// survives being written and read again.
func FuzzStrict(f *testing.F) {
	for _, seed := range []string{`{"a":1,"b":[{"c":null}]}`, `{"a":1,"a":2}`, `{"K":1,"\u212a":2}`, `[1,2,{"":{"":0}}]`, `{"a":1}x`, `"\ud800"`, `1e999`, `nul`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var strict, loose any
		if Strict(data, &strict) != nil {
			return
		}
		if err := json.Unmarshal(data, &loose); err != nil || !reflect.DeepEqual(strict, loose) {
			t.Fatalf("encoding/json reads %v (%v), Strict %v", loose, err, strict)
		}
		again, err := json.Marshal(strict)
		if err != nil {
			t.Fatal(err)
		}
		var back any
		if len(again) <= StrictBytes {
			if err := Strict(again, &back); err != nil || !reflect.DeepEqual(back, strict) {
				t.Fatalf("%s reads back as %v: %v", again, back, err)
			}
		}
		if said, kept := keysIn(data), keys(strict); said != kept {
			t.Fatalf("%d keys are said, and %d kept", said, kept)
		}
	})
}

// keysIn counts the keys of all objects in JSON as they are written.
func keysIn(data []byte) int {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	n := 0
	for {
		token, err := d.Token()
		if err != nil {
			return n
		}
		if _, text := token.(string); text && isKey(data[d.InputOffset():]) {
			n++
		}
	}
}

// isKey is whether what was just read is followed by a colon.
func isKey(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t\r\n")
	return len(rest) > 0 && rest[0] == ':'
}

// keys counts the keys of all objects in a value.
func keys(v any) int {
	n := 0
	switch v := v.(type) {
	case map[string]any:
		for _, x := range v {
			n += 1 + keys(x)
		}
	case []any:
		for _, x := range v {
			n += keys(x)
		}
	}
	return n
}
