// Package drift is the face that asks whether the cluster still says what Git says.
//
// A Detector reads the Deployments that a GitSource declares and asks the API server, by a server-side-apply dry run, what it
// would make of each. Where that answer and the live object differ in a field that Git declares, there is a drift: one Case
// for each set of drifted fields of one object with their live values (those that may be shown), with what differs, who owns
// the fields, and the edit in Git that would make the change a lasting one. Another live value is another Case. Defaults and
// other spellings of a quantity are no drift, because the API server wrote both sides; nor are replicas that an autoscaler
// sets, nor a restart. A false or an empty value that Git declares is compared, though the API server does not keep it.
//
// To adopt a change is proposed only where it is known to be younger than what Git says. Otherwise Git may be ahead of what
// was delivered, and the edit would revert a release.
//
// Comparing, attributing and judging are pure functions; the Detector looks and keeps. What it could not read is said on the
// Case, and is never a drift. What fails for one Deployment is said on the GitSource, and stops none of the others.
//
// Where a model may be asked, it is asked aside, once for each drift, whether the change looks like an emergency fix or an accident. No
// round waits for it, and what it says stays on the Case as long as the rules see the same.
//
// This package never writes to a workload or to a repository: all it writes are Cases, the status of GitSources, and dry
// runs. It never reads a Secret, never shows a value that could be one, and never passes on what an API server, an admission
// webhook or a parser says in words about a manifest.
package drift
