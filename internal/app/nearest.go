package app

import (
	"cmp"
	"slices"
	"strings"
)

// nearest returns a few of the names that look most like the one that was not found: those that hold it first, then those
// that take the fewest changes, but no more than half of it.
func nearest(name string, names []string) []string {
	type near struct {
		name     string
		distance int
	}
	var all []near
	_, bare, _ := strings.Cut("/"+name, "/")
	if i := strings.LastIndexByte(bare, '/'); i >= 0 {
		bare = bare[i+1:]
	}
	for _, known := range names {
		of := known
		if !strings.Contains(name, "/") {
			of = known[strings.LastIndexByte(known, '/')+1:]
		}
		switch d := distance(name, of); {
		case bare != "" && strings.Contains(known, bare):
			all = append(all, near{known, -1})
		case d <= len(name)/2:
			all = append(all, near{known, d})
		}
	}
	slices.SortStableFunc(all, func(a, b near) int { return cmp.Compare(a.distance, b.distance) })
	var out []string
	for _, x := range all[:min(suggestions, len(all))] {
		out = append(out, x.name)
	}
	return out
}

// distance is how many bytes must be changed, added or left out to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := before
			if a[i] != b[j] {
				changed++
			}
			before = row[j+1]
			row[j+1] = min(changed, row[j]+1, before+1)
		}
	}
	return row[len(b)]
}
