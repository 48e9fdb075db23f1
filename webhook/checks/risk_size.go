package checks

import (
	corev1 "k8s.io/api/core/v1"
)

// The factors from which a change of CPU or memory is told: half and less starves, ten times and more is often a unit that
// was lost (100m and 100, 512Mi and 512).
const (
	cutFactor  = 0.5
	growFactor = 10
)

// resized finds requests and limits that are a fraction or a multiple of what they were. What one side does not say is
// no number to compare, and is told by the check of requests.
func resized(pairs []pair) []risk {
	var down, up []string
	for _, p := range pairs {
		for _, side := range []struct {
			word     string
			old, new corev1.ResourceList
		}{{"request", p.old.Resources.Requests, p.new.Resources.Requests}, {"limit", p.old.Resources.Limits, p.new.Resources.Limits}} {
			for _, of := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
				was, before := side.old[of]
				is, after := side.new[of]
				if !before || !after || was.Sign() <= 0 {
					continue
				}
				told := string(of) + " " + side.word + " " + was.String() + " to " + is.String() + " of " + p.new.Name
				switch factor := is.AsApproximateFloat64() / was.AsApproximateFloat64(); {
				case factor <= cutFactor:
					down = append(down, told)
				case factor >= growFactor:
					up = append(up, told)
				}
			}
		}
	}
	var out []risk
	if len(down) > 0 {
		out = append(out, risk{classDown, pointsRiskMiddle, "cut to half or less: " + names(down)})
	}
	if len(up) > 0 {
		out = append(out, risk{classUp, pointsRiskMiddle, "ten times and more: " + names(up)})
	}
	return out
}
