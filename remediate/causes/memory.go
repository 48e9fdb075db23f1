package causes

import (
	"fmt"
	"time"
)

// EvidenceUsage is how much memory those of a revision use that run.
const EvidenceUsage = "usage"

// oomKilled is the runtime's word for a container that was killed for its memory.
const oomKilled = "OOMKilled"

// measured are the pods that run and of which somebody measured how much memory they use.
func measured(pods []Pod) (some []Pod) {
	for _, p := range pods {
		if _, known := p.Uses.Get(); known && !p.Since.IsZero() && !p.State.fails() {
			some = append(some, p)
		}
	}
	return some
}

func used(p Pod) int64 { bytes, _ := p.Uses.Get(); return bytes }

func limitOf(p Pod) string {
	if p.Limited {
		return "limit " + p.Limit
	}
	return "no limit of its own: its node or pod ran out"
}

func mebibytes(bytes int64) string { return fmt.Sprintf("%d MiB", bytes>>20) }

// rounded is a time as people say it.
func rounded(d time.Duration) time.Duration {
	switch {
	case d >= time.Hour:
		return d.Round(time.Minute)
	case d >= time.Minute:
		return d.Round(time.Second)
	}
	return d.Round(100 * time.Millisecond)
}
