package acting

import "time"

// sightings remembers when something was seen first. It is bounded; when full it forgets everything, which is then merely
// seen for the first time again. One goroutine uses it at a time.
type sightings struct {
	max   int
	first map[string]time.Time
}

func newSightings(limit int) *sightings { return &sightings{max: limit, first: map[string]time.Time{}} }

// since is when something was seen first, which is now if it never was.
func (s *sightings) since(what string, now time.Time) time.Time {
	if at, seen := s.first[what]; seen {
		return at
	}
	if len(s.first) >= s.max {
		clear(s.first)
	}
	s.first[what] = now
	return now
}

// has is whether something was seen before.
func (s *sightings) has(what string) bool {
	_, seen := s.first[what]
	return seen
}

// forget makes something unseen.
func (s *sightings) forget(what string) { delete(s.first, what) }
