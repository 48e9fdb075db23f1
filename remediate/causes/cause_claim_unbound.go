package causes

import (
	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

// The law: a pod that uses a volume claim is scheduled only once the claim is bound, unless its class waits for the first pod that uses
// it. It is proved by the claim itself: not there, Lost, or Pending of a class that binds at once. A claim that waits for its pod
// (WaitForFirstConsumer) is no reason: there the pod is waited for, and whatever keeps the pod is the cause. A bound volume in another
// zone is volume-zone.
//
// What keeps the claim is told of the claim itself.
var claimUnbound = kept(Cause{
	Doc: gate.Doc{ID: "claim-unbound", Since: "v0.1", Title: "A volume claim of the pod is not bound",
		Text: "A claim that the pod uses is not there, lost its volume, or is to be bound before the pod is scheduled and is not."},
	Points: 20, Sure: 95,
}, fit.Claims)
