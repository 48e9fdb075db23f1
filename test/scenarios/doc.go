// Package scenarios holds stories about Moorgate as files, and the tests that play them: the real binary, each part under
// its own ServiceAccount, before a real API server.
//
// A story about the gate is one txtar archive, webhook/<check>/<success|failure>-<words>.txtar. A failure story is one in
// which that check finds something, a success story one in which it does not. In place of a check stands the guardrail's rule
// about freeze windows, frozen, which finds nothing and speaks for itself: what it says stands in says. The archive opens with the story in prose.
// In its files $NAMESPACE stands for the story's own namespace:
//
//	guardrail.yaml  what differs from the usual Guardrail (spec alone): Enforce, warnBelow 80, denyBelow 50, and
//	                confidenceBelow 100, so that whatever could not be read is said
//	past.yaml       rollouts that came in past the gate, by its break-glass door, before all else: waited for until they are
//	                through, and until the judge has found them
//	before.yaml     earlier rollouts, a document each: let in one after the other, and waited for unless its pods fail
//	world.yaml      what else exists before
//	wait.yaml       what to wait for then: [{pods: {app: web}, are: CrashLoopBackOff, atLeast: 2}]
//	twin.yaml       a strategic merge patch that turns the change into its bad twin
//	change.yaml     the rollout under test: one Deployment, StatefulSet or DaemonSet
//	later.yaml      what comes only once the client was asked to wait
//	want.yaml       what must come of it
//
// and want.yaml holds:
//
//	answer: Denied                     Admitted, Warned or Denied
//	score: 60                          or scoreAtMost, scoreAtLeast
//	findings: {readiness: port name}   ids that must be on the Case, with a part of their text
//	absent: [quota]                    ids that must not; in a success story its own check is one of them by itself
//	says: [is refused]                 parts of what kubectl prints
//	unread: [Secret/db]                what could not be read; left out: everything could
//	twin: [is 2 of 2]                  parts of what kubectl prints on a dry run of the twin
//
// The folder kinds holds definitions of optional kinds, which the cluster serves before Moorgate begins. Two hosts outside are
// on the admin's list of probes: bank, which is well, and bank-down, which says that it is not.
//
// How a success story is kept from being true of nothing: the informers of Moorgate lag behind the world, and a gate that
// has not seen a quota yet finds nothing wrong with it. So each has a bad twin, one field away, and only once a dry run of
// the twin (never denied, leaving nothing behind) is warned about for the reason given is the change itself rehearsed, and
// then applied, once. With later.yaml the change is its own twin. Failure stories are rehearsed until the dry run says what
// they want.
//
// This package never sleeps as a proof, and never stands in for any part of Moorgate.
package scenarios
