package webhook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"moorgate.dev/internal/gate"
	"moorgate.dev/webhook/checks"
)

// ReasonRollout is the reason of every Signal of this face.
const ReasonRollout = "Rollout"

// Slipped is the operation of a change that nobody was asked about.
const Slipped = "SLIPPED"

// signal says which happening this is. The key is made of what was asked and of what was found: the same manifest applied
// again is the same happening, and so is its copy in another replica; the same manifest after the cluster got better is a
// new one. Time, user and names of missing objects are no part of it.
func signal(c Change, seen sighting, at time.Time) gate.Signal {
	was := ""
	if c.Old != nil {
		was = checks.TemplateHash(cmp.Or(seen.rollout.Old, c.Old))
	}
	return gate.Signal{Face: gate.FaceWebhook, Reason: ReasonRollout, Subject: c.New.Ref, At: at,
		Key: key(c, was, seen), Text: gate.OneLine(sentence(c, was, seen.template), sentenceMax)}
}

// sentenceMax is how many bytes the text of a Signal may have: the name of a user may be of any length.
const sentenceMax = 1024

func key(c Change, was string, seen sighting) string {
	if c.Operation == Slipped {
		// It came in once, whatever is found when somebody looks.
		return c.Operation + " template=" + seen.template + " uid=" + c.New.Ref.UID
	}
	parts := []string{c.Operation, "template=" + seen.template}
	if c.Old != nil {
		parts = append(parts, "was="+was)
		if c.Old.Replicas != c.New.Replicas {
			parts = append(parts, fmt.Sprintf("replicas=%d>%d", c.Old.Replicas, c.New.Replicas))
		}
		if before, after := strategy(*c.Old), strategy(c.New); before != after {
			parts = append(parts, "strategy="+before+">"+after)
		}
	}
	ids := make([]string, 0, len(seen.assessment.Findings))
	for _, f := range seen.assessment.Findings {
		ids = append(ids, f.ID)
	}
	slices.Sort(ids)
	return strings.Join(append(parts, seen.decision.String(), strings.Join(slices.Compact(ids), ",")), " ")
}

// strategy is how the workload changes over, in a word. Surge and the like are resolved against the size, so a change of
// size alone may show here too; that it does is harmless, because the size is part of the key.
func strategy(w checks.Workload) string {
	switch {
	case w.Paused:
		return "paused"
	case w.Recreate:
		return "recreate"
	case w.OnDelete:
		return "on-delete"
	}
	return fmt.Sprintf("rolling+%d-%d/%d", w.MaxSurge, w.MaxUnavailable, w.Partition)
}

func sentence(c Change, was, hash string) string {
	switch {
	case c.Operation == Slipped && c.GlassBroken:
		return fmt.Sprintf("template %s of %s came in unasked by break-glass: it was written under the field manager %s, by somebody with the right to bypass guardrails or while the webhook was away; the API server's own audit log says by whom",
			hash, c.New.Ref, BreakGlass)
	case c.Operation == Slipped:
		return fmt.Sprintf("template %s of %s came in unasked: the webhook was away, or was told not to look", hash, c.New.Ref)
	case c.Old == nil:
		return fmt.Sprintf("%s creates %s with template %s", c.User, c.New.Ref, hash)
	case was != hash:
		return fmt.Sprintf("%s changes the template of %s from %s to %s", c.User, c.New.Ref, was, hash)
	case c.Old.Replicas != c.New.Replicas:
		return fmt.Sprintf("%s changes the replicas of %s from %d to %d", c.User, c.New.Ref, c.Old.Replicas, c.New.Replicas)
	}
	return fmt.Sprintf("%s changes how %s rolls out", c.User, c.New.Ref)
}
