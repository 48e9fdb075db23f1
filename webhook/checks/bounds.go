package checks

import (
	"cmp"
	"slices"

	"moorgate.dev/internal/gate"
)

// findingsMax is how many findings of one check are told one by one. All findings of all checks have to fit into one record
// of the audit log, whatever a manifest holds: what cannot be recorded is not refused.
const findingsMax = 5

// fewer keeps the findings of one check that matter most, and sums up the rest in one finding for each nature among them:
// no points, no hardness and no excuse is lost.
func fewer(findings []gate.Finding) []gate.Finding {
	findings = slices.Clone(findings)
	slices.SortStableFunc(findings, weightier)
	if len(findings) <= findingsMax+1 {
		return findings
	}
	kept, dropped := findings[:findingsMax:findingsMax], findings[findingsMax:]
	rest := map[gate.Nature]*gate.Finding{}
	counts := map[gate.Nature]int{}
	var natures []gate.Nature
	for _, f := range dropped {
		if rest[f.Nature] == nil {
			rest[f.Nature] = &gate.Finding{Nature: f.Nature, Evidence: f.Evidence}
			natures = append(natures, f.Nature)
		}
		sum := rest[f.Nature]
		sum.Points, sum.Hard = sum.Points+f.Points, sum.Hard || f.Hard
		counts[f.Nature]++
	}
	for _, nature := range natures {
		sum := rest[nature]
		more := found(sum.Points, nature, sum.Evidence, "and %d more of this kind", counts[nature])
		more.Hard = sum.Hard
		kept = append(kept, more)
	}
	return kept
}

// excuses are the natures, the one that is excused least first. What is pending is excused by default, what is recent for a rollback
// or a cure.
var excuses = []gate.Nature{gate.Lasting, gate.Recent, gate.Pending, gate.Standing}

// weightier puts first what may refuse: what is more easily excused never uses up the points of the rest, and in whatever order
// findings are made the same ones count.
func weightier(a, b gate.Finding) int {
	return cmp.Or(cmp.Compare(slices.Index(excuses, a.Nature), slices.Index(excuses, b.Nature)), order(b.Hard, a.Hard), cmp.Compare(b.Points, a.Points))
}

// order puts false before true.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
