package times

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"
	_ "time/tzdata" // for images without a tz database

	"github.com/robfig/cron/v3"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

const (
	// Ahead is how far Intervals looks into the future: a policy that was read is not used for longer.
	Ahead = time.Hour

	freezeLeast = time.Minute
	freezeMost  = 31 * 24 * time.Hour
)

// Check says what is wrong with a freeze window, if anything.
func Check(w v1alpha1.FreezeWindow) error {
	_, err := read(w)
	return err
}

// Intervals are the times in which a freeze window is open: the one that covers at, if any, and those that begin within
// Ahead, merged where they meet. There are at most 61, however often the schedule comes. An error means that nobody can say
// when the window is open; so it is for a time that is not known.
func Intervals(w v1alpha1.FreezeWindow, at time.Time) ([]gate.Interval, error) {
	f, err := read(w)
	if err != nil {
		return nil, err
	}
	if at.IsZero() {
		return nil, errors.New("the time is not known")
	}
	at = at.UTC().Truncate(time.Second) // windows begin and end on whole seconds
	var open []gate.Interval
	add := func(from time.Time) {
		to := from.Add(f.length)
		if n := len(open); n > 0 && !from.After(open[n-1].To) {
			open[n-1].To = to // of the same length, so it ends later
			return
		}
		open = append(open, gate.Interval{From: from, To: to, Reason: w.Reason})
	}
	if from, covers := f.last(at); covers {
		add(from)
	}
	for from, more := f.next(at, at.Add(Ahead)); more; from, more = f.next(from, at.Add(Ahead)) {
		add(from)
	}
	return open, nil
}

// freeze is a freeze window that was read.
type freeze struct {
	schedule cron.Schedule // of the times on the clocks of zone
	zone     *time.Location
	length   time.Duration
}

var fields = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// leapYear has every date there is, and each of them on some day of the week.
var leapYear = time.Date(2024, 1, 1, 0, 0, 0, -1, time.UTC)

func read(w v1alpha1.FreezeWindow) (freeze, error) {
	schedule, err := readSchedule(w.Schedule)
	if err != nil {
		return freeze{}, fmt.Errorf("schedule %q: %w", w.Schedule, err)
	}
	zone, err := time.LoadLocation(w.TimeZone)
	if err != nil || w.TimeZone == "" || strings.EqualFold(w.TimeZone, "Local") {
		return freeze{}, fmt.Errorf("timeZone %q is not in the tz database", w.TimeZone)
	}
	length, err := Duration(w.Duration, freezeLeast, freezeMost)
	if err != nil {
		return freeze{}, fmt.Errorf("duration: %w", err)
	}
	return freeze{schedule: schedule, zone: zone, length: length}, nil
}

func readSchedule(text string) (cron.Schedule, error) {
	if strings.Contains(text, "TZ=") {
		return nil, errors.New("the zone stands in timeZone, not in the schedule")
	}
	if strings.HasPrefix(strings.TrimSpace(text), "@") {
		return nil, errors.New("want five fields: minute, hour, day of the month, the month, day of the week")
	}
	schedule, err := fields.Parse(text)
	if err != nil {
		return nil, err
	}
	if schedule.Next(leapYear).IsZero() {
		return nil, errors.New("there is no such day")
	}
	return schedule, nil
}

// next is the first start after t that is not after limit.
func (f freeze) next(t, limit time.Time) (time.Time, bool) {
	clock := f.clock(t)
	for {
		_, change := t.In(f.zone).ZoneBounds()
		shown := f.schedule.Next(clock)
		if shown.IsZero() {
			return time.Time{}, false
		}
		// Until the clocks change they are as far from UTC as at t.
		start := shown.Add(-f.ahead(t))
		if change.IsZero() || start.Before(change) {
			return start, !start.After(limit)
		}
		if change.After(limit) {
			return time.Time{}, false
		}
		if shown.Before(f.clock(change)) {
			return change.UTC(), true // the clocks are put forward past it
		}
		t, clock = change, f.clock(change).Add(-time.Nanosecond)
	}
}

// last is the last start that is not after at, if a window that began then is still open. What began last ends last.
func (f freeze) last(at time.Time) (time.Time, bool) {
	earliest := at.Add(-f.length) // what began then ends now, and the end is no part of a window
	seconds := int(f.length / time.Second)
	passed := func(i int) bool {
		_, more := f.next(earliest.Add(time.Duration(i)*time.Second), at)
		return !more
	}
	if passed(0) {
		return time.Time{}, false
	}
	i := sort.Search(seconds, passed)
	return earliest.Add(time.Duration(i) * time.Second), true
}

// ahead is how far the zone's clocks are ahead of UTC at t.
func (f freeze) ahead(t time.Time) time.Duration {
	_, seconds := t.In(f.zone).Zone()
	return time.Duration(seconds) * time.Second
}

// clock is what the zone's clocks show at t, as if it were a time in UTC, where no day is special.
func (f freeze) clock(t time.Time) time.Time { return t.UTC().Add(f.ahead(t)) }
