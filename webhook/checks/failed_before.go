package checks

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"moorgate.dev/internal/gate"
)

// The law: what failed in this cluster a moment ago is likely to fail again. The same template that crashed, ran out of
// memory, could not be pulled, never got through or was taken back in the last seven days deserves a look; so does an image that is
// new to this workload and failed elsewhere, in another stage or with another team. Only an exact reference counts: a tag
// other than latest, or a digest. What got through after it failed counts half, for then it may have been the place.
//
// Failures are of the moment, and what they needed may be there by now: a finding never refuses a return or a cure. What is
// judged after it came in is not held its own failure against. Of other namespaces no names are told.
var failedBeforeCheck = Check{
	ID: "failed-before", Title: "It has not failed lately", Points: pointsFailedTemplate, Nature: gate.Recent,
	Law:  "Neither this pod template nor an image that is new to the workload failed anywhere in the cluster in the last seven days. What got through since counts half.",
	look: lookFailedBefore,
}

// PastFailure is a rollout that failed.
type PastFailure struct {
	At      time.Time
	Image   string // that failed; empty where it had the very template
	How     string // Crashed, OutOfMemory
	Where   string // Kind/name; empty in another namespace
	Own     bool   // it was of this workload
	Through bool   // the same got through since
}

func lookFailedBefore(r Rollout) Result {
	past, known := r.World.FailedBefore.Get()
	if !known {
		return Result{Unknown: []string{unread("Cases of failed rollouts", r.World.FailedBefore)}}
	}
	if r.Afterwards {
		past = slices.DeleteFunc(slices.Clone(past), func(p PastFailure) bool { return p.Own })
	}
	cites := []string{EvidenceWorkload, EvidenceFailedBefore}
	for _, kind := range []struct {
		points int
		picks  func(PastFailure) bool
	}{{pointsFailedTemplate, func(p PastFailure) bool { return p.Image == "" }}, {pointsFailedImage, func(p PastFailure) bool { return p.Image != "" }}} {
		worst, n := worstOf(past, kind.picks)
		if n == 0 {
			continue // a template that failed says all that its images could
		}
		points, since := kind.points, ""
		if worst.Through {
			points, since = points/2, ", got through since"
		}
		if n > 1 {
			since += fmt.Sprintf(", and %d more", n-1)
		}
		return Result{Findings: []gate.Finding{found(points, gate.Recent, cites, "%s failed %s in %s: %s%s", what(worst),
			ago(r.World.At.Sub(worst.At)), where(worst), name(worst.How), since)}}
	}
	return Result{}
}

// worstOf is the newest of those that nothing speaks for, else the newest, and how many there are.
func worstOf(past []PastFailure, picks func(PastFailure) bool) (worst PastFailure, n int) {
	for _, p := range past {
		if !picks(p) {
			continue
		}
		if n == 0 || worst.Through && !p.Through {
			worst = p
		}
		n++
	}
	return worst, n
}

func what(p PastFailure) string {
	if p.Image == "" {
		return "this template"
	}
	return "image " + name(p.Image[strings.LastIndex(p.Image, "/")+1:]) // its end tells it from others
}

func where(p PastFailure) string {
	if p.Where == "" {
		return "another namespace"
	}
	return name(p.Where)
}

func ago(d time.Duration) string {
	switch d = max(0, d); {
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min ago", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", d/time.Hour)
	}
	return fmt.Sprintf("%d days ago", d/(24*time.Hour))
}

// NewImages are the images that a change brings to a workload and that say exactly what they are.
func NewImages(old *Workload, new Workload) map[string]bool {
	had, brings := map[string]bool{}, map[string]bool{}
	if old != nil {
		for _, c := range everyContainer(&old.Template.Spec) {
			had[c.Image] = true
		}
	}
	for _, c := range everyContainer(&new.Template.Spec) {
		if pinned(c.Image) && !had[c.Image] {
			brings[c.Image] = true
		}
	}
	return brings
}
