package small

import (
	"testing"
	"time"
)

func TestFits(t *testing.T) {
	for _, row := range []struct {
		n         int
		each, all time.Duration
		strict    bool
		fits      bool
		count     int
	}{{0, 1, 9, true, false, 0}, {1, -1, 9, true, false, 0}, {3, 3, 9, true, true, 3}, {4, 3, 9, true, false, 3}, {4, 3, 9, false, true, 4}, {1, 1, 1, true, true, 1},
		{2, 0, 9, true, false, 1}, {1, 9, 1, true, false, 1}} {
		if fits, count := Fits(row.n, row.each, row.all, row.strict); fits != row.fits || count != row.count {
			t.Errorf("%+v: %t, %d", row, fits, count)
		}
	}
}
