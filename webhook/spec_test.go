package webhook

import (
	"encoding/json"
	"testing"
)

func TestSpecIn(t *testing.T) {
	for raw, want := range map[string]string{
		`{"kind":"Deployment","spec":{"a":"}","b":["{"]},"status":{"spec":{}}}`: `{"a":"}","b":["{"]}`,
		`{"metadata":{"annotations":{"spec":"{\"spec\":1}"}},"spec":[1,{}]}`:    `[1,{}]`,
		`{"spec":"spec","x":"\\"}`:      `"spec"`,
		`{"spec":1}`:                    `1`,
		`{"x":["spec",{"spec":2}]}`:     "",
		`{"spec":1,"spec":2}`:           "", // which of them counts is for a reader to say
		`{"spec":1,"sp\u0065c":2}`:      "",
		`{"spec" :1}`:                   "", // the API server writes no spaces
		`{"metadata":{},"spec":{"a":1}`: "",
		`[{"spec":1}]`:                  "",
		`["spec",1]`:                    "",
		`{"x":"\`:                       "",
		`"spec"`:                        "",
		``:                              "",
	} {
		if got := string(specIn([]byte(raw))); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}

// FuzzSpecIn holds what is found against what a reader finds, wherever there is one thing to find.
func FuzzSpecIn(f *testing.F) {
	f.Add([]byte(`{"kind":"Deployment","spec":{"a":"}","b":["{"]},"status":{"spec":{}}}`))
	f.Add([]byte(`{"a":"\"","spec":{"\\":[]},"b":[{"spec":1}]}`))
	f.Add([]byte(`{"spec":1,"spec":2}`))
	f.Add([]byte(`{"a":1]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var read map[string]json.RawMessage
		got := specIn(raw)
		if json.Unmarshal(raw, &read) != nil || got == nil {
			return
		}
		var a, b any
		if json.Unmarshal(got, &a) != nil || json.Unmarshal(read["spec"], &b) != nil {
			t.Fatalf("%q: found %q, and a reader %q", raw, got, read["spec"])
		}
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		if string(x) != string(y) {
			t.Errorf("%q: found %s, and a reader %s", raw, x, y)
		}
	})
}
