package app

import (
	"fmt"
	"strings"

	"moorgate.dev/internal/advise"
)

const (
	barWide     = 20 // characters for 100 percent
	pointsShown = 10
)

// calibrationText is the table for people. Its bars are made of characters that every terminal has, and mean the same without
// colours: # is the share that proved right, | the mean confidence.
func calibrationText(t advise.Table) string {
	var b strings.Builder
	if t.N == 0 {
		return "nothing to compare.\n"
	}
	fmt.Fprintf(&b, "%d predictions, of which %d proved right", t.N, t.Right)
	if t.Human > 0 {
		fmt.Fprintf(&b, " (%d known from a human's word alone)", t.Human)
	}
	b.WriteString(".\n")
	if t.Few {
		fmt.Fprintf(&b, "TOO FEW: fewer than %d prove nothing. What follows is what was seen, and no more.\n", advise.FewPredictions)
	}
	b.WriteString("\n  confidence       n   mean  right   sure of      # right, | confidence\n")
	for _, bin := range t.Bins {
		if bin.N == 0 {
			continue
		}
		fmt.Fprintf(&b, "  %3d to %3d  %6d  %4.0f%%  %4.0f%%  %3d..%3d %%  [%s]%s\n", bin.From, bin.To, bin.N, 100*bin.Mean, 100*bin.Share, bin.Low, bin.High, bar(bin), off(bin))
	}
	fmt.Fprintf(&b, "\n  Brier score               %.3f   = reliability %.3f - resolution %.3f + uncertainty %.3f\n", t.Brier, t.Reliability, t.Resolution, t.Uncertainty)
	fmt.Fprintf(&b, "  expected calibration error %.3f\n  area under risk-coverage   %.3f\n", t.Error, t.Area)
	b.WriteString("\n  if only at or above     covered   wrong\n")
	for i, p := range t.Curve {
		if each := (len(t.Curve) + pointsShown - 1) / pointsShown; i%each == 0 || i == len(t.Curve)-1 {
			fmt.Fprintf(&b, "  %19d     %5.0f%%   %4.0f%%\n", p.Confidence, 100*p.Coverage, 100*p.Risk)
		}
	}
	writeCalibrationGroups(&b, t.Groups)
	return b.String()
}

func writeCalibrationGroups(b *strings.Builder, groups []advise.Group) {
	by := ""
	for _, g := range groups {
		if g.By != by {
			by = g.By
			fmt.Fprintf(b, "\n  %-28s%7s%9s%8s%8s\n", "by "+by, "n", "right", "Brier", "error")
		}
		name, few := shown(g.Name), ""
		if name == "" {
			name = "(none)"
		}
		if g.Few {
			few = "  too few"
		}
		fmt.Fprintf(b, "  %-28s%7d%8.0f%%%8.3f%8.3f%s\n", name, g.N, 100*float64(g.Right)/float64(g.N), g.Brier, g.Error, few)
	}
}

// bar is a share as characters, with a mark where the mean confidence is.
func bar(bin advise.Bin) string {
	filled, mark := int(bin.Share*barWide+0.5), min(int(bin.Mean*barWide), barWide-1)
	row := []byte(strings.Repeat("#", filled) + strings.Repeat(".", barWide-filled))
	row[mark] = '|'
	return string(row)
}

// off says where confidence is not what came of it, as far as the numbers prove that.
func off(bin advise.Bin) string {
	switch mean := 100 * bin.Mean; {
	case mean > float64(bin.High):
		return "  overconfident"
	case mean < float64(bin.Low):
		return "  too modest"
	}
	return ""
}
