package gate

import "encoding/json"

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

// UnmarshalJSON reads what MarshalJSON writes. Anything without a value is unknown.
func (f *Fact[T]) UnmarshalJSON(b []byte) error {
	var j factJSON[T]
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	if j.Value == nil {
		*f = Unknown[T](j.Unknown)
		return nil
	}
	*f = Known(*j.Value)
	return nil
}
