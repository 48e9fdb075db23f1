package app

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestTailIsTheEndOfALogHoweverLongItIs(t *testing.T) {
	long := strings.Repeat(strings.Repeat("x", 8<<10)+"\n", 2000) + "panic: the end\n"
	for _, n := range []int64{1, 10, 15, 64<<10 + 1} {
		got, err := tail(strings.NewReader(long), n)
		if err != nil || string(got) != long[int64(len(long))-n:] {
			t.Errorf("the last %d bytes: %d bytes, %v", n, len(got), err)
		}
	}
	for _, short := range []string{"", "a", "exactly"} {
		if got, err := tail(iotest.OneByteReader(strings.NewReader(short)), 7); err != nil || string(got) != short {
			t.Errorf("%q: %q, %v", short, got, err)
		}
	}
	if got, err := tail(iotest.DataErrReader(strings.NewReader("0123456789")), 3); err != nil || string(got) != "789" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := tail(io.MultiReader(strings.NewReader("a"), iotest.ErrReader(errors.New("gone"))), 3); err == nil {
		t.Error("half a log is taken for one")
	}
}
