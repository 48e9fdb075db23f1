package gate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of what Strict reads.
const (
	StrictBytes = 1 << 20
	StrictDepth = 64 // of objects and lists in one another
)

// Strict reads JSON that decides something: ledgers, approvals, policies, answers of models. Where encoding/json would quietly
// make something of it, Strict says no: a key that is there twice (also in another case, because encoding/json does not tell
// cases apart), a field that nobody knows, anything after the value, broken UTF-8, a bare null, and what is too large or too
// deep. An error names the key. What into points to is written as a whole or not at all.
func Strict(data []byte, into any) error {
	to := reflect.ValueOf(into)
	switch {
	case to.Kind() != reflect.Pointer || to.IsNil():
		return fmt.Errorf("read JSON into %T: it is no pointer", into)
	case len(data) > StrictBytes:
		return fmt.Errorf("read JSON: it has %d bytes, and at most %d are read", len(data), StrictBytes)
	case !utf8.Valid(data):
		return errors.New("read JSON: it is not valid UTF-8")
	case string(bytes.TrimSpace(data)) == "null":
		return errors.New("read JSON: it is null")
	}
	if err := plainly(data); err != nil {
		return fmt.Errorf("read JSON: %w", err)
	}
	fresh := reflect.New(to.Type().Elem())
	if err := known(data, fresh.Interface()); err != nil {
		return fmt.Errorf("read JSON: %w", err)
	}
	to.Elem().Set(fresh.Elem())
	return nil
}

// known decodes what is one value, and refuses fields that nobody knows.
func known(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something comes after the value")
	}
	return nil
}

// plainly checks that nothing is said twice in a value.
func plainly(data []byte) error {
	r := reader{d: json.NewDecoder(bytes.NewReader(data))}
	r.d.UseNumber()
	if err := r.value(); err != nil {
		return fmt.Errorf("at %s: %w", OneLine("$"+strings.Join(r.at, ""), 200), err)
	}
	return nil
}

// reader reads JSON token by token. After an error, at is where it happened.
type reader struct {
	d  *json.Decoder
	at []string
}

func (r *reader) value() error {
	token, err := r.d.Token()
	if err != nil {
		return err
	}
	delim, nested := token.(json.Delim)
	if !nested {
		return nil
	}
	if len(r.at) == StrictDepth {
		return fmt.Errorf("it is deeper than %d", StrictDepth)
	}
	keys := map[string]bool{}
	for i := 0; r.d.More(); i++ {
		step := "[" + strconv.Itoa(i) + "]"
		if delim == '{' {
			token, err := r.d.Token()
			if err != nil {
				return err
			}
			key, _ := token.(string)
			step = "." + key
			if keys[folded(key)] {
				return fmt.Errorf("the key %q is there twice", key)
			}
			keys[folded(key)] = true
		}
		r.at = append(r.at, step)
		if err := r.value(); err != nil {
			return err
		}
		r.at = r.at[:len(r.at)-1]
	}
	_, err = r.d.Token() // the end of it
	return err
}

// folded is the same for all keys that encoding/json takes for the same field.
func folded(key string) string {
	return strings.Map(func(r rune) rune {
		for least := unicode.SimpleFold(r); ; r, least = least, unicode.SimpleFold(least) {
			if least <= r {
				return least
			}
		}
	}, key)
}
