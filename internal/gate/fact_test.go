package gate

import (
	"encoding/json"
	"reflect"
	"testing"
)

// again is a Fact as it comes back from a record.
func again[T any](t *testing.T, f Fact[T]) Fact[T] {
	t.Helper()
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var got Fact[T]
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatalf("read back %s: %v", b, err)
	}
	return got
}

func TestAFactComesBackFromARecordAsItWas(t *testing.T) {
	if got := again(t, Known([]string(nil))); !reflect.DeepEqual(got, Known([]string(nil))) {
		t.Errorf("nobody paused it, which is known, reads back as %+v", got)
	}
	if got := again(t, Known(map[string]string(nil))); !reflect.DeepEqual(got, Known(map[string]string(nil))) {
		t.Errorf("a namespace without labels reads back as %+v", got)
	}
	if got := again(t, Known([]string{"why"})); !reflect.DeepEqual(got, Known([]string{"why"})) {
		t.Errorf("got %+v", got)
	}
	if got := again(t, Unknown[[]string]("forbidden")); !reflect.DeepEqual(got, Unknown[[]string]("forbidden")) {
		t.Errorf("got %+v", got)
	}
	if got := again(t, Known(Ledger{})); !reflect.DeepEqual(got, Known(Ledger{})) {
		t.Errorf("an empty ledger reads back as %+v", got)
	}
}

func TestANullIsNoValueOfWhatHasNoEmptyOne(t *testing.T) {
	var n Fact[int]
	if err := json.Unmarshal([]byte(`{"value":null}`), &n); err != nil || !reflect.DeepEqual(n, Unknown[int]("")) {
		t.Errorf("%+v, %v", n, err)
	}
	var l Fact[[]string]
	if err := json.Unmarshal([]byte(`{}`), &l); err != nil || !reflect.DeepEqual(l, Unknown[[]string]("")) {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestWhatAFactSaysOfItself(t *testing.T) {
	for name, row := range map[string]struct {
		fact          Fact[int]
		value         int
		known, nobody bool
		why           string
	}{
		"known":          {Known(3), 3, true, false, ""},
		"known as zero":  {Known(0), 0, true, false, ""},
		"unknown":        {Unknown[int]("forbidden"), 0, false, false, "forbidden"},
		"nobody looked":  {Fact[int]{}, 0, false, true, "nobody looked"},
		"without reason": {Unknown[int](""), 0, false, true, "nobody looked"},
	} {
		if v, known := row.fact.Get(); v != row.value || known != row.known || row.fact.IsZero() != row.nobody || row.fact.Why() != row.why {
			t.Errorf("%s: %d, known %t, zero %t, why %q", name, v, known, row.fact.IsZero(), row.fact.Why())
		}
	}
	known := Known(1)
	known.why = "left over"
	if known.Why() != "" || known.IsZero() {
		t.Error("what is known has a reason not to be")
	}
}
