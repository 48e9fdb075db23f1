package webhook

import (
	"fmt"
	"time"

	"moorgate.dev/internal/gate"
)

// The law of what became of a rollout:
//
//   - It failed where its pods crash and were restarted three times, where their image could not be pulled for two minutes, or
//     where its controller gave up. One crash is none: many programs crash until what they need is there.
//   - It is Available once every pod that is wanted has the template and is available; it is watched on for half an hour. What
//     crashes or is taken back in that time has failed all the same.
//   - An earlier revision in its place is a return, and so a failure. A newer template in its place supersedes it, unless
//     it was available by then or was failing: then that is what became of it.
//   - Who is neither through nor failing after half an hour is Unknown: a rollout that is paused, that wants no pod, or whose
//     pods are only late. So is one that nobody looked at in time, and one of a kind that does not say how it fares.
const (
	outcomeWindow = 30 * time.Minute // a rollout has so long to get through, and so long to fail after that
	outcomeSlack  = 2 * time.Minute  // how late a look may be and still count as in time
	outcomeGrace  = 10 * time.Second // how long the cache may lag behind what was let in
	outcomeCrash  = 3                // restarts after which a crash is no accident
	outcomePull   = 2 * time.Minute  // after which a registry is not merely late
)

// course is how a rollout stands at one look, and what was known of it before. Nothing else decides its outcome.
type course struct {
	At       time.Time // of the look
	Admitted time.Time
	Before   string    // what its Case says so far: Available, or how it was failing; empty for nothing
	Since    time.Time // since when it is Available, where it is or was

	Unfollowed string // why nobody can tell; empty: it can be told

	Gone    bool // the workload is not there
	Stands  bool // the workload has its template
	Earlier bool // it has not, but one that is older

	Through bool // every pod that is wanted has the template and is available
	Stuck   bool // its controller gave up waiting
	Ends    bool // its pods are meant to end
	Wanted  int32
	Ready   int32 // pods of the template that are available
	Failing failing
	Hash    string
}

// failing is how the pods of a template fail. The zero failing is none.
type failing struct {
	Outcome string // Crashed, OutOfMemory or ImagePull
	Pods    int    // how many of them
	Of      int
	Lasting bool // it is no accident any more
	Why     string
	Images  []string
}

// step is what is made of a look. An empty Outcome: nothing can be said yet.
type step struct {
	Outcome string
	Final   bool
	Text    string
}

// next says what became of the rollout, as far as that can be said. window is half an hour.
func (c course) next(window time.Duration) step {
	age := c.At.Sub(c.Admitted)
	switch {
	case c.Unfollowed != "":
		return step{gate.RolloutUnknown, true, c.Unfollowed}
	case (c.Gone || !c.Stands) && age < outcomeGrace:
		return step{}
	case c.Gone || !c.Stands:
		return c.replaced(age, window)
	case c.Failing.Lasting:
		return c.failed(c.Failing.Outcome)
	case c.Stuck && c.Failing.Outcome != "":
		return c.failed(c.Failing.Outcome)
	case c.Stuck:
		return step{gate.RolloutDeadlineExceeded, true, fmt.Sprintf("%s when the controller gave up, %s after it was let in", c.pods(), short(age))}
	case c.Before == gate.RolloutAvailable || c.Through:
		return c.available(window)
	case age >= window && c.Failing.Outcome != "":
		return c.failed(c.Failing.Outcome)
	case age >= window && c.Wanted == 0:
		return step{gate.RolloutUnknown, true, fmt.Sprintf("no pod of template %s was wanted for %s", c.Hash, short(age))}
	case age >= window:
		return step{gate.RolloutUnknown, true, fmt.Sprintf("%s after %s, and none fails", c.pods(), short(age))}
	case c.Failing.Outcome != "":
		s := c.failed(c.Failing.Outcome)
		s.Final = false
		return s
	}
	return step{}
}

// replaced is for a template that no longer stands.
func (c course) replaced(age, window time.Duration) step {
	if c.Before == gate.RolloutAvailable {
		if c.Earlier && c.At.Sub(c.Since) <= window+outcomeSlack {
			return step{gate.RolloutRolledBack, true, fmt.Sprintf("an earlier revision took the place of template %s %s after it was available", c.Hash, short(c.At.Sub(c.Since)))}
		}
		return step{gate.RolloutAvailable, true, fmt.Sprintf("template %s was available after %s, and no longer stands %s after that", c.Hash, short(c.Since.Sub(c.Admitted)), short(c.At.Sub(c.Since)))}
	}
	failed := gate.RolloutFailed(c.Before)
	switch {
	case c.Gone && failed:
		return step{c.Before, true, fmt.Sprintf("template %s was failing when the workload went away, %s after it was let in", c.Hash, short(age))}
	case c.Gone:
		return step{gate.RolloutGone, true, fmt.Sprintf("the workload was gone %s after template %s was let in", short(age), c.Hash)}
	case age > window+outcomeSlack && !failed:
		return step{gate.RolloutUnknown, true, fmt.Sprintf("template %s no longer stands, and nobody looked in time: it was let in %s before", c.Hash, short(age))}
	case c.Earlier:
		return step{gate.RolloutRolledBack, true, fmt.Sprintf("an earlier revision took the place of template %s after %s%s", c.Hash, short(age), c.was(failed))}
	case failed:
		return step{c.Before, true, fmt.Sprintf("template %s was failing when another took its place, %s after it was let in", c.Hash, short(age))}
	}
	return step{gate.RolloutSuperseded, true, fmt.Sprintf("another template took the place of %s after %s, before it was through", c.Hash, short(age))}
}

func (c course) was(failed bool) string {
	if failed {
		return ", as it was failing: " + c.Before
	}
	return ""
}

func (c course) failed(outcome string) step {
	when := "after " + short(c.At.Sub(c.Admitted))
	if c.Before == gate.RolloutAvailable {
		when = short(c.At.Sub(c.Since)) + " after it was available"
	}
	return step{outcome, true, fmt.Sprintf("%d of %s of template %s fail %s: %s", c.Failing.Pods, plural(c.Failing.Of, "pod"), c.Hash, when, c.Failing.Why)}
}

func (c course) available(window time.Duration) step {
	s := step{Outcome: gate.RolloutAvailable, Text: fmt.Sprintf("%s after %s", c.pods(), short(c.Since.Sub(c.Admitted)))}
	if watched := c.At.Sub(c.Since); watched >= window {
		s.Final = true
		s.Text += fmt.Sprintf(", and %s on", short(watched))
	}
	return s
}

func (c course) pods() string {
	fares := "available"
	if c.Ends {
		fares = "done"
	}
	return fmt.Sprintf("%d of %s of template %s %s", c.Ready, plural(int(c.Wanted), "pod"), c.Hash, fares)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// short is a duration in whole seconds, and in whole minutes where it is long.
func short(d time.Duration) string {
	d = max(0, d).Round(time.Second)
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%dh", d/time.Hour)
}
