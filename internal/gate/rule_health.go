package gate

import (
	"fmt"
	"math"
)

// The law: where much is ill at once the cause is larger than any one workload, and acting on workloads makes it worse. Below
// the share of healthy pods in the namespace that the Guardrail asks for, no live action is begun.
var healthRule = rule{
	doc: Doc{ID: "health", Since: "v0.2", Severity: Hold, Title: "Enough must be well",
		Text: "Where less than restraint.minHealthyPercent of the namespace's pods are well, or nobody can say, no live action is begun."},
	weigh: func(r *Rail, m *matter) (Decision, string) {
		if !m.acts(ReachLive) {
			return Allow, ""
		}
		least, err := number(r.Restraint.MinHealthy, "minHealthyPercent")
		if err != nil {
			return Hold, err.Error()
		}
		share, known := m.Health.Get()
		switch {
		case !known:
			return Hold, "how many pods of the namespace are well is not known: " + m.Health.Why()
		case share.Total <= 0 || share.Total > math.MaxInt32 || share.Well < 0 || share.Well > share.Total:
			return Hold, fmt.Sprintf("%d of %d pods of the namespace are well, which makes no sense", share.Well, share.Total)
		case share.Well*100 < least*share.Total:
			return Hold, fmt.Sprintf("%d of %d pods of the namespace are well, less than %d %%: what is wrong is larger than this workload", share.Well, share.Total, least)
		}
		return Allow, ""
	},
}
