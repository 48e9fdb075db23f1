package chart

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	yaml3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// outside are the functions by which a rendering would hang on something else than the chart and the values, with what that is.
var outside = map[string]string{
	"lookup": "the cluster", "getHostByName": "the network", "env": "the environment", "expandenv": "the environment",
	"now": "the clock", "ago": "the clock", "date": "the clock", "dateInZone": "the clock", "date_in_zone": "the clock",
	"htmlDate": "the clock", "htmlDateInZone": "the clock",
	"randAlphaNum": "chance", "randAlpha": "chance", "randAscii": "chance", "randNumeric": "chance", "randBytes": "chance", "randInt": "chance",
	"shuffle": "chance", "uuidv4": "chance", "bcrypt": "chance", "htpasswd": "chance", "encryptAES": "chance", "derivePassword": "a password",
	"genPrivateKey": "chance", "genCA": "chance", "genCAWithKey": "chance", "genSelfSignedCert": "chance", "genSelfSignedCertWithKey": "chance",
	"genSignedCert": "chance", "genSignedCertWithKey": "chance",
}

// missing are functions of Helm that are not written here.
var missing = []string{"toToml", "mustToToml", "fromToml", "mustToDuration", "durationSeconds", "durationMilliseconds", "durationMicroseconds",
	"durationNanoseconds", "durationMinutes", "durationHours", "durationDays", "durationWeeks", "durationRoundTo", "durationTruncateTo"}

// outsideError says that a template calls one of either.
type outsideError struct{ function string }

func (e outsideError) Error() string {
	if outside[e.function] == "" {
		return fmt.Sprintf("its templates call %s, which this version does not have", e.function)
	}
	return fmt.Sprintf("its templates call %s, so that what they make hangs on %s too", e.function, outside[e.function])
}

var errFails = errors.New("its templates refuse the values")

// functions are those that templates may call, but for include and tpl.
func functions() template.FuncMap {
	all := sprig.TxtFuncMap()
	add := template.FuncMap{
		"toYaml": toYAML, "mustToYaml": mustToYAML, "toYamlPretty": toYAMLPretty, "fromYaml": fromYAML, "fromYamlArray": fromYAMLArray,
		"fromJson": fromJSON, "fromJsonArray": fromJSONArray, "toJson": toJSON,
		"print": fmt.Sprint, "println": fmt.Sprintln, "printf": fmt.Sprintf,
		"html": template.HTMLEscaper, "js": template.JSEscaper, "urlquery": template.URLQueryEscaper,
		"fail":      func(string) (string, error) { return "", errFails },
		"required":  required,
		"until":     until,
		"untilStep": counted,
		"repeat": func(count int, text string) (string, error) {
			if count < 0 || count*len(text) > mostText || count > mostText {
				return "", errTooMuch
			}
			return strings.Repeat(text, count), nil
		},
		"indent": indent,
		"nindent": func(spaces int, text string) (string, error) {
			text, err := indent(spaces, text)
			return "\n" + text, err
		},
	}
	if seq, known := all["seq"].(func(...int) string); known {
		add["seq"] = func(of ...int) (string, error) {
			if slices.ContainsFunc(of, func(i int) bool { return i > mostItems || i < -mostItems }) {
				return "", errTooMuch
			}
			return seq(of...), nil
		}
	}
	maps.Copy(all, add)
	for _, name := range slices.Concat(slices.Collect(maps.Keys(outside)), missing) {
		all[name] = func(...any) (any, error) { return nil, outsideError{name} }
	}
	return all
}

func until(count int) ([]int, error) {
	if count < 0 {
		return counted(0, count, -1)
	}
	return counted(0, count, 1)
}

func counted(start, stop, step int) ([]int, error) {
	if step == 0 || (stop-start)/step > mostItems {
		return nil, errTooMuch
	}
	var all []int
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		all = append(all, i)
	}
	return all, nil
}

func indent(spaces int, text string) (string, error) {
	if spaces < 0 || spaces > 1000 || spaces*(1+strings.Count(text, "\n")) > mostText {
		return "", errTooMuch
	}
	pad := strings.Repeat(" ", spaces)
	return pad + strings.ReplaceAll(text, "\n", "\n"+pad), nil
}

func required(_ string, v any) (any, error) {
	if v == nil || v == "" {
		return nil, errFails
	}
	return v, nil
}

// What follows is written and read as Helm does it: what cannot be is empty, or said in what is made.

func toYAML(v any) string {
	b, err := yaml.Marshal(v)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(b), "\n")
}

func mustToYAML(v any) (string, error) {
	b, err := yaml.Marshal(v)
	return strings.TrimSuffix(string(b), "\n"), err
}

func toYAMLPretty(v any) string {
	var b strings.Builder
	e := yaml3.NewEncoder(&b)
	e.SetIndent(2)
	if e.Encode(v) != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func fromYAML(text string) map[string]any {
	m := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &m); err != nil {
		m["Error"] = err.Error()
	}
	return m
}

func fromYAMLArray(text string) []any {
	var a []any
	if err := yaml.Unmarshal([]byte(text), &a); err != nil {
		a = []any{err.Error()}
	}
	return a
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

func fromJSON(text string) map[string]any {
	m := map[string]any{}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		m["Error"] = err.Error()
	}
	return m
}

func fromJSONArray(text string) []any {
	var a []any
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		a = []any{err.Error()}
	}
	return a
}
