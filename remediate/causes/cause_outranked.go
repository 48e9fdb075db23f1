package causes

import (
	"moorgate.dev/internal/cluster/fit"
	"moorgate.dev/internal/gate"
)

// The law: the scheduler lets a pod of higher priority have the room of others, and evicts them for it. A pod that waits, and would find
// room on a node that suits but for pods ranked above it, was pushed aside or is kept out by them. That one was evicted for another
// is said by no object that is left afterwards, so the two are not told apart. What the cluster itself cannot do without outranks
// everybody and does not count. Pods of the same or a lower priority that fill the nodes are insufficient-cpu and its like.
//
// It takes room or another priority, which is for people to say.
var outranked = kept(Cause{
	Doc: gate.Doc{ID: "outranked", Since: "v0.1", Title: "Pods of higher priority have the room",
		Text: "A node suits the pod and would have room for it but for pods of higher priority, which may have been let in before it or instead of it."},
	Points: 20, Sure: 90,
}, fit.Outranked)
