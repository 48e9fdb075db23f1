package causes

import "moorgate.dev/internal/gate"

// EvidenceScaler is what an autoscaler is to scale, and whether anybody serves metrics.
const EvidenceScaler = "scaler"

// Scaler is what is known of an autoscaler besides its conditions.
type Scaler struct {
	Target   string          // as people write it
	There    gate.Fact[bool] // whether the target is
	Metrics  gate.Fact[bool] // whether anybody serves the metrics of pods
	Resource []string        // what it measures of pods, as a share of what they ask for: cpu
	Bare     []string        // the containers of the target's template that ask for none of one of these, in order
	Most     int32           // how many pods it may make, at most
}

// scalerCauses are about an autoscaler that cannot scale, or not further.
var scalerCauses = []Cause{scaleTargetMissing, requestMissing, metricsUnserved, metricsMissing, atMaximum}
