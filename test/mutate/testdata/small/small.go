// Package small is something to break.
package small

import "time"

// Fits reports whether n things of a length fit, and how many do.
func Fits(n int, each, all time.Duration, strict bool) (bool, int) {
	if n <= 0 || each < 0 {
		return false, 0
	}
	count := 0
	for each > 0 && count < n {
		if strict && time.Duration(count+1)*each > all {
			break
		}
		count++
	}
	return count == n, max(count, 1)
}
