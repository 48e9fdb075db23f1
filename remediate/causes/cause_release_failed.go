package causes

import "moorgate.dev/internal/gate"

// The law: Helm was asked and failed, or gave up after as many tries as it may make. Most often what it applied did not become ready
// in time, and these workloads have Cases of their own. A refusal by a policy comes before.
var releaseFailed = Cause{
	Doc: gate.Doc{ID: "release-failed", Since: "v0.2", Title: "A Helm release failed",
		Text: "Helm could not install, upgrade, test or roll back a release."},
	Symptoms: []Symptom{DeliveryFailing}, Points: 20, Sure: 85,
	explainsObject: failsFor("InstallFailed", "UpgradeFailed", "TestFailed", "RollbackFailed", "UninstallFailed", "RetriesExceeded", "MissingRollbackTarget"),
	tell: func(w World, e Explained) string {
		return sentence("the Helm release of %s failed (%s)", crowd(w, 1), e.failing())
	},
}
