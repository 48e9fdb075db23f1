// Package times reads what a Guardrail says about time: durations, and freeze windows, which it works out to intervals.
//
// A freeze window is a cron expression with five fields, as in a CronJob, a duration and a time zone. The tz database is
// part of the binary, for images that have none. What the clocks of a zone do is taken the careful way: a window that begins
// at a time that a day skips begins when the clocks are put forward, and one that begins at a time that a day has twice
// begins twice.
//
// It is told the time and never asks for it. It never follows a schedule for longer than an hour ahead, however often it
// comes, and never takes one that makes no sense for one that never comes: that is an error.
package times
