package webhook

import (
	"strings"
	"testing"
	"time"

	"moorgate.dev/internal/gate"
)

func TestWhatBecomesOfARollout(t *testing.T) {
	crash := failing{Outcome: gate.RolloutCrashed, Pods: 1, Of: 3, Why: "container app is CrashLoopBackOff"}
	loop := crash
	loop.Lasting = true
	stands := func(age time.Duration) course {
		return course{At: noon, Admitted: noon.Add(-age), Stands: true, Wanted: 3, Hash: "1a2b"}
	}
	change := func(c course, f func(*course)) course { f(&c); return c }
	through := func(c *course) { c.Through, c.Ready, c.Since = true, 3, c.Admitted.Add(42*time.Second) }
	was := func(before string, ago time.Duration) func(*course) {
		return func(c *course) { c.Before, c.Since = before, c.At.Add(-ago) }
	}
	replaced := func(earlier bool) func(*course) { return func(c *course) { c.Stands, c.Earlier = false, earlier } }
	gone := func(c *course) { c.Stands, c.Gone = false, true }
	all := func(fs ...func(*course)) func(*course) {
		return func(c *course) {
			for _, f := range fs {
				f(c)
			}
		}
	}
	for _, x := range []struct {
		name    string
		c       course
		outcome string
		final   bool
		text    string
	}{
		{"it has begun", stands(time.Minute), "", false, ""},
		{"every pod is available", change(stands(time.Minute), through), "Available", false, "3 of 3 pods of template 1a2b available after 42s"},
		{"and has been for half an hour", change(stands(31*time.Minute), through), "Available", true, "available after 42s"},
		{"it was available and is watched on", change(stands(29*time.Minute), all(through, was("Available", 29*time.Minute))), "Available", false, ""},
		{"it was available for half an hour", change(stands(40*time.Minute), was("Available", 30*time.Minute)), "Available", true, ""},
		{"one crash is no failure yet", change(stands(time.Minute), func(c *course) { c.Failing = crash }), "Crashed", false, "1 of 3 pods"},
		{"a crash loop is", change(stands(time.Minute), func(c *course) { c.Failing = loop }), "Crashed", true, "CrashLoopBackOff"},
		{"it crashed once and got over it", change(stands(time.Minute), all(was("Crashed", time.Second), through)), "Available", false, ""},
		{"it crashes after it was available", change(stands(9*time.Minute), all(was("Available", 8*time.Minute), func(c *course) { c.Failing = loop })), "Crashed", true, "8m after it was available"},
		{"the controller gave up", change(stands(11*time.Minute), func(c *course) { c.Stuck, c.Ready = true, 1 }), "DeadlineExceeded", true, "1 of 3 pods of template 1a2b available"},
		{"the controller gave up for a crash", change(stands(11*time.Minute), func(c *course) { c.Stuck, c.Failing = true, crash }), "Crashed", true, ""},
		{"it went back", change(stands(5*time.Minute), replaced(true)), "RolledBack", true, "after 5m"},
		{"it moved on", change(stands(5*time.Minute), replaced(false)), "Superseded", true, ""},
		{"the cache may lag", change(stands(5*time.Second), replaced(false)), "", false, ""},
		{"it moved on for a crash", change(stands(5*time.Minute), all(was("Crashed", time.Minute), replaced(false))), "Crashed", true, ""},
		{"it went back for a crash", change(stands(5*time.Minute), all(was("Crashed", time.Minute), replaced(true))), "RolledBack", true, "as it was failing: Crashed"},
		{"it went back after it was available", change(stands(20*time.Minute), all(was("Available", 10*time.Minute), replaced(true))), "RolledBack", true, "10m after it was available"},
		{"it moved on after it was available", change(stands(20*time.Minute), all(was("Available", 10*time.Minute), replaced(false))), "Available", true, ""},
		{"nobody looked in time", change(stands(2*time.Hour), replaced(true)), "Unknown", true, "nobody looked in time"},
		{"the workload is gone", change(stands(time.Minute), gone), "Gone", true, ""},
		{"the workload is not there yet", change(stands(time.Second), gone), "", false, ""},
		{"it is gone after it was available", change(stands(20*time.Minute), all(was("Available", 10*time.Minute), gone)), "Available", true, ""},
		{"nobody can say", stands(30 * time.Minute), "Unknown", true, "0 of 3 pods"},
		{"no pod is wanted", change(stands(30*time.Minute), func(c *course) { c.Wanted = 0 }), "Unknown", true, "no pod"},
		{"it still fails after half an hour", change(stands(30*time.Minute), func(c *course) { c.Failing = crash }), "Crashed", true, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			got := x.c.next(outcomeWindow)
			if got.Outcome != x.outcome || got.Final != x.final || !strings.Contains(got.Text, x.text) {
				t.Errorf("%+v, want %s, final %v, %q", got, x.outcome, x.final, x.text)
			}
		})
	}
}

func TestWhatPodsFailOf(t *testing.T) {
	for why, want := range map[string]string{"OOMKilled": "OutOfMemory", "ErrImagePull": "ImagePull", "CrashLoopBackOff": "Crashed", "Error": "Crashed",
		"CreateContainerConfigError": ""} {
		if got := outcomeOf(why); got != want {
			t.Errorf("%s is %s, want %s", why, got, want)
		}
	}
}
