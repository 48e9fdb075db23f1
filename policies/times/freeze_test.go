package times

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"moorgate.dev/api/v1alpha1"
	"moorgate.dev/internal/gate"
)

func window(schedule, duration, zone string) v1alpha1.FreezeWindow {
	return v1alpha1.FreezeWindow{Reason: "r", Schedule: schedule, Duration: duration, TimeZone: zone}
}

func at(t interface{ Fatal(...any) }, text string) time.Time {
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func TestWhenAFreezeWindowIsOpen(t *testing.T) {
	nights, weekend := window("0 22 * * 1-5", "8h", "Europe/Berlin"), window("0 18 * * 5", "62h", "Europe/Berlin")
	for _, c := range []struct {
		name   string
		window v1alpha1.FreezeWindow
		at     string
		want   string // the intervals in UTC
	}{
		{"not before it", nights, "2026-11-26T19:59:59Z", ""},
		{"announced an hour ahead", nights, "2026-11-26T20:00:00Z", "2026-11-26T21:00:00Z/2026-11-27T05:00:00Z"},
		{"from its first second", nights, "2026-11-26T21:00:00Z", "2026-11-26T21:00:00Z/2026-11-27T05:00:00Z"},
		{"until its last second", nights, "2026-11-27T04:59:59.9Z", "2026-11-26T21:00:00Z/2026-11-27T05:00:00Z"},
		{"and not after it", nights, "2026-11-27T05:00:00Z", ""},
		{"over a weekend", weekend, "2026-11-29T12:00:00Z", "2026-11-27T17:00:00Z/2026-11-30T07:00:00Z"},
		{"for a month", window("0 0 1 12 *", "744h", "UTC"), "2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z/2027-01-01T00:00:00Z"},
		{"on the one day in four years", window("0 0 29 2 *", "24h", "UTC"), "2028-02-29T12:00:00Z", "2028-02-29T00:00:00Z/2028-03-01T00:00:00Z"},
		{"always, where each begins before the last one ends", window("* * * * *", "744h", "UTC"), "2026-11-26T12:30:30Z", "2026-11-26T12:30:00Z/2026-12-27T13:30:00Z"},
		{"always, where each begins as the last one ends", window("* * * * *", "1m", "UTC"), "2026-11-26T12:30:30Z", "2026-11-26T12:30:00Z/2026-11-26T13:31:00Z"},

		// Europe/Berlin, 29 March 2026: from 01:59:59 CET to 03:00:00 CEST, at 01:00 UTC.
		{"before the clocks are put forward", window("30 1 * * *", "1h", "Europe/Berlin"), "2026-03-29T00:45:00Z", "2026-03-29T00:30:00Z/2026-03-29T01:30:00Z"},
		{"when the clocks are put forward, where it begins at a time that the day skips", window("30 2 * * *", "1h", "Europe/Berlin"), "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z/2026-03-29T02:00:00Z"},
		{"as early as the clocks show after they were put forward", window("0 3 * * *", "1h", "Europe/Berlin"), "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z/2026-03-29T02:00:00Z"},
		{"the next day as ever", window("30 2 * * *", "1h", "Europe/Berlin"), "2026-03-30T00:30:00Z", "2026-03-30T00:30:00Z/2026-03-30T01:30:00Z"},
		{"for its whole length over the change", window("0 22 * * 6", "8h", "Europe/Berlin"), "2026-03-29T04:59:59Z", "2026-03-28T21:00:00Z/2026-03-29T05:00:00Z"},
		// Europe/Berlin, 25 October 2026: from 02:59:59 CEST back to 02:00:00 CET, at 01:00 UTC.
		{"twice, where it begins at a time that the day has twice", window("30 2 * * *", "10m", "Europe/Berlin"), "2026-10-25T00:35:00Z", "2026-10-25T00:30:00Z/2026-10-25T00:40:00Z 2026-10-25T01:30:00Z/2026-10-25T01:40:00Z"},
		{"in one piece, where the first lasts until the second", window("30 2 * * *", "1h", "Europe/Berlin"), "2026-10-25T01:45:00Z", "2026-10-25T01:30:00Z/2026-10-25T02:30:00Z"},
		// Australia/Lord_Howe, 4 October 2026: by half an hour, from 02:00 to 02:30, at 15:30 UTC of the day before.
		{"when the clocks are put forward by half an hour", window("15 2 * * *", "1h", "Australia/Lord_Howe"), "2026-10-03T15:30:00Z", "2026-10-03T15:30:00Z/2026-10-03T16:30:00Z"},
		{"twice within half an hour", window("45 1 * * *", "5m", "Australia/Lord_Howe"), "2026-04-04T14:45:00Z", "2026-04-04T14:45:00Z/2026-04-04T14:50:00Z 2026-04-04T15:15:00Z/2026-04-04T15:20:00Z"},
		// America/Sao_Paulo put its clocks forward at midnight until 2018, and has not since.
		{"when a day begins at one o'clock", window("0 0 * * *", "1h", "America/Sao_Paulo"), "2018-11-04T03:00:00Z", "2018-11-04T03:00:00Z/2018-11-04T04:00:00Z"},
		{"at midnight, where the clocks are left alone", window("0 0 * * *", "1h", "America/Sao_Paulo"), "2026-11-01T03:00:00Z", "2026-11-01T03:00:00Z/2026-11-01T04:00:00Z"},
		// Pacific/Apia had no 30 December 2011.
		{"when a whole day is skipped", window("0 12 30 12 *", "1h", "Pacific/Apia"), "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z/2011-12-30T11:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Intervals(c.window, at(t, c.at))
			if err != nil || written(got) != c.want {
				t.Errorf("at %s open in %q, want %q (%v)", c.at, written(got), c.want, err)
			}
		})
	}
}

func written(intervals []gate.Interval) string {
	var all []string
	for _, i := range intervals {
		all = append(all, i.From.Format(time.RFC3339)+"/"+i.To.Format(time.RFC3339))
	}
	return strings.Join(all, " ")
}

func TestFreezeWindowsThatMakeNoSense(t *testing.T) {
	for _, c := range []struct{ schedule, duration, zone, want string }{
		{"@daily", "1h", "UTC", "five fields"},
		{" @every 1h", "1h", "UTC", "five fields"},
		{"0 0 0 * * *", "1h", "UTC", "expected exactly 5 fields"},
		{"0 0 * *", "1h", "UTC", "expected exactly 5 fields"},
		{"", "1h", "UTC", "empty spec string"},
		{"TZ=UTC 0 0 * * *", "1h", "UTC", "the zone stands in timeZone"},
		{"CRON_TZ=Europe/Berlin 0 0 * * *", "1h", "UTC", "the zone stands in timeZone"},
		{"TZ=0", "1h", "UTC", "the zone stands in timeZone"},
		{"0 0 30 2 *", "1h", "UTC", "no such day"},
		{"0 0 31 4,6,9,11 *", "1h", "UTC", "no such day"},
		{"61 0 * * *", "1h", "UTC", "above maximum"},
		{"*/0 0 * * *", "1h", "UTC", "step of range should be a positive number"},
		{"0 0 * * *", "1h", "Europe/Atlantis", "not in the tz database"},
		{"0 0 * * *", "1h", "Local", "not in the tz database"},
		{"0 0 * * *", "1h", "", "not in the tz database"},
		{"0 0 * * *", "1h", "../../etc/passwd", "not in the tz database"},
		{"0 0 * * *", "", "UTC", "no duration"},
		{"0 0 * * *", "59s", "UTC", "not between 1m and 744h"},
		{"0 0 * * *", "745h", "UTC", "not between 1m and 744h"},
		{"0 0 * * *", "-1h", "UTC", "not between 1m and 744h"},
		{"0 0 * * *", "1 day", "UTC", "no duration"},
	} {
		t.Run(fmt.Sprint(c.schedule, "|", c.duration, "|", c.zone), func(t *testing.T) {
			w := window(c.schedule, c.duration, c.zone)
			open, err := Intervals(w, at(t, "2026-11-26T12:00:00Z"))
			if err == nil || !strings.Contains(err.Error(), c.want) || open != nil {
				t.Errorf("got %v and %v, want %q", open, err, c.want)
			}
			if checked := Check(w); fmt.Sprint(checked) != fmt.Sprint(err) {
				t.Errorf("Check says %v", checked)
			}
		})
	}
	if _, err := Intervals(window("0 0 * * *", "1h", "UTC"), time.Time{}); err == nil || !strings.Contains(err.Error(), "time") {
		t.Errorf("at no time at all: %v", err)
	}
}

// Whatever the schedule and whatever the clocks do, a window is open exactly when the slowest reader says so: the one that
// looks at the clocks every minute.
func TestIntervalsAreWhatAWatchOnTheClocksSays(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca"}
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		w := window(drawSchedule(t), fmt.Sprintf("%dm", rapid.SampledFrom([]int{1, 2, 15, 59, 60, 61, 180, 1500}).Draw(t, "minutes")), zone)
		now := near(t, loc)
		open, err := Intervals(w, now)
		if err != nil {
			t.Skip(err) // such as a day that does not exist
		}
		if len(open) > 61 || !slices.IsSortedFunc(open, func(a, b gate.Interval) int { return a.From.Compare(b.To) }) {
			t.Fatalf("%d intervals, or not in order: %s", len(open), written(open))
		}
		length, _ := time.ParseDuration(w.Duration)
		starts := watch(w.Schedule, loc, now.Add(-length), now.Add(Ahead))
		for minute := now; !minute.After(now.Add(Ahead)); minute = minute.Add(time.Minute) {
			want := slices.ContainsFunc(starts, func(s time.Time) bool { return !s.After(minute) && minute.Before(s.Add(length)) })
			got := slices.ContainsFunc(open, func(i gate.Interval) bool { return !minute.Before(i.From) && minute.Before(i.To) })
			if got != want {
				t.Fatalf("%q for %s in %s, at %s (looked at %s): open %t, want %t; %s", w.Schedule, w.Duration, zone, minute.In(loc), now, got, want, written(open))
			}
		}
	})
}

func drawSchedule(t *rapid.T) string {
	return strings.Join([]string{
		rapid.SampledFrom([]string{"0", "30", "*", "*/7", "59", "15,45"}).Draw(t, "minute"),
		rapid.SampledFrom([]string{"0", "1", "2", "3", "*", "*/5", "22-23", "12"}).Draw(t, "hour"),
		rapid.SampledFrom([]string{"*", "*", "1", "29", "30", "31", "25"}).Draw(t, "day"),
		rapid.SampledFrom([]string{"*", "*", "2", "3", "10", "12"}).Draw(t, "month"),
		rapid.SampledFrom([]string{"*", "*", "0", "1-5", "SUN"}).Draw(t, "weekday"),
	}, " ")
}

// near draws a time, mostly close to one at which the zone's clocks change.
func near(t *rapid.T, loc *time.Location) time.Time {
	from := time.Date(2011, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 20*365*24).Draw(t, "hours")) * time.Hour)
	if _, change := from.In(loc).ZoneBounds(); !change.IsZero() && rapid.IntRange(0, 9).Draw(t, "close") > 0 {
		from = change
	}
	return from.Add(time.Duration(rapid.IntRange(-1600, 1600).Draw(t, "offset")) * time.Minute).UTC().Truncate(time.Minute)
}

// watch looks at the clocks once a minute and returns the times at which the schedule begins a window.
func watch(schedule string, loc *time.Location, from, to time.Time) []time.Time {
	s, err := fields.Parse(schedule)
	if err != nil {
		return nil
	}
	var starts []time.Time
	matches := func(clock time.Time) bool { return s.Next(clock.Add(-time.Second)).Equal(clock) }
	shown := func(t time.Time) time.Time {
		_, offset := t.In(loc).Zone()
		return t.UTC().Add(time.Duration(offset) * time.Second)
	}
	for minute := from.Add(-time.Minute); !minute.After(to); minute = minute.Add(time.Minute) {
		for skipped := shown(minute.Add(-time.Minute)).Add(time.Minute); skipped.Before(shown(minute)); skipped = skipped.Add(time.Minute) {
			if matches(skipped) {
				starts = append(starts, minute)
			}
		}
		if matches(shown(minute)) {
			starts = append(starts, minute)
		}
	}
	return starts
}

func FuzzIntervals(f *testing.F) {
	f.Add("0 22 * * 1-5", "8h", "Europe/Berlin", int64(1_790_000_000))
	f.Add("* * * * *", "744h", "UTC", int64(0))
	f.Add("TZ=0", "1m", "Local", int64(-1))
	f.Add("*/9223372036854775807 * * * ?", "1m", "Asia/Gaza", int64(1<<40))
	f.Fuzz(func(t *testing.T, schedule, duration, zone string, seconds int64) {
		w := window(schedule, duration, zone)
		open, err := Intervals(w, time.Unix(seconds%(1<<36), 0))
		if err == nil && Check(w) != nil || len(open) > 61 {
			t.Fatalf("%d intervals, %v, %v", len(open), err, Check(w))
		}
	})
}

func BenchmarkIntervals(b *testing.B) {
	for _, w := range []v1alpha1.FreezeWindow{window("0 22 * * 1-5", "8h", "Europe/Berlin"), window("* * * * *", "744h", "Europe/Berlin"),
		window("* * * * *", "1m", "UTC"), window("0 0 29 2 *", "744h", "UTC")} {
		b.Run(w.Schedule+" for "+w.Duration, func(b *testing.B) {
			now := at(b, "2026-11-26T12:00:00Z")
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Intervals(w, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
