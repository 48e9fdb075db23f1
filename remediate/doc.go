// Package remediate is the third face: a workload is hurt; what is the cause, and may we help? In this version it watches,
// explains and asks the guardrail. It turns the Warning events of a crash-looping workload into one Case with a cause, a
// menu and a verdict, and says on the Case when the workload has recovered.
//
//	Warning event or sweep -> pod -> key (root owner, container, revision) -> look at the world -> cause -> menu -> verdict
//
// An event is a trigger and never evidence: everything that is said is read from live state. A slow sweep looks at every
// pod, so that nothing depends on an event that was dropped, held back or never sent. The same happening has the same key,
// and so the same Case, for a hundred pods, in every replica and after every restart.
//
// It never writes anything but Cases and their status: no workload, no event, no annotation. It has no shell, no exec, no
// attach and no kubectl; it never reads a Secret, a ConfigMap, a container's log or an environment variable's value, and
// never repeats an event's note or a container's last message. It never decides: package gate does.
package remediate
