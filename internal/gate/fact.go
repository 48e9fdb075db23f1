package gate

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
)

// Fact is something about the world that may not be known. The zero Fact is unknown: unknown is not absent, and a rule
// that needs an unknown never allows.
type Fact[T any] struct {
	value T
	known bool
	why   string
}

// Known returns the Fact that v holds.
func Known[T any](v T) Fact[T] { return Fact[T]{value: v, known: true} }

// Unknown returns a Fact that could not be established; why says what stood in the way, in words for an operator.
func Unknown[T any](why string) Fact[T] { return Fact[T]{why: why} }

// Get returns the value and whether it is known. The value of an unknown Fact is T's zero value.
func (f Fact[T]) Get() (T, bool) { return f.value, f.known }

// IsZero is whether nobody looked, for omitzero.
func (f Fact[T]) IsZero() bool { return !f.known && f.why == "" }

// Why says why the Fact is unknown. It is empty for a known one.
func (f Fact[T]) Why() string {
	if f.known {
		return ""
	}
	if f.why == "" {
		return "nobody looked"
	}
	return f.why
}

// factJSON is how a Fact is written: with one of the two.
type factJSON[T any] struct {
	Value   *T     `json:"value,omitempty"`
	Unknown string `json:"unknown,omitempty"`
}

// MarshalJSON writes {"value": …} for a known Fact and {"unknown": why} for an unknown one.
func (f Fact[T]) MarshalJSON() ([]byte, error) {
	if f.known {
		return json.Marshal(factJSON[T]{Value: &f.value})
	}
	return json.Marshal(factJSON[T]{Unknown: f.Why()})
}

// UnmarshalJSON reads what MarshalJSON writes, and refuses what is neither or both. Anything without a value is unknown. A
// null is a value where T is a list or a map, of which it is the empty one, and nowhere else.
func (f *Fact[T]) UnmarshalJSON(b []byte) error {
	if v, ok := plain[T](b); ok {
		*f = Known(v)
		return nil // what follows would read the same
	}
	var j struct {
		Value   json.RawMessage `json:"value"`
		Unknown string          `json:"unknown"`
	}
	if err := known(b, &j); err != nil {
		return err
	}
	if j.Value == nil || string(j.Value) == "null" && !empties[T]() {
		*f = Unknown[T](j.Unknown)
		return nil
	}
	if j.Unknown != "" {
		return errors.New("a fact is both known and unknown")
	}
	var value T
	if err := known(j.Value, &value); err != nil {
		return err
	}
	*f = Known(value)
	return nil
}

// plain reads what MarshalJSON writes of a known Fact, and nothing else, without looking at it twice: logs hold a great many.
func plain[T any](b []byte) (v T, ok bool) {
	inner, opened := bytes.CutPrefix(b, []byte(`{"value":`))
	inner = bytes.TrimSuffix(inner, []byte("}"))
	if !opened || string(inner) == "null" {
		return v, false
	}
	return v, known(inner, &v) == nil
}

// empties is whether T has an empty value that JSON writes as null.
func empties[T any]() bool {
	kind := reflect.TypeFor[T]().Kind()
	return kind == reflect.Slice || kind == reflect.Map
}
