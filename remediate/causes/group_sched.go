package causes

// wardCauses are about objects besides pods that say whether pods come to run, and who is sent to them. Pods that do not go come before
// a revision that does not come, because the first may be why of the second.
var wardCauses = []Cause{
	oldPodsLinger, badRevision,
	accountMissing, quotaExceeded, quotaNeedsRequests, limitRange, podSecurity, policyDenied, webhookDenied, webhookDown, podInvalid,
	jobBackoff, jobDeadline, jobPolicy,
	claimLost, classMissing, defaultClassMissing, volumeUnmatched, provisionerFailing,
	selectorNothing, targetPortMissing, backendsNotReady,
	budgetNever, budgetAll,
}

// beginCauses are about a pod that has a node. What is read of the pod itself comes before what is inferred from others.
var beginCauses = []Cause{
	volumeSourceMissing, volumeElsewhere, volumeAttachFails, nodeNetwork, clusterNetwork, volumeMountFails,
	readinessGate, probePort, dependencyDown, slowStart, startupFails, readinessProbeFails,
}
